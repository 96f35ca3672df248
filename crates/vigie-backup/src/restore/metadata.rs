//! Does: sets what a snapshot knows of an entry beside its content. As root everything has to succeed;
//! anybody else cannot give away files, and gets what is theirs to have.

use std::io;
use std::path::Path;

use rustic_core::jiff::Timestamp;
use rustic_core::repofile::{Metadata, NodeType};
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, Timespec, Timestamps, Uid};

/// The bits of Go's file modes, which restic's format has, that are not where Unix has them.
const GO: [(u32, u32); 3] = [(1 << 23, 0o4000), (1 << 22, 0o2000), (1 << 20, 0o1000)];

/// Makes an entry that is neither a file nor a directory.
pub(super) fn make(at: &Path, kind: &NodeType) -> io::Result<()> {
    let (special, device) = match kind {
        NodeType::Symlink { .. } => return std::os::unix::fs::symlink(kind.to_link(), at),
        NodeType::Dev { device } => (FileType::BlockDevice, *device),
        NodeType::Chardev { device } => (FileType::CharacterDevice, *device),
        NodeType::Fifo => (FileType::Fifo, 0),
        NodeType::Socket => (FileType::Socket, 0),
        NodeType::File | NodeType::Dir => return Ok(()),
    };
    allowed(
        rustix::fs::mknodat(CWD, at, special, Mode::RUSR | Mode::WUSR, device).map_err(Into::into),
    )
}

/// Sets owner, mode, attributes and times.
pub(super) fn set(at: &Path, kind: &NodeType, meta: &Metadata) -> io::Result<()> {
    let is_link = matches!(kind, NodeType::Symlink { .. });
    if !is_link && std::fs::symlink_metadata(at).is_err() {
        // A device that nobody but root may make.
        return Ok(());
    }
    if meta.uid.is_some() || meta.gid.is_some() {
        let (uid, gid) = (meta.uid.map(Uid::from_raw), meta.gid.map(Gid::from_raw));
        let done = rustix::fs::chownat(CWD, at, uid, gid, AtFlags::SYMLINK_NOFOLLOW);
        allowed(done.map_err(Into::into))?;
    }
    if let Some(mode) = meta.mode.filter(|_| !is_link) {
        let special = GO.iter().filter(|(go, _)| mode & go != 0).map(|(_, unix)| unix);
        let mode = mode & 0o777 | special.sum::<u32>();
        // After the owner, since a new owner takes the special bits away.
        std::fs::set_permissions(at, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    }
    for attribute in &meta.extended_attributes {
        let value = attribute.value.as_deref().unwrap_or_default();
        match xattr::set(at, &attribute.name, value) {
            // Only a machine's own programs set the others, and not everybody may.
            Err(_) if !attribute.name.starts_with("user.") => {}
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            done => allowed(done)?,
        }
    }
    if let Some(changed) = meta.mtime {
        let last_modification = time(changed);
        let last_access = meta.atime.map_or(last_modification, time);
        let times = Timestamps { last_access, last_modification };
        rustix::fs::utimensat(CWD, at, &times, AtFlags::SYMLINK_NOFOLLOW)?;
    }
    Ok(())
}

fn time(at: Timestamp) -> Timespec {
    let nanos = at.as_nanosecond();
    Timespec {
        tv_sec: i64::try_from(nanos.div_euclid(1_000_000_000)).unwrap_or(0),
        tv_nsec: i64::try_from(nanos.rem_euclid(1_000_000_000)).unwrap_or(0),
    }
}

/// What nobody but root may do is no fault of anybody else.
fn allowed(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error)
            if error.kind() == io::ErrorKind::PermissionDenied
                && !rustix::process::geteuid().is_root() =>
        {
            Ok(())
        }
        done => done,
    }
}
