//! Does: keeps as a stream what somebody writes, while it is written. It holds a few pieces in memory and
//! never more.

use std::io::{BufWriter, Result as IoResult, Write};

use bytes::Bytes;
use tokio::sync::mpsc;
use vigie_backup::{Error, Repository, Stored};

use super::super::keep::{Pieces, WAITING};

/// Bytes that go on at once.
const PIECE: usize = 256 << 10;

/// Where it is written to.
pub(super) type Outlet = BufWriter<Pipe>;

/// The end of a pipe.
pub(super) struct Pipe(mpsc::Sender<Bytes>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        let given = self.0.blocking_send(Bytes::copy_from_slice(bytes));
        let broken = |_| std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        given.map(|()| bytes.len()).map_err(broken)
    }

    fn flush(&mut self) -> IoResult<()> {
        Ok(())
    }
}

/// Keeps what `produce` writes as the one file `name`. When it fails, nothing of it is kept.
///
/// # Errors
/// What the repository says, or `produce`.
pub(super) fn put(
    repository: &Repository,
    label: &str,
    tags: &str,
    name: &str,
    produce: impl FnOnce(&mut Outlet) -> Result<(), String>,
) -> Result<Stored, Error> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let keeping = scope.spawn(move || {
            repository.put_stream(label, tags, name, Pieces::of(receiver), || {
                told.recv().unwrap_or_else(|_| Err(String::from("it was given up")))
            })
        });
        let mut outlet = BufWriter::with_capacity(PIECE, Pipe(sender));
        let done = produce(&mut outlet);
        let done = done.and_then(|()| outlet.flush().map_err(|error| error.to_string()));
        let _ = tell.send(done);
        drop(outlet);
        let failed = |_| {
            Err(Error::Repository(repository.place(), String::from("the backup of a layer failed")))
        };
        keeping.join().unwrap_or_else(failed)
    })
}
