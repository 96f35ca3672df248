//! Does: a store over one of OpenDAL's services. It adds what a repository needs and the services do
//! not promise: whole files only, and answers that say whether asking again helps.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use opendal_core::options::{ListOptions, ReadOptions};
use opendal_core::{
    Buffer, Builder, Error, ErrorKind, HttpTransporter, OperationContext, Operator,
};
use opendal_http_transport_reqwest::ReqwestTransport;
use rustic_core::Id;

use super::http;
use super::wait::Waiter;
use crate::store::{Area, Fault, Object, PART, Part, Store, Trouble, length};

/// How a service puts a whole file under its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whole {
    /// A write is seen when it is over.
    Written,
    /// A file is written under another name and moved.
    Moved,
}

/// A repository in a service.
pub(crate) struct ObjectStore {
    place: String,
    operator: Operator,
    whole: Whole,
    waiter: Arc<Waiter>,
}

impl std::fmt::Debug for ObjectStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectStore").field("place", &self.place).finish_non_exhaustive()
    }
}

impl ObjectStore {
    /// A service as it was configured.
    pub(crate) fn new(place: String, service: impl Builder, whole: Whole) -> Result<Self, Fault> {
        let transport = HttpTransporter::new(ReqwestTransport::new(http::client()?));
        let context = OperationContext::new().with_http_transport(transport);
        let operator = Operator::new(service).map_err(|error| fault(&place, &error))?;
        let waiter = Arc::new(Waiter::new()?);
        Ok(Self { place, operator: operator.with_context(context), whole, waiter })
    }

    async fn listed(&self, area: Area) -> Result<Vec<(Id, u64)>, Error> {
        let options = ListOptions { recursive: area == Area::Data, ..ListOptions::default() };
        let path = format!("{}/", area.name());
        let mut lister = self.operator.lister_options(&path, options).await?;
        let mut found = Vec::new();
        while let Some(entry) = lister.try_next().await? {
            let name = entry.path().rsplit('/').next().unwrap_or_default();
            if entry.metadata().mode().is_file()
                && let Some(id) = crate::store::id(name)
            {
                found.push((id, entry.metadata().content_length()));
            }
        }
        Ok(found)
    }

    async fn put(&self, object: &Object, content: Vec<Bytes>) -> Result<(), Error> {
        let path = object.path();
        if self.whole == Whole::Written {
            return self.operator.write(&path, Buffer::from(content)).await.map(drop);
        }
        // Nobody else writes under this name.
        let part = format!("{PART}{}", crate::random::hex(16));
        self.operator.write(&part, Buffer::from(content)).await?;
        let moved = self.operator.rename(&part, &path).await;
        if moved.is_err() {
            // What cannot be moved is not left behind, if that is possible.
            let _ = self.operator.delete(&part).await;
        }
        moved
    }
}

impl Store for ObjectStore {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn make(&self) -> Result<(), Fault> {
        // The directories of these services come with their files; this asks whether the login works.
        self.size(&Object::config()).map(drop)
    }

    fn list(&self, area: Area) -> Result<Vec<(Id, u64)>, Fault> {
        let what = format!("listing {}", area.name());
        self.waiter.wait(&what, 0, async {
            match self.listed(area).await {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
                listed => listed.map_err(|error| fault(&what, &error)),
            }
        })
    }

    fn size(&self, object: &Object) -> Result<Option<u64>, Fault> {
        let what = format!("looking for {object}");
        self.waiter.wait(&what, 0, async {
            match self.operator.stat(&object.path()).await {
                Ok(found) => Ok(Some(found.content_length())),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(fault(&what, &error)),
            }
        })
    }

    fn read(&self, object: &Object, part: Option<Part>) -> Result<Bytes, Fault> {
        let what = format!("reading {object}");
        let wanted = part.map_or(0, |part| part.length);
        let mut options = ReadOptions::default();
        if let Some(part) = part {
            options.range = (part.offset..part.offset + part.length).into();
        }
        let content = self.waiter.wait(&what, wanted.max(16 << 20), async {
            let read = self.operator.read_options(&object.path(), options).await;
            read.map(|content| content.to_bytes()).map_err(|error| fault(&what, &error))
        });
        let content = match (content, part) {
            // Of a file that ends too early, the services only say that they do not understand it.
            (Err(fault), Some(part)) if fault.trouble == Trouble::Wrong => {
                let size = self.size(object)?.unwrap_or(0);
                let short = size < part.offset + part.length;
                return Err(if short { Fault::new(Trouble::Short, fault.why) } else { fault });
            }
            (content, _) => content?,
        };
        if part.is_some() && content.len() as u64 != wanted {
            let why = format!("{what}: {} bytes of {wanted} came", content.len());
            return Err(Fault::new(Trouble::Short, why));
        }
        Ok(content)
    }

    fn write(&self, object: &Object, content: &[Bytes]) -> Result<(), Fault> {
        let what = format!("writing {object}");
        self.waiter.wait(&what, length(content), async {
            self.put(object, content.to_vec()).await.map_err(|error| fault(&what, &error))
        })
    }

    fn remove(&self, object: &Object) -> Result<(), Fault> {
        // These services say nothing when there was nothing to remove.
        let what = format!("removing {object}");
        if self.size(object)?.is_none() {
            return Err(Fault::new(Trouble::Missing, format!("{what}: it is not there")));
        }
        self.waiter.wait(&what, 0, async {
            self.operator.delete(&object.path()).await.map_err(|error| fault(&what, &error))
        })
    }

    fn sweep(&self) -> Result<(), Fault> {
        if self.whole == Whole::Written {
            return Ok(());
        }
        let what = "removing what writers left";
        self.waiter.wait(what, 0, async {
            let failed = |error: Error| fault(what, &error);
            let mut lister = self.operator.lister("").await.map_err(failed)?;
            while let Some(entry) = lister.try_next().await.map_err(failed)? {
                if entry.path().starts_with(PART) {
                    self.operator.delete(entry.path()).await.map_err(failed)?;
                }
            }
            Ok(())
        })
    }
}

/// What an error of OpenDAL means. Its own text can have addresses and headers in it, so only its kind
/// and its innermost cause are told.
fn fault(what: &str, error: &Error) -> Fault {
    let trouble = match error.kind() {
        ErrorKind::NotFound => Trouble::Missing,
        ErrorKind::RangeNotSatisfied => Trouble::Short,
        ErrorKind::PermissionDenied => Trouble::Refused,
        ErrorKind::RateLimited => Trouble::Passing,
        _ if error.is_temporary() => Trouble::Passing,
        // Some services leave an answer to whoever looks at its status.
        _ => match status(error) {
            Some(status) => return Fault::from_status(what, status),
            None => Trouble::Wrong,
        },
    };
    let cause = std::error::Error::source(error).map(http::cause);
    let cause = cause.unwrap_or_else(|| error.message().lines().next().unwrap_or("").to_owned());
    Fault::new(trouble, format!("{what}: {}: {cause}", error.kind()))
}

/// The status of the answer that an error was made from; only its text has it.
fn status(error: &Error) -> Option<u16> {
    let text = error.to_string();
    let digits = text.split_once("status: ")?.1.get(..3)?;
    digits.parse().ok().filter(|status| (300..600).contains(status))
}
