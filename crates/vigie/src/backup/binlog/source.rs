//! Does: says where a database server is and how one logs in. Never shows the password.

use std::path::PathBuf;

use mysql_async::{Conn, OptsBuilder};

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A host and a port.
    Tcp(String, u16),
    /// A socket of this machine.
    Socket(PathBuf),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A server, and the account that reads its log.
#[derive(Clone)]
pub struct Source {
    /// Where it listens.
    pub address: Address,
    /// Who logs in.
    pub user: String,
    /// With which password.
    pub password: String,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Source");
        shown.field("address", &self.address).field("user", &self.user).finish_non_exhaustive()
    }
}

impl Source {
    /// Logs in as a client that asks.
    pub(super) async fn client(&self) -> Result<Conn, mysql_async::Error> {
        let options = OptsBuilder::default()
            .user(Some(&self.user))
            .pass(Some(&self.password))
            .prefer_socket(false);
        let options = match &self.address {
            Address::Tcp(host, port) => options.ip_or_hostname(host).tcp_port(*port),
            Address::Socket(path) => options.socket(Some(path.to_string_lossy())),
        };
        Conn::new(options).await
    }
}
