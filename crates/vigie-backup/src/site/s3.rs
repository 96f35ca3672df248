//! Does: opens a bucket of an object store that speaks S3. Credentials come from its settings alone,
//! never from files or the environment of this machine.

use opendal_service_s3::S3 as Service;

use super::Secret;
use super::object_store::{ObjectStore, Whole};
use crate::store::Fault;

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct S3 {
    /// Its name.
    pub bucket: String,
    /// The address of the server, as `https://s3.example.org`.
    pub endpoint: String,
    /// Its region; `us-east-1` where a server has none.
    pub region: String,
    /// Everything is below this; empty for the whole bucket.
    pub prefix: String,
    /// The name of the key.
    pub access_key: String,
    /// The key.
    pub secret_key: Secret,
}

impl std::fmt::Display for S3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let endpoint = super::http::shown(&self.endpoint).unwrap_or_default();
        write!(f, "s3:{endpoint}{}/{}", self.bucket, self.prefix.trim_matches('/'))
    }
}

/// Opens it.
pub(crate) fn open(s3: &S3) -> Result<ObjectStore, Fault> {
    let region = if s3.region.is_empty() { "us-east-1" } else { &s3.region };
    let service = Service::default()
        .bucket(&s3.bucket)
        .endpoint(&s3.endpoint)
        .region(region)
        .root(&format!("/{}", s3.prefix.trim_matches('/')))
        .access_key_id(&s3.access_key)
        .secret_access_key(s3.secret_key.reveal())
        .disable_config_load()
        .disable_ec2_metadata();
    ObjectStore::new(s3.to_string(), service, Whole::Written)
}
