//! A disk that becomes full while a restore point is made: nothing half made is left, and the error
//! names the disk.

use std::collections::BTreeMap;
use std::io::Write as _;

use super::*;
use crate::machine::Small;

/// Every file below `root`, and its bytes. The repository's index is left out: what was removed from
/// the disk is removed from it too, by which it is another one that says the same.
fn below(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("repository/index") {
            assert!(path.read_dir().unwrap().next().is_some(), "there is one");
        } else if path.is_dir() {
            found.extend(below(&path));
        } else {
            found.insert(path.clone(), std::fs::read(path).unwrap());
        }
    }
    found
}

/// Bytes that nothing can make smaller.
fn noise(path: &Path, mebibytes: usize) {
    let mut random = std::fs::File::open("/dev/urandom").unwrap();
    let mut file = std::fs::File::create(path).unwrap();
    let mut piece = vec![0; 1 << 20];
    for _ in 0..mebibytes {
        std::io::Read::read_exact(&mut random, &mut piece).unwrap();
        file.write_all(&piece).unwrap();
    }
}

#[test]
fn a_disk_that_becomes_full_leaves_nothing_half_made() {
    const WHAT: &str = "a restore point on a disk that becomes full";
    let Some(lab) = docker_or_skip(WHAT) else { return };
    let (stack, images) = game_alone(&lab, "it-snapshot-full");
    let Some(_disk) = Small::of(&stack.dir().join(".vigie"), "48m") else {
        return skip("mount", WHAT, "tmpfs cannot be mounted here");
    };
    configure(&stack, "reserve = \"1MiB\"");
    let volume = volume(&stack);
    noise(&volume.join("map"), 12);
    let map = std::fs::read(volume.join("map")).unwrap();
    fine(&stack, &["snapshot", "create", "v1.0-base"]);
    let points = stack.dir().join(".vigie/points");
    let before = (below(&points), tags(&images));

    // The estimate of a second point is a tenth of the volume, and this time all of it is new.
    noise(&volume.join("map"), 60);
    let (code, text) = run(&stack, &["snapshot", "create", "v1.1-too-much"]);
    assert_eq!(code, Some(1), "{text}");
    let disk = stack.dir().join(".vigie").canonicalize().unwrap();
    let told = format!("the disk at {} became full", disk.display());
    assert!(text.contains(&told) && text.contains("vigie snapshot prune"), "{text}");
    let after = (below(&points), tags(&images));
    assert_eq!(after.1, before.1, "the image's tag is gone again");
    let (old, new): (Vec<_>, Vec<_>) = (before.0.keys().collect(), after.0.keys().collect());
    assert_eq!(new, old);
    assert!(after.0 == before.0, "no file is another than before");

    noise(&volume.join("map"), 8);
    fine(&stack, &["snapshot", "create", "v1.1-fits"]);
    std::fs::write(volume.join("map"), "lost").unwrap();
    fine(&stack, &["snapshot", "rollback", "v1.1-fits", "--only", "volumes", "--yes"]);
    assert_eq!(std::fs::metadata(volume.join("map")).unwrap().len(), 8 << 20);
    // The point from before the full disk is whole.
    fine(&stack, &["snapshot", "rollback", "v1.0-base", "--only", "volumes", "--yes"]);
    assert!(std::fs::read(volume.join("map")).unwrap() == map, "byte for byte");
}
