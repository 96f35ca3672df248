//! The network between vigie and a chat, which can be cut: a port that hands every connection on to
//! another one, or takes none at all.

use std::io;
use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A wire to a server on this host.
#[derive(Debug)]
pub struct Wire {
    here: SocketAddr,
    to: SocketAddr,
    task: Option<JoinHandle<()>>,
}

impl Wire {
    /// A wire to the server at `to`, whole.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn new(to: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let here = listener.local_addr()?;
        Ok(Self { here, to, task: Some(tokio::spawn(carry(listener, to))) })
    }

    /// Its own end.
    #[must_use]
    pub const fn here(&self) -> SocketAddr {
        self.here
    }

    /// Cuts it: connections end, and new ones are refused.
    pub async fn cut(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            // Its listener is closed when it is gone.
            let _ = task.await;
        }
    }

    /// Mends it.
    ///
    /// # Errors
    /// When somebody else has taken the port meanwhile.
    pub fn mend(&mut self) -> io::Result<()> {
        let socket = TcpSocket::new_v4()?;
        // What is left of the connections that were cut does not keep the port.
        socket.set_reuseaddr(true)?;
        socket.bind(self.here)?;
        self.task = Some(tokio::spawn(carry(socket.listen(64)?, self.to)));
        Ok(())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// The connections end with this task, since the set is its own.
async fn carry(listener: TcpListener, to: SocketAddr) {
    let mut connections = JoinSet::new();
    while let Ok((mut near, _)) = listener.accept().await {
        connections.spawn(async move {
            if let Ok(mut far) = TcpStream::connect(to).await {
                let _ = copy_bidirectional(&mut near, &mut far).await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}
