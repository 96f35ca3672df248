//! Does: opens a directory of a WebDAV server. Files come under their names by a move, because a server
//! may show a file that is still being written.

use opendal_service_webdav::Webdav as Service;

use super::Secret;
use super::object_store::{ObjectStore, Whole};
use crate::store::Fault;

/// A directory of a WebDAV server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebDav {
    /// The address of the server, as `https://dav.example.org/remote.php/dav/files/me`.
    pub endpoint: String,
    /// The directory below it; empty for the address itself.
    pub path: String,
    /// Whoever logs in; empty for nobody.
    pub user: String,
    /// Their password.
    pub password: Secret,
}

impl std::fmt::Display for WebDav {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let endpoint = super::http::shown(&self.endpoint).unwrap_or_default();
        write!(f, "webdav:{}/{}", endpoint.trim_end_matches('/'), self.path.trim_matches('/'))
    }
}

/// Opens it.
pub(crate) fn open(dav: &WebDav) -> Result<ObjectStore, Fault> {
    let service = Service::default()
        .endpoint(dav.endpoint.trim_end_matches('/'))
        .root(&format!("/{}", dav.path.trim_matches('/')))
        .username(&dav.user)
        .password(dav.password.reveal());
    ObjectStore::new(dav.to_string(), service, Whole::Moved)
}
