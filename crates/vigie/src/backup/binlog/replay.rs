//! Does: plays what is kept of a log into a database: one client program reads the log and prints
//! statements, another takes them. Both have to end well. The log is cut before it is played, between
//! two transactions, so that neither program decides where to end.

use bytes::Bytes;
use futures_util::stream;
use tokio::sync::mpsc;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::BinlogError;
use super::pieces::{Cut, write};
use crate::backup::database::{BINLOG, bare};
use crate::backup::database::{Client, Tools, play};

/// Pieces that wait for whoever is slower.
const WAITING: usize = 64;
/// Bytes of the log that wait for the program that reads it.
const PIPE: usize = 1 << 20;

/// How a log is played.
#[derive(Debug, Clone, Default)]
pub struct Way {
    /// Only what happens in this database; all of them otherwise.
    pub only: Option<String>,
    /// Whether the server writes into its own log what is played. A scratch server need not; one that
    /// has replicas must, or they are left behind. Either way a server that went back has a new history:
    /// its chain has to be broken and a new dump made, for what is played has the times of long ago.
    pub logged: bool,
}

/// Plays what was cut. When it fails, a part of it may have been played, each transaction whole.
///
/// # Errors
/// A program failed, or a piece cannot be read.
pub async fn replay(
    tools: &Tools<'_>,
    client: &Client,
    cut: &Cut,
    way: &Way,
) -> Result<(), BinlogError> {
    if cut.slices.is_empty() {
        return Ok(());
    }
    let mut arguments = Vec::new();
    if !way.logged {
        arguments.push("--disable-log-bin");
    }
    let only = way.only.as_ref().map(|only| format!("--database={only}"));
    arguments.extend(only.as_deref());
    arguments.push("-");
    let reader = bare(BINLOG, &arguments);
    let (read, written) = tokio::io::duplex(PIPE);
    let slices = cut.slices.clone();
    let give = tokio::task::spawn_blocking(move || {
        let mut to = SyncIoBridge::new(written);
        let given = write(&slices, &mut to);
        let _ = to.shutdown();
        given
    });
    let (sender, receiver) = mpsc::channel::<Bytes>(WAITING);
    let statements = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|piece| (Ok::<_, std::io::Error>(piece), receiver))
    });
    let statements = Box::new(StreamReader::new(Box::pin(statements)));
    let reading = tools.run(BINLOG[0], &reader, Some(Box::new(read)), Some(sender));
    let (reading, playing, given) = tokio::join!(reading, play(tools, client, statements), give);
    // Who takes the statements knows best; then who reads the log; the pipe only says that it broke.
    playing?;
    reading?;
    match given {
        Ok(given) => given,
        Err(error) => {
            let error = std::io::Error::other(error);
            Err(BinlogError::File(std::path::PathBuf::from("the log that is played"), error))
        }
    }
}
