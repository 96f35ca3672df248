//! Does: runs a database's client programs where they are: inside the service's container, or as
//! programs of this machine. Never hands on a secret but in the environment.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncRead;
use tokio::sync::mpsc;

use super::DatabaseError;
use crate::runner;
use crate::runtime::docker::{Docker, Ended, Program, Scratch};

/// What a program may take from beginning to end.
const LIMIT: Duration = Duration::from_secs(6 * 3_600);

/// Where the client programs are.
#[derive(Clone)]
pub enum Tools<'a> {
    /// In the container of a service.
    Container {
        /// The engine.
        docker: &'a Docker,
        /// The service's name.
        service: &'a str,
    },
    /// In a server of a drill's own.
    Scratch(&'a Scratch<'a>),
    /// On this machine.
    Local {
        /// A directory that is looked in before all others.
        first: Option<PathBuf>,
    },
}

impl std::fmt::Debug for Tools<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tools").field(&self.place()).finish()
    }
}

impl Tools<'_> {
    /// Where they are, for people.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Container { service, .. } => (*service).to_owned(),
            Self::Scratch(_) => String::from("the scratch server"),
            Self::Local { .. } => String::from("this machine"),
        }
    }

    /// Runs `program` to its end; `name` is how it is called for people.
    ///
    /// # Errors
    /// It cannot be run, or it failed.
    pub async fn run(
        &self,
        name: &str,
        program: &Program,
        input: Option<Box<dyn AsyncRead + Send + Unpin>>,
        output: Option<mpsc::Sender<Bytes>>,
    ) -> Result<(), DatabaseError> {
        let ended = match self {
            Self::Container { docker, service } => {
                docker.exec(service, program, input, output).await?
            }
            Self::Scratch(scratch) => scratch.exec(program, input, output).await?,
            Self::Local { first } => local(name, first.as_ref(), program, input, output).await?,
        };
        if ended.is_fine() {
            return Ok(());
        }
        let (program, place) = (name.to_owned(), self.place());
        Err(DatabaseError::Program { program, place, code: ended.code, why: ended.complaint })
    }
}

async fn local(
    name: &str,
    first: Option<&PathBuf>,
    program: &Program,
    input: Option<Box<dyn AsyncRead + Send + Unpin>>,
    output: Option<mpsc::Sender<Bytes>>,
) -> Result<Ended, DatabaseError> {
    let mut words = program.arguments.iter();
    let mut command = runner::program(words.next().map_or("", String::as_str));
    command.args(words).envs(program.env.iter().map(|(key, value)| (key, value)));
    if let Some(first) = first {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(first.clone()).chain(std::env::split_paths(&path));
        let joined = std::env::join_paths(all).unwrap_or_else(|_| OsString::from(first));
        command.env("PATH", joined);
    }
    let ended = runner::stream(&mut command, input, output, LIMIT).await;
    let program = name.to_owned();
    let ended = ended.map_err(|why| DatabaseError::Run { program: program.clone(), why })?;
    let place = String::from("this machine");
    let (status, complaint) = ended.ok_or_else(|| DatabaseError::Endless {
        program,
        place,
        hours: LIMIT.as_secs() / 3_600,
    })?;
    Ok(Ended { code: status.code().map_or(-1, i64::from), complaint })
}
