//! Does: reads, writes and lists files over the file transfer protocol, with many requests under way,
//! because each waits for the line. It never keeps a connection.

use std::path::Path;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use openssh_sftp_client::error::SftpErrorKind;
use openssh_sftp_client::file::{File, TokioCompatFile};
use openssh_sftp_client::fs::Fs;
use openssh_sftp_client::{Error, Sftp};
use rustic_core::Id;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};

use crate::store::{Fault, PART, Part, Trouble, id};

/// Requests under way for one file, or for one list.
const AT_ONCE: usize = 32;
/// Every server takes a request of this size.
const CHUNK: u64 = 32 * 1024;

/// What an error of the protocol means.
pub(super) fn fault(what: &str, error: &Error) -> Fault {
    let trouble = match error {
        Error::SftpError(SftpErrorKind::NoSuchFile, _) => Trouble::Missing,
        Error::SftpError(SftpErrorKind::PermDenied, _) => Trouble::Refused,
        Error::SftpError(SftpErrorKind::OpUnsupported, _) => Trouble::Wrong,
        _ => Trouble::Passing,
    };
    Fault::new(trouble, format!("{what}: {}", crate::site::http::cause(error)))
}

/// Makes a directory and those above it.
pub(super) async fn make_all(fs: &mut Fs, path: &str) -> Result<(), Fault> {
    let mut missing = Vec::new();
    let mut at = Some(Path::new(path));
    while let Some(path) = at.filter(|path| !path.as_os_str().is_empty()) {
        if fs.metadata(path).await.is_ok() {
            break;
        }
        missing.push(path);
        at = path.parent();
    }
    for path in missing.into_iter().rev() {
        let made = fs.create_dir(path).await;
        // Another connection may have made it meanwhile.
        if let Err(error) = made
            && fs.metadata(path).await.is_err()
        {
            return Err(fault(&format!("making {}", path.display()), &error));
        }
    }
    Ok(())
}

/// The files of a directory, or of all directories in it.
pub(super) async fn list(sftp: &Sftp, path: &str, deep: bool) -> Result<Vec<(Id, u64)>, Fault> {
    let (mut found, inner) = one_directory(sftp, path).await?;
    if deep {
        let inner = inner.into_iter().map(|name| format!("{path}/{name}"));
        let listed = stream::iter(inner)
            .map(|path| async move { one_directory(sftp, &path).await })
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<_>>()
            .await?;
        found.extend(listed.into_iter().flat_map(|(files, _)| files));
    }
    Ok(found)
}

/// The files and the directories in a directory; one that is not there is empty.
async fn one_directory(sftp: &Sftp, path: &str) -> Result<(Vec<(Id, u64)>, Vec<String>), Fault> {
    let failed = |error| fault(&format!("listing {path}"), &error);
    let (mut files, mut inner) = (Vec::new(), Vec::new());
    let directory = match sftp.fs().open_dir(path).await.map_err(failed) {
        Err(fault) if fault.is_missing() => return Ok((files, inner)),
        opened => opened?,
    };
    let mut entries = std::pin::pin!(directory.read_dir());
    while let Some(entry) = entries.try_next().await.map_err(failed)? {
        let Some(name) = entry.filename().to_str() else { continue };
        match entry.file_type() {
            Some(kind) if kind.is_dir() && name != "." && name != ".." => {
                inner.push(name.to_owned());
            }
            Some(kind) if kind.is_file() => {
                files.extend(id(name).map(|id| (id, entry.metadata().len().unwrap_or(0))));
            }
            _ => {}
        }
    }
    Ok((files, inner))
}

/// Removes what is not whole in a directory.
pub(super) async fn sweep(sftp: &Sftp, path: &str) -> Result<(), Fault> {
    let failed = |error| fault(&format!("looking into {path}"), &error);
    let directory = sftp.fs().open_dir(path).await.map_err(failed)?;
    let mut entries = std::pin::pin!(directory.read_dir());
    while let Some(entry) = entries.try_next().await.map_err(failed)? {
        if entry.filename().to_str().is_some_and(|name| name.starts_with(PART)) {
            let part = Path::new(path).join(entry.filename());
            sftp.fs().remove_file(part).await.map_err(failed)?;
        }
    }
    Ok(())
}

/// Reads a file or a part of it.
pub(super) async fn read(
    sftp: &Sftp,
    what: &str,
    path: &str,
    part: Option<Part>,
) -> Result<Bytes, Fault> {
    let failed = |error| fault(what, &error);
    let file = sftp.open(path).await.map_err(failed)?;
    let size = file.clone().metadata().await.map_err(failed)?.len().unwrap_or(0);
    let (offset, length) = part.map_or((0, size), |part| (part.offset, part.length));
    if size.saturating_sub(offset) < length {
        let why = format!("{what}: {size} bytes are there, up to {} asked for", offset + length);
        return Err(Fault::new(Trouble::Short, why));
    }
    let mut content = BytesMut::with_capacity(usize::try_from(length).unwrap_or(0));
    {
        let chunks = (offset..offset + length).step_by(CHUNK as usize);
        let pieces = stream::iter(chunks)
            .map(|at| chunk(file.clone(), what, at, CHUNK.min(offset + length - at)))
            .buffered(AT_ONCE);
        let mut pieces = std::pin::pin!(pieces);
        while let Some(piece) = pieces.try_next().await? {
            content.extend_from_slice(&piece);
        }
    }
    file.close().await.map_err(failed)?;
    Ok(content.freeze())
}

/// Exactly this part of a file; servers may give less at a time.
async fn chunk(mut file: File, what: &str, at: u64, length: u64) -> Result<BytesMut, Fault> {
    let mut content = BytesMut::new();
    while (content.len() as u64) < length {
        let done = content.len() as u64;
        let sought = file.seek(std::io::SeekFrom::Start(at + done)).await;
        sought.map_err(|error| Fault::from_io(what, &error))?;
        let left = u32::try_from(length - done).unwrap_or(u32::MAX);
        match file.read(left, BytesMut::new()).await.map_err(|error| fault(what, &error))? {
            Some(more) if !more.is_empty() => content.extend_from_slice(&more),
            _ => return Err(Fault::new(Trouble::Short, format!("{what}: it ended too early"))),
        }
    }
    Ok(content)
}

/// Writes a file under the name `part`, and then gives it its own.
pub(super) async fn write(
    sftp: &Sftp,
    what: &str,
    path: &str,
    part: &str,
    content: &[Bytes],
) -> Result<(), Fault> {
    let failed = |error| fault(what, &error);
    let mut fs = sftp.fs();
    if let Err(fault) = fill(sftp, what, part, content).await {
        let _ = fs.remove_file(part).await;
        return Err(fault);
    }
    let Err(error) = fs.rename(part, path).await else { return Ok(()) };
    // The directory was not there, or the server does not rename over a file.
    let parent = Path::new(path).parent().unwrap_or(Path::new("")).to_string_lossy().into_owned();
    if fs.metadata(&parent).await.is_err() {
        make_all(&mut fs, &parent).await?;
    } else if fs.metadata(path).await.is_ok() {
        fs.remove_file(path).await.map_err(failed)?;
    } else {
        return Err(failed(error));
    }
    fs.rename(part, path).await.map_err(failed)
}

async fn fill(sftp: &Sftp, what: &str, part: &str, content: &[Bytes]) -> Result<(), Fault> {
    let failed = |error: Error| fault(what, &error);
    let file = sftp.create(part).await.map_err(failed)?;
    let mut syncing = file.clone();
    let mut writing = Box::pin(TokioCompatFile::new(file));
    for piece in content {
        let written = writing.write_all(piece).await;
        written.map_err(|error| Fault::from_io(what, &error))?;
    }
    let flushed = Pin::as_mut(&mut writing).flush().await;
    flushed.map_err(|error| Fault::from_io(what, &error))?;
    if sftp.support_fsync() {
        syncing.sync_all().await.map_err(failed)?;
    }
    let closed = Pin::as_mut(&mut writing).shutdown().await;
    closed.map_err(|error| Fault::from_io(what, &error))
}
