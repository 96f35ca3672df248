//! A disk that becomes full in the middle of each work, at a site and at home.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use vigie_backup::Repository;
use vigie_testkit::lab::{docker_or_skip, skip};

use super::judge::{Judge, whole, write};
use super::{FILES, PASSWORD, configure, nothing_is_left, standing};
use crate::backup::{fine, run};
use crate::machine::Small;

const WHAT: &str = "works on backups on a full disk";

/// Takes all the room of a disk but so many bytes.
struct Ballast(PathBuf);

impl Ballast {
    fn leaving(disk: &Path, bytes: usize) -> Self {
        let path = disk.join("ballast");
        let mut file = std::fs::File::create(&path).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(bytes as u64)).unwrap();
        Self(path)
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Bytes that are left: a version has some 300,000.
const LEFT: [usize; 2] = [0, 90_000];

#[test]
fn a_site_whose_disk_becomes_full_stays_sound() {
    let Some(lab) = docker_or_skip(WHAT) else { return };
    let stack = standing(&lab, "it-killed-full");
    let (near, far) = (stack.dir().join("sites/near"), stack.dir().join("sites/far"));
    let disks = [Small::of(&near, "40m"), Small::of(&far, "40m")];
    if disks.iter().any(Option::is_none) {
        return skip("mount", WHAT, "tmpfs cannot be mounted here");
    }
    let sites = |name: &str| format!("[backup.site.{name}]\nlocal = \"sites/{name}/repo\"\n");
    configure(&stack, "near.toml", &sites("near"));
    configure(&stack, "vigie.toml", &(sites("near") + &sites("far")));
    let addons = stack.dir().join("addons");
    write(&addons, 1);
    fine(&stack, &["backup", "init"]);
    fine(&stack, &["backup", "run", FILES]);
    let mut judge = Judge::new(&near.join("repo"), &far.join("repo"));
    judge.listen();
    let mut failed = 0;
    for (round, left) in LEFT.into_iter().enumerate() {
        for (index, (disk, words)) in [
            (&near, &["--config", "near.toml", "backup", "run", FILES][..]),
            (&far, &["backup", "copy", "near", "far"]),
            (&near, &["backup", "prune", "--site", "near"]),
        ]
        .into_iter()
        .enumerate()
        {
            write(&addons, 100 + (round * 10 + index) as u64);
            if index > 0 {
                fine(&stack, &["--config", "near.toml", "backup", "run", FILES]);
            }
            let ballast = Ballast::leaving(disk, left);
            let (code, text) = run(&stack, words);
            assert!(matches!(code, Some(0 | 1)), "{words:?} with {left}: {code:?} {text}");
            assert!(code == Some(0) || text.contains("space") || text.contains("full"), "{text}");
            failed += u32::from(code == Some(1));
            drop(ballast);
            judge.looks(index == 2);
        }
    }
    assert!(failed >= 2, "only {failed} felt it");
    fine(&stack, &["backup", "run", FILES]);
    fine(&stack, &["backup", "prune"]);
    fine(&stack, &["backup", "verify"]);
    judge.looks(true);
    judge.has_no_locks();
    judge.restic_agrees();
    nothing_is_left(stack.dir());
    drop(disks);
}

#[test]
fn a_restore_and_a_drill_on_a_full_disk_change_nothing() {
    let Some(lab) = docker_or_skip(WHAT) else { return };
    let stack = standing(&lab, "it-killed-room");
    let (home, state) = (stack.dir().join("gamemodes"), stack.dir().join(".vigie"));
    let disks = [Small::of(&home, "4m"), Small::of(&state, "4m")];
    if disks.iter().any(Option::is_none) {
        return skip("mount", WHAT, "tmpfs cannot be mounted here");
    }
    let mode = home.join("darkrp");
    std::fs::create_dir(&mode).unwrap();
    write(&mode, 1);
    let site =
        "[backup.site.near]\nlocal = \"sites/near\"\n[backup.site.far]\nlocal = \"sites/far\"\n";
    configure(&stack, "vigie.toml", site);
    let asset = "files:gamemodes/darkrp";
    fine(&stack, &["backup", "init"]);
    fine(&stack, &["backup", "run", asset, "project"]);
    write(&mode, 2);
    let near = Repository::open(&stack.dir().join("sites/near"), PASSWORD).unwrap();
    let beside = home.join("beside");
    let to = beside.to_str().unwrap();
    for left in LEFT {
        for (disk, words) in [
            (&home, &["backup", "restore", asset, "--in-place", "--yes"][..]),
            (&home, &["backup", "restore", asset, "--to", to]),
            (&state, &["backup", "drill", asset]),
            (&state, &["backup", "run", "project"]),
        ] {
            let ballast = Ballast::leaving(disk, left);
            let (code, text) = run(&stack, words);
            drop(ballast);
            assert!(matches!(code, Some(0 | 1)), "{words:?} with {left}: {code:?} {text}");
            assert!(code == Some(0) || text.contains("space") || text.contains("full"), "{text}");
            assert!(whole(&mode).is_some(), "{words:?} with {left}: {text}");
            assert!(!beside.exists() || whole(&beside).is_some(), "half of it: {text}");
            let _ = std::fs::remove_dir_all(&beside);
            assert!(near.verify(100).unwrap().is_sound());
        }
    }
    fine(&stack, &["backup", "verify"]);
    let back = |version| {
        write(&mode, version);
        fine(&stack, &["backup", "run", asset, "project"]);
        write(&mode, version + 1);
        fine(&stack, &["backup", "restore", asset, "--in-place", "--yes"]);
        assert_eq!(whole(&mode), Some(version));
    };
    back(7);
    fine(&stack, &["backup", "drill", asset, "project"]);
    nothing_is_left(stack.dir());
    assert_eq!(std::fs::read_dir(&home).unwrap().count(), 1, "the room is given back");
    drop(disks);
}

#[test]
fn what_cannot_be_exchanged_stays_as_it_was() {
    let Some(lab) = docker_or_skip(WHAT) else { return };
    let stack = standing(&lab, "it-killed-mount");
    let addons = stack.dir().join("addons");
    configure(&stack, "vigie.toml", "[backup.site.near]\nlocal = \"sites/near\"\n");
    write(&addons, 1);
    fine(&stack, &["backup", "init"]);
    fine(&stack, &["backup", "run", FILES]);
    // A directory that is a disk of its own cannot change places with another.
    let Some(_disk) = Small::of(&addons, "4m") else {
        return skip("mount", WHAT, "tmpfs cannot be mounted here");
    };
    write(&addons, 2);
    let (code, text) = run(&stack, &["backup", "restore", FILES, "--in-place", "--yes"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("what was there before is in files:addons@"), "{text}");
    assert_eq!(whole(&addons), Some(2), "{text}");
    nothing_is_left(stack.dir());
}
