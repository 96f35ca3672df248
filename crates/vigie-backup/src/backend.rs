//! Does: gives `rustic_core` a store as its backend. It decides nothing: whatever a call should be
//! guarded by is around the store already.

use bytes::Bytes;
use rustic_core::{
    BytesList, ErrorKind, FileType, Id, ReadBackend, RusticError, RusticResult, WriteBackend,
};

use crate::store::{Area, Fault, Object, Part, Store, Trouble};

/// A store in the shape that `rustic_core` asks for.
#[derive(Debug)]
pub(crate) struct Backend<S>(pub(crate) S);

/// Files that are no packs are read whole, so that one must not be as large as somebody likes.
const LARGEST: u64 = 256 << 20;

fn object(kind: FileType, id: &Id) -> Object {
    match kind {
        FileType::Config => Object::config(),
        kind => Object::new(Area::from(kind), *id),
    }
}

fn failed(fault: Fault) -> Box<RusticError> {
    RusticError::with_source(ErrorKind::Backend, "the site failed", fault)
}

impl<S: Store> ReadBackend for Backend<S> {
    fn location(&self) -> String {
        self.0.place()
    }

    fn list_with_size(&self, kind: FileType) -> RusticResult<Vec<(Id, u32)>> {
        if kind == FileType::Config {
            let size = self.0.size(&Object::config()).map_err(failed)?;
            return Ok(size.into_iter().map(|size| (Id::default(), small(size))).collect());
        }
        let listed = self.0.list(kind.into()).map_err(failed)?;
        if kind != FileType::Pack
            && let Some((id, size)) = listed.iter().find(|(_, size)| *size > LARGEST)
        {
            let what = Object::new(kind.into(), *id);
            let why = format!("{what} has {size} bytes, more than any such file");
            return Err(failed(Fault::new(Trouble::Wrong, why)));
        }
        Ok(listed.into_iter().map(|(id, size)| (id, small(size))).collect())
    }

    fn read_full(&self, kind: FileType, id: &Id) -> RusticResult<Bytes> {
        self.0.read(&object(kind, id), None).map_err(failed)
    }

    fn read_partial(
        &self,
        kind: FileType,
        id: &Id,
        _: bool,
        offset: u32,
        length: u32,
    ) -> RusticResult<Bytes> {
        if length == 0 {
            return Ok(Bytes::new());
        }
        let part = Part { offset: offset.into(), length: length.into() };
        self.0.read(&object(kind, id), Some(part)).map_err(failed)
    }

    fn warmup_path(&self, kind: FileType, id: &Id) -> String {
        object(kind, id).path()
    }
}

/// A file that is larger than a repository's can be is as wrong as the largest one.
fn small(size: u64) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

impl<S: Store> WriteBackend for Backend<S> {
    fn create(&self) -> RusticResult<()> {
        self.0.make().map_err(failed)
    }

    fn write_bytes(
        &self,
        kind: FileType,
        id: &Id,
        _: bool,
        content: BytesList,
    ) -> RusticResult<()> {
        self.0.write(&object(kind, id), content.slice()).map_err(failed)
    }

    fn remove(&self, kind: FileType, id: &Id, _: bool) -> RusticResult<()> {
        self.0.remove(&object(kind, id)).map_err(failed)
    }
}
