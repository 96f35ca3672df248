//! Does: a repository in a directory of another host, over SSH's file transfer protocol. The connection
//! is made by the program `ssh`, which knows agents, jump hosts and host keys; a host whose key has
//! changed is never talked to.

mod connection;
mod files;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rustic_core::Id;

use self::connection::Connection;
use super::wait::Waiter;
use crate::store::{Area, Fault, Object, PART, Part, Store, Trouble, length};

/// How a host is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HostKeys {
    /// Its key is in the file of known hosts already.
    #[default]
    Known,
    /// The key of a host that was never seen is taken and remembered; one that changed is refused.
    FirstSeen,
}

/// A directory of another host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sftp {
    /// Its name or address.
    pub host: String,
    /// Its port; none for SSH's own.
    pub port: Option<u16>,
    /// Whoever logs in there; empty for the name of the user here.
    pub user: String,
    /// The private key to log in with, without a passphrase; none for what `ssh` would use.
    pub key_file: Option<PathBuf>,
    /// The directory there; a path that does not begin with `/` is below the home directory.
    pub path: String,
    /// The file of known hosts; none for the user's own.
    pub known_hosts: Option<PathBuf>,
    /// How the host is recognised.
    pub host_keys: HostKeys,
}

impl std::fmt::Display for Sftp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let user = if self.user.is_empty() { String::new() } else { format!("{}@", self.user) };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        write!(f, "sftp:{user}{}{port}:{}", self.host, self.path)
    }
}

/// A directory with the connection to it, which is made when it is needed and again when it broke.
pub(crate) struct Remote {
    sftp: Sftp,
    connection: Mutex<Option<Arc<Connection>>>,
    waiter: Waiter,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").field("sftp", &self.sftp).finish_non_exhaustive()
    }
}

impl Remote {
    /// Nothing is connected yet.
    pub(crate) fn new(sftp: &Sftp) -> Result<Self, Fault> {
        let no_name = sftp.host.is_empty() || sftp.host.starts_with('-');
        if no_name || sftp.path.is_empty() || sftp.user.starts_with('-') {
            let why = "an SFTP site needs the name of a host and a path on it";
            return Err(Fault::new(Trouble::Wrong, why));
        }
        let connection = Mutex::default();
        Ok(Self { sftp: sftp.clone(), connection, waiter: Waiter::new()? })
    }

    /// The connection; only one is made at a time, whoever asks.
    fn connected(&self) -> Result<Arc<Connection>, Fault> {
        let mut kept = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = &*kept {
            return Ok(Arc::clone(connection));
        }
        let what = format!("connecting to {}", self.sftp.host);
        let made = self.waiter.wait(&what, 0, Connection::make(&self.sftp))?;
        let made = Arc::new(made);
        *kept = Some(Arc::clone(&made));
        Ok(made)
    }

    fn call<T, F>(
        &self,
        what: &str,
        bytes: u64,
        call: impl FnOnce(Arc<Connection>) -> F,
    ) -> Result<T, Fault>
    where
        T: Send,
        F: Future<Output = Result<T, Fault>> + Send,
    {
        let connection = self.connected()?;
        let done = self.waiter.wait(what, bytes, call(Arc::clone(&connection)));
        if let Err(fault) = &done
            && fault.trouble == Trouble::Passing
        {
            // Whatever was wrong with it, a new one is the better try.
            let mut kept = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, &connection)) {
                *kept = None;
            }
        }
        done
    }

    fn path(&self, below: &str) -> String {
        format!("{}/{below}", self.sftp.path.trim_end_matches('/'))
    }
}

impl Store for Remote {
    fn place(&self) -> String {
        self.sftp.to_string()
    }

    fn make(&self) -> Result<(), Fault> {
        let what = format!("making {}", self.sftp.path);
        self.call(&what, 0, |connection| async move {
            let mut fs = connection.sftp.fs();
            for area in Area::DIRECTORIES {
                files::make_all(&mut fs, &self.path(area.name())).await?;
            }
            Ok(())
        })
    }

    fn list(&self, area: Area) -> Result<Vec<(Id, u64)>, Fault> {
        let what = format!("listing {}", area.name());
        let path = self.path(area.name());
        self.call(&what, 16 << 20, |connection| async move {
            files::list(&connection.sftp, &path, area == Area::Data).await
        })
    }

    fn size(&self, object: &Object) -> Result<Option<u64>, Fault> {
        let what = format!("looking for {object}");
        let path = self.path(&object.path());
        let found = self.call(&what.clone(), 0, |connection| async move {
            let meta = connection.sftp.fs().metadata(&path).await;
            meta.map(|meta| meta.len().unwrap_or(0)).map_err(|error| files::fault(&what, &error))
        });
        match found {
            Ok(size) => Ok(Some(size)),
            Err(fault) if fault.is_missing() => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    fn read(&self, object: &Object, part: Option<Part>) -> Result<Bytes, Fault> {
        let what = format!("reading {object}");
        let path = self.path(&object.path());
        let bytes = part.map_or(16 << 20, |part| part.length);
        self.call(&what.clone(), bytes, |connection| async move {
            files::read(&connection.sftp, &what, &path, part).await
        })
    }

    fn write(&self, object: &Object, content: &[Bytes]) -> Result<(), Fault> {
        let what = format!("writing {object}");
        let path = self.path(&object.path());
        let part = self.path(&format!("{PART}{}", crate::random::hex(16)));
        self.call(&what.clone(), length(content), |connection| async move {
            files::write(&connection.sftp, &what, &path, &part, content).await
        })
    }

    fn remove(&self, object: &Object) -> Result<(), Fault> {
        let what = format!("removing {object}");
        let path = self.path(&object.path());
        self.call(&what.clone(), 0, |connection| async move {
            let done = connection.sftp.fs().remove_file(&path).await;
            done.map_err(|error| files::fault(&what, &error))
        })
    }

    fn sweep(&self) -> Result<(), Fault> {
        let path = self.path("");
        self.call("removing what writers left", 0, |connection| async move {
            files::sweep(&connection.sftp, &path).await
        })
    }
}
