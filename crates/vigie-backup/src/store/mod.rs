//! Does: the one port behind which a repository's files are, whatever kind of site keeps them.
//! A store moves files; it never looks into them.
//!
//! The contract, which `conformance` holds every store to:
//! * a file is there whole or not at all: a write that was cut off leaves nothing under its name;
//! * a write of what is there already succeeds and changes nothing but that: every name but `config`
//!   is the hash of the content;
//! * everything may be asked again: reads, writes, lists and removals are idempotent;
//! * an answer is `Missing` only when the site said so, never because it could not be reached;
//! * a store may be used by many threads at once.

mod append_only;
mod bandwidth;
mod breaker;
#[cfg(test)]
pub(crate) mod conformance;
mod deadline;
mod fault;
#[cfg(test)]
pub(crate) mod memory;
mod object;
mod retry;
#[cfg(test)]
mod tests;
mod window;

use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use rustic_core::Id;

pub(crate) use append_only::AppendOnly;
pub(crate) use bandwidth::Bandwidth;
pub(crate) use breaker::Breaker;
pub(crate) use deadline::Deadline;
pub(crate) use fault::{Fault, Trouble};
pub(crate) use object::{Area, Object, id};
pub(crate) use retry::Retry;
pub(crate) use window::Window;

/// A part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its first byte.
    pub(crate) offset: u64,
    /// Bytes; never 0.
    pub(crate) length: u64,
}

/// A place for the files of one repository.
pub(crate) trait Store: Debug + Send + Sync + 'static {
    /// How people call it; never a secret.
    fn place(&self) -> String;

    /// Makes it ready for a new repository.
    fn make(&self) -> Result<(), Fault>;

    /// The files of an area with their sizes in bytes, in any order. Files with other names than a
    /// repository's are left out.
    fn list(&self, area: Area) -> Result<Vec<(Id, u64)>, Fault>;

    /// The size of a file in bytes; none when it is not there.
    fn size(&self, object: &Object) -> Result<Option<u64>, Fault>;

    /// A file or a part of one; less than was asked for is a fault.
    fn read(&self, object: &Object, part: Option<Part>) -> Result<Bytes, Fault>;

    /// Writes a file whole.
    fn write(&self, object: &Object, content: &[Bytes]) -> Result<(), Fault>;

    /// Removes a file; one that is not there is `Missing`.
    fn remove(&self, object: &Object) -> Result<(), Fault>;

    /// Removes what writes left that were cut off; nobody else may be writing. Most sites leave nothing.
    fn sweep(&self) -> Result<(), Fault> {
        Ok(())
    }
}

/// What is being written has a name that begins with this, where a site shows it.
pub(crate) const PART: &str = "part-";

impl<S: Store + ?Sized> Store for Arc<S> {
    fn place(&self) -> String {
        (**self).place()
    }

    fn make(&self) -> Result<(), Fault> {
        (**self).make()
    }

    fn list(&self, area: Area) -> Result<Vec<(Id, u64)>, Fault> {
        (**self).list(area)
    }

    fn size(&self, object: &Object) -> Result<Option<u64>, Fault> {
        (**self).size(object)
    }

    fn read(&self, object: &Object, part: Option<Part>) -> Result<Bytes, Fault> {
        (**self).read(object, part)
    }

    fn write(&self, object: &Object, content: &[Bytes]) -> Result<(), Fault> {
        (**self).write(object, content)
    }

    fn remove(&self, object: &Object) -> Result<(), Fault> {
        (**self).remove(object)
    }

    fn sweep(&self) -> Result<(), Fault> {
        (**self).sweep()
    }
}

/// Bytes of a content that is in pieces.
pub(crate) fn length(content: &[Bytes]) -> u64 {
    content.iter().map(|piece| piece.len() as u64).sum()
}
