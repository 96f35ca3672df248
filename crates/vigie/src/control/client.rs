//! Does: asks the daemon, for the command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::{Answer, Request};

const LIMIT: Duration = Duration::from_secs(20);

/// Why the daemon could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens.
    #[error("the watch is not running ({}: {why}); start it with `vigie watch`", .socket.display())]
    NotRunning {
        /// The socket.
        socket: PathBuf,
        /// Why.
        why: String,
    },
    /// It is somebody else's.
    #[error("the watch on {} answers another account only; run this as the account that runs `vigie watch`", .0.display())]
    Private(PathBuf),
    /// It listens and does not answer.
    #[error("the watch does not answer on {}: {why}; its own words are where it was started (journalctl -u vigie)", .socket.display())]
    NoAnswer {
        /// The socket.
        socket: PathBuf,
        /// Why.
        why: String,
    },
}

/// A connection to the daemon.
#[derive(Debug)]
pub struct Client {
    socket: PathBuf,
    stream: BufReader<UnixStream>,
}

impl Client {
    /// Connects to the daemon at `socket`.
    ///
    /// # Errors
    /// When none runs.
    pub async fn connect(socket: &Path) -> Result<Self, ControlError> {
        let stream = UnixStream::connect(socket).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied => ControlError::Private(socket.to_owned()),
            _ => ControlError::NotRunning { socket: socket.to_owned(), why: error.to_string() },
        })?;
        Ok(Self { socket: socket.to_owned(), stream: BufReader::new(stream) })
    }

    /// Asks one thing.
    ///
    /// # Errors
    /// When the daemon does not answer.
    pub async fn ask(&mut self, request: &Request) -> Result<Answer, ControlError> {
        let socket = self.socket.clone();
        let silent = |why: String| ControlError::NoAnswer { socket: socket.clone(), why };
        let mut text = serde_json::to_string(request).map_err(|error| silent(error.to_string()))?;
        text.push('\n');
        let exchange = async {
            self.stream.get_mut().write_all(text.as_bytes()).await?;
            let mut line = String::new();
            self.stream.read_line(&mut line).await?;
            Ok::<_, std::io::Error>(line)
        };
        let line = match tokio::time::timeout(LIMIT, exchange).await {
            Ok(Ok(line)) => line,
            Ok(Err(error)) => return Err(silent(error.to_string())),
            Err(_) => return Err(silent(String::from("no answer in time"))),
        };
        serde_json::from_str(&line).map_err(|error| silent(error.to_string()))
    }
}
