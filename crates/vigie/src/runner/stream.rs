//! Does: runs a program whose input and output are streams, so that neither has to fit into memory.
//! What it complains about is kept, its end at least.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

use super::Running;
use crate::text::{cut, printable};

/// Bytes of complaints that are kept.
const COMPLAINTS: usize = 4_096;
/// Bytes that are read at once.
const PIECE: usize = 64 * 1024;

/// Runs `command` with `input`; what it prints goes to `output`, piece by piece. Nothing when it was
/// not done within `limit`, and then it has been ended.
pub(crate) async fn stream(
    command: &mut Command,
    input: Option<Box<dyn AsyncRead + Send + Unpin>>,
    output: Option<mpsc::Sender<bytes::Bytes>>,
    limit: Duration,
) -> io::Result<Option<(ExitStatus, String)>> {
    let mut child = command
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(if output.is_some() { Stdio::piped() } else { Stdio::null() })
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut running = Running::new(child);
    let done = async {
        let (status, (), (), complaint) = tokio::try_join!(
            running.child.wait(),
            feed(stdin, input),
            listen(stdout, output),
            complaints(stderr)
        )?;
        Ok((status, complaint))
    };
    let done = tokio::time::timeout(limit, done).await;
    if let Ok(ended) = done {
        running.over = true;
        return ended.map(Some);
    }
    running.end().await;
    Ok(None)
}

/// A program that does not read to the end says by its exit code why.
async fn feed(
    pipe: Option<ChildStdin>,
    input: Option<Box<dyn AsyncRead + Send + Unpin>>,
) -> io::Result<()> {
    let (Some(mut pipe), Some(input)) = (pipe, input) else { return Ok(()) };
    let mut input = tokio::io::BufReader::with_capacity(PIECE, input);
    match tokio::io::copy_buf(&mut input, &mut pipe).await {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => {
            let _ = pipe.shutdown().await;
            Ok(())
        }
    }
}

async fn listen(
    pipe: Option<ChildStdout>,
    output: Option<mpsc::Sender<bytes::Bytes>>,
) -> io::Result<()> {
    let (Some(mut pipe), Some(output)) = (pipe, output) else { return Ok(()) };
    loop {
        let mut piece = BytesMut::with_capacity(PIECE);
        if pipe.read_buf(&mut piece).await? == 0 {
            return Ok(());
        }
        // Whoever reads no more has failed, and says so itself.
        let _ = output.send(piece.freeze()).await;
    }
}

async fn complaints(pipe: Option<ChildStderr>) -> io::Result<String> {
    let Some(mut pipe) = pipe else { return Ok(String::new()) };
    let mut said = Vec::new();
    while pipe.read_buf(&mut said).await? > 0 {
        let excess = said.len().saturating_sub(COMPLAINTS);
        said.drain(..excess);
    }
    let text = String::from_utf8_lossy(&said);
    let lines: Vec<_> = text.lines().map(printable).filter(|line| !line.is_empty()).collect();
    Ok(cut(&lines[lines.len().saturating_sub(3)..].join(" / "), 600))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::program;

    #[tokio::test]
    async fn more_than_a_pipe_holds_goes_in_and_out() {
        let (sender, mut receiver) = mpsc::channel::<bytes::Bytes>(2);
        let count = async {
            let mut sum = 0;
            while let Some(piece) = receiver.recv().await {
                sum += piece.len();
            }
            sum
        };
        let input = tokio::io::repeat(7).take(3 << 20);
        let mut cat = program("cat");
        let run = stream(&mut cat, Some(Box::new(input)), Some(sender), Duration::from_secs(60));
        let (ended, sum) = tokio::join!(run, count);
        assert!(ended.unwrap().unwrap().0.success());
        assert_eq!(sum, 3 << 20);
    }

    #[tokio::test]
    async fn who_reads_no_more_says_why() {
        let input = Box::new(tokio::io::repeat(7).take(3 << 20));
        let mut shell = program("sh");
        shell.args(["-c", "echo no more >&2; exit 4"]);
        let ended = stream(&mut shell, Some(input), None, Duration::from_secs(60)).await;
        let (status, complaint) = ended.unwrap().unwrap();
        assert_eq!((status.code(), complaint.as_str()), (Some(4), "no more"));
    }

    #[tokio::test]
    async fn out_of_time_it_is_ended() {
        let mut sleep = program("sleep");
        let ended = stream(sleep.arg("300"), None, None, Duration::from_millis(200)).await;
        assert!(ended.unwrap().is_none());
    }
}
