//! Decides what kinds of sites there are, and does: opens one. What it opens only moves files; a secret
//! of a site never gets into an error, a log or the arguments of a program.

mod http;
mod local;
mod object_store;
mod program;
mod rclone;
mod rest;
mod s3;
mod secret;
mod sftp;
#[cfg(test)]
mod tests;
mod wait;
mod webdav;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use rclone::Rclone;
pub use rest::Rest;
pub use s3::S3;
pub use secret::Secret;
pub use sftp::{HostKeys, Sftp};
pub use webdav::WebDav;

use crate::store::{AppendOnly, Bandwidth, Deadline, Fault, Retry, Store};

/// A place where a repository lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Site {
    /// A directory of this machine.
    Local(PathBuf),
    /// A bucket of an object store that speaks S3.
    S3(S3),
    /// A directory of another host, over SSH.
    Sftp(Sftp),
    /// A directory of a WebDAV server.
    WebDav(WebDav),
    /// A server of restic's own protocol: `rest-server` or `rclone serve restic`.
    Rest(Rest),
    /// A remote of rclone's configuration, through the program `rclone` of this machine.
    Rclone(Rclone),
}

/// How a site is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Nothing is ever removed or overwritten here, as for a key that cannot delete.
    pub append_only: bool,
    /// Bytes a second at most, both ways together.
    pub bandwidth: Option<u64>,
    /// One work lasts no longer: after it every call fails.
    pub deadline: Option<Duration>,
    /// How often a call that may succeed later is made, at least once.
    pub tries: u32,
}

impl Default for Access {
    fn default() -> Self {
        Self { append_only: false, bandwidth: None, deadline: None, tries: 5 }
    }
}

impl Access {
    /// The same for a site that only grows.
    #[must_use]
    pub fn append_only() -> Self {
        Self { append_only: true, ..Self::default() }
    }
}

impl Site {
    /// Opens it; nothing is asked of it yet, except for what has to be started on this machine.
    pub(crate) fn open(&self) -> Result<Arc<dyn Store>, Fault> {
        Ok(match self {
            Self::Local(path) => Arc::new(local::Directory::new(path)),
            Self::S3(s3) => Arc::new(s3::open(s3)?),
            Self::Sftp(sftp) => Arc::new(sftp::Remote::new(sftp)?),
            Self::WebDav(dav) => Arc::new(webdav::open(dav)?),
            Self::Rest(rest) => Arc::new(rest::Server::new(rest)?),
            Self::Rclone(remote) => Arc::new(rclone::Serving::start(remote)?),
        })
    }
}

impl std::fmt::Display for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local(path) => write!(f, "{}", path.display()),
            Self::S3(s3) => s3.fmt(f),
            Self::Sftp(sftp) => sftp.fmt(f),
            Self::WebDav(dav) => dav.fmt(f),
            Self::Rest(rest) => rest.fmt(f),
            Self::Rclone(remote) => remote.fmt(f),
        }
    }
}

/// A store as one work uses it: retries inside its deadline, at its bandwidth.
pub(crate) fn dressed(store: Arc<dyn Store>, access: &Access) -> Arc<dyn Store> {
    let store = Bandwidth::new(store, access.bandwidth);
    let store = Deadline::new(store, access.deadline);
    let store = Retry::new(store, access.tries, Duration::from_millis(200));
    Arc::new(AppendOnly::new(store, access.append_only))
}
