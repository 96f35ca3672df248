//! The other side: takes every POST at once, and remembers when the first byte of each came and which
//! incident it was about.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request: the incident that it is about, and when it began to come.
pub(crate) type Came = (u64, Instant);

/// A server on this host, in the runtime that it was started in.
pub(crate) struct Server {
    pub(crate) url: String,
    came: Arc<Mutex<Vec<Came>>>,
}

impl Server {
    pub(crate) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let came: Arc<Mutex<Vec<Came>>> = Arc::default();
        let book = Arc::clone(&came);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&book)));
            }
        });
        Ok(Self { url, came })
    }

    pub(crate) fn came(&self) -> Vec<Came> {
        lock(&self.came).clone()
    }

    /// Waits until `count` requests have come.
    pub(crate) async fn wait(&self, count: usize, limit: Duration) -> Result<(), String> {
        let end = Instant::now() + limit;
        while lock(&self.came).len() < count {
            if Instant::now() > end {
                return Err(format!("{} of {count} came", lock(&self.came).len()));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }
}

fn lock(came: &Mutex<Vec<Came>>) -> std::sync::MutexGuard<'_, Vec<Came>> {
    came.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends with the connection.
async fn serve(mut stream: TcpStream, came: Arc<Mutex<Vec<Came>>>) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        let (mut began, mut chunk) = (None, [0_u8; 16 * 1024]);
        let (head, length) = loop {
            if let Some(sizes) = sizes(&bytes) {
                break sizes;
            }
            let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
            began.get_or_insert_with(Instant::now);
            bytes.extend_from_slice(&chunk[..count]);
        };
        while bytes.len() < head + length {
            let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
            bytes.extend_from_slice(&chunk[..count]);
        }
        let body: serde_json::Value = serde_json::from_slice(&bytes[head..head + length]).ok()?;
        bytes.drain(..head + length);
        let incident = body["incident"]["id"].as_u64()?;
        lock(&came).push((incident, began.unwrap_or_else(Instant::now)));
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.ok()?;
    }
}

/// The lengths of the head and of the body, once the head is whole.
fn sizes(bytes: &[u8]) -> Option<(usize, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"))?;
    Some((end + 4, length.trim().parse().ok()?))
}
