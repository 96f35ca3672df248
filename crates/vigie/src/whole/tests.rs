//! A file is there whole or is what it was, and stays whose it was.

use std::os::unix::fs::symlink;

use super::*;

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().mode() & 0o7777
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// A directory with one file in it, which others may read.
fn room() -> (tempfile::TempDir, PathBuf) {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("compose.yaml");
    std::fs::write(&file, "old").unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    (room, file)
}

fn entries(room: &Path) -> usize {
    std::fs::read_dir(room).unwrap().count()
}

#[test]
fn mode_and_owner_are_the_old_files() {
    let (room, file) = room();
    // Only root can prove that the owner stays; others prove that it is no error.
    let given = chown(&file, Some(1234), Some(1235)).is_ok();
    put(&file, b"new", Access::Kept(0o644)).unwrap();
    assert_eq!((text(&file).as_str(), mode(&file)), ("new", 0o640));
    let seen = file.metadata().unwrap();
    assert_eq!((seen.uid(), seen.gid()) == (1234, 1235), given);
    put(&file, b"newer", Access::Mode(0o600)).unwrap();
    assert_eq!((mode(&file), file.metadata().unwrap().uid() == 1234), (0o600, given));
    assert_eq!(entries(room.path()), 1, "no leftovers");
}

#[test]
fn a_new_file_has_the_mode_that_was_asked_and_its_directorys_owner() {
    let (room, _) = room();
    let given = chown(room.path(), Some(1234), Some(1235)).is_ok();
    let (kept, private) = (room.path().join("kept"), room.path().join("private"));
    put(&kept, b"x", Access::Kept(0o604)).unwrap();
    put(&private, b"x", Access::Private).unwrap();
    assert_eq!((mode(&kept), mode(&private)), (0o604, 0o600));
    assert_eq!(kept.metadata().unwrap().uid() == 1234, given);
    assert_ne!(private.metadata().unwrap().uid(), 1234);
}

#[test]
fn what_cannot_be_written_leaves_the_old_file() {
    let (room, file) = room();
    let mut draft = Draft::of(&file).unwrap();
    draft.write_all(b"half of it").unwrap();
    assert_eq!((text(&file).as_str(), entries(room.path())), ("old", 2));
    drop(draft);
    assert_eq!((text(&file).as_str(), entries(room.path())), ("old", 1));
    let nobody = room.path().join("is not there");
    put(&file, b"new", Access::Like(&nobody)).unwrap_err();
    assert_eq!((text(&file).as_str(), mode(&file), entries(room.path())), ("old", 0o640, 1));
    put(&nobody.join("file"), b"new", Access::Private).unwrap_err();
    // A directory is in its place: the last stroke fails.
    let taken = room.path().join("taken");
    std::fs::create_dir(&taken).unwrap();
    put(&taken, b"new", Access::Private).unwrap_err();
    assert_eq!(entries(room.path()), 2, "no leftovers");
}

#[test]
fn what_a_link_leads_to_is_replaced_and_one_that_leads_nowhere_is_refused() {
    let (room, file) = room();
    let link = room.path().join("link.yaml");
    symlink("compose.yaml", &link).unwrap();
    put(&link, b"new", Access::Kept(0o644)).unwrap();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!((text(&file).as_str(), mode(&file)), ("new", 0o640));
    std::fs::remove_file(&file).unwrap();
    let error = put(&link, b"new", Access::Kept(0o644)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    let error = put_new(&link, b"new", Access::Kept(0o644)).unwrap_err();
    assert_eq!((error.kind(), entries(room.path())), (io::ErrorKind::AlreadyExists, 1));
}

#[test]
fn what_is_there_is_not_overwritten_by_a_new_one() {
    let (room, file) = room();
    let error = put_new(&file, b"new", Access::Kept(0o644)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!((text(&file).as_str(), entries(room.path())), ("old", 1));
    put_new(&room.path().join("other"), b"new", Access::Like(&file)).unwrap();
    assert_eq!(mode(&room.path().join("other")), 0o640);
}

#[test]
fn extended_attributes_stay() {
    let (_room, file) = room();
    let all = rustix::fs::XattrFlags::empty();
    if rustix::fs::setxattr(&file, "user.vigie", b"kept", all).is_err() {
        let why = "the temporary directory's file system has none";
        return vigie_testkit::lab::skip("extended attributes", "a file that keeps them", why);
    }
    put(&file, b"new", Access::Kept(0o644)).unwrap();
    let mut value = [0_u8; 16];
    let length = rustix::fs::getxattr(&file, "user.vigie", &mut value[..]).unwrap();
    assert_eq!((&value[..length], text(&file).as_str()), (&b"kept"[..], "new"));
}
