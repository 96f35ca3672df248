//! Does: runs a program inside a service's container, its output as a stream, its input from one. What
//! is secret goes into its environment, never onto its command line.

use std::time::Duration;

use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::io::{AsyncRead, AsyncWriteExt};
use tokio::sync::mpsc;

use super::Docker;
use crate::runtime::RuntimeError;
use crate::text::{cut, printable};

/// What a program may take from beginning to end.
const LIMIT: Duration = Duration::from_secs(6 * 3_600);
/// Bytes of complaints that are kept.
const COMPLAINTS: usize = 4_096;
/// Bytes that are written at once.
const PIECE: usize = 64 * 1024;

/// A program to run.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Its name and arguments.
    pub arguments: Vec<String>,
    /// Its environment, beside the container's.
    pub env: Vec<(String, String)>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code.
    pub code: i64,
    /// The end of what it complained about, made printable.
    pub complaint: String,
}

impl Ended {
    /// Whether it did what it should.
    #[must_use]
    pub const fn is_fine(&self) -> bool {
        self.code == 0
    }
}

impl Docker {
    /// Runs `program` in the container of `service`; what it prints goes to `output`, piece by piece.
    ///
    /// # Errors
    /// What the engine says; a program that fails is none.
    pub async fn exec(
        &self,
        service: &str,
        program: &Program,
        input: Option<Box<dyn AsyncRead + Send + Unpin>>,
        output: Option<mpsc::Sender<Bytes>>,
    ) -> Result<Ended, RuntimeError> {
        let id = self.existing("running a program in", service).await?;
        self.exec_in(&id, service, program, input, output).await
    }

    /// Runs `program` in the container `id`; `service` is how it is called for people.
    pub(super) async fn exec_in(
        &self,
        id: &str,
        service: &str,
        program: &Program,
        input: Option<Box<dyn AsyncRead + Send + Unpin>>,
        output: Option<mpsc::Sender<Bytes>>,
    ) -> Result<Ended, RuntimeError> {
        let docker = self.engine.docker_for(LIMIT).await?;
        let options = CreateExecOptions {
            attach_stdin: Some(input.is_some()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(program.arguments.clone()),
            env: Some(program.env.iter().map(|(key, value)| format!("{key}={value}")).collect()),
            ..CreateExecOptions::default()
        };
        let what = "running a program in";
        let made = self.engine.limit(what, service, docker.create_exec(id, options)).await?;
        let start =
            StartExecOptions { output_capacity: Some(PIECE), ..StartExecOptions::default() };
        let began = docker.start_exec(&made.id, Some(start));
        let running = self.engine.limit(what, service, began).await?;
        let StartExecResults::Attached { output: said, input: taken } = running else {
            return Err(super::says_no(what, service, "the engine does not attach to it"));
        };
        let write = feed(input, taken);
        let read = listen(said, output);
        let both = async {
            let ((), complaint) = tokio::try_join!(write, read)?;
            Ok::<_, bollard::errors::Error>(complaint)
        };
        let complaint = self.engine.within(LIMIT, what, service, both).await?;
        let seen = self.engine.limit(what, service, docker.inspect_exec(&made.id)).await?;
        Ok(Ended { code: seen.exit_code.unwrap_or(-1), complaint })
    }
}

/// Gives the program its input, then lets it see the end of it.
async fn feed(
    input: Option<Box<dyn AsyncRead + Send + Unpin>>,
    mut taken: std::pin::Pin<Box<dyn tokio::io::AsyncWrite + Send>>,
) -> Result<(), bollard::errors::Error> {
    if let Some(mut input) = input {
        // A program that ends before it has read everything says by its exit code why.
        let copied = tokio::io::copy_buf(
            &mut tokio::io::BufReader::with_capacity(PIECE, &mut input),
            &mut taken,
        )
        .await;
        if let Err(error) = copied
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            return Err(error.into());
        }
        let _ = taken.flush().await;
        let _ = taken.shutdown().await;
    }
    Ok(())
}

/// Passes on what it prints; keeps the end of what it complains about.
async fn listen(
    mut said: std::pin::Pin<
        Box<dyn futures_util::Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>,
    >,
    output: Option<mpsc::Sender<Bytes>>,
) -> Result<String, bollard::errors::Error> {
    let mut complaint = Vec::new();
    while let Some(piece) = said.next().await {
        match piece? {
            LogOutput::StdOut { message } | LogOutput::Console { message } => {
                if let Some(output) = &output {
                    // Whoever reads no more has failed, and says so itself.
                    let _ = output.send(message).await;
                }
            }
            LogOutput::StdErr { message } => {
                complaint.extend_from_slice(&message);
                let excess = complaint.len().saturating_sub(COMPLAINTS);
                complaint.drain(..excess);
            }
            LogOutput::StdIn { .. } => {}
        }
    }
    let text = String::from_utf8_lossy(&complaint);
    let lines: Vec<_> = text.lines().map(printable).filter(|line| !line.is_empty()).collect();
    Ok(cut(&lines[lines.len().saturating_sub(3)..].join(" / "), 600))
}
