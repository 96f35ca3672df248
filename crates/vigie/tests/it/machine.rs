//! What the machine does to vigie: a clock that jumps, a disk that is full.

use std::time::Duration;

use serde_json::Value;
use vigie_testkit::lab::{Restart, Stack, docker_or_skip, skip};

use crate::survival::{READY, ready, restored};
use crate::watch::Watch;

/// The library that lets a program see another time, wherever this Debian keeps it.
fn faketime() -> Option<std::path::PathBuf> {
    let directories =
        std::fs::read_dir("/usr/lib").ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut libraries = directories.map(|directory| directory.join("faketime/libfaketime.so.1"));
    libraries.find(|library| library.exists())
}

#[test]
fn a_clock_that_jumps_back_an_hour_is_said_and_changes_nothing() {
    let Some(lab) = docker_or_skip("a clock that jumps back") else { return };
    let Some(library) = faketime() else {
        return skip("faketime", "a clock that jumps back", "the package is not installed");
    };
    let spec = lab.stack("it-clock").unwrap().boot("1s").restart(Restart::No);
    let stack = lab.start(spec).unwrap();
    ready(&stack);
    let time = stack.dir().join("time");
    std::fs::write(&time, "+0\n").unwrap();
    let yes = std::path::Path::new("1");
    let mut watch = Watch::on(&stack, "").with_env(&[
        ("LD_PRELOAD", &library),
        ("FAKETIME_TIMESTAMP_FILE", &time),
        ("FAKETIME_NO_CACHE", yes),
        // As on a real machine: only the wall clock can be set.
        ("FAKETIME_DONT_FAKE_MONOTONIC", yes),
    ]);
    stack.crash_game().unwrap();
    watch.wait_for("repair before the jump", 60, restored);
    std::fs::write(&time, "-3600\n").unwrap();
    std::thread::sleep(Duration::from_secs(3));
    stack.crash_game().unwrap();
    let relapsed = |all: &[Value]| restored(all) && all[0]["runs"].as_array().unwrap().len() == 2;
    let incidents = watch.wait_for("repair after the jump", 60, relapsed);
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert!(watch.log().contains("clock jumped by -3"), "{}", watch.log());
    // And across a restart of vigie, where only the journal knows the time.
    watch.kill();
    watch.start_again();
    watch.wait_well();
    assert_eq!(watch.incidents().len(), 1);
    assert!(watch.lives());
}

/// A small file system of its own over a directory, gone with this value.
pub(crate) struct Small(std::path::PathBuf);

impl Small {
    fn over(directory: &std::path::Path) -> Option<Self> {
        Self::of(directory, "1m")
    }

    /// One of that size, as `mount` writes it.
    pub(crate) fn of(directory: &std::path::Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(directory).unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(directory);
        let done = mount.status().is_ok_and(|status| status.success());
        done.then(|| Self(directory.to_owned()))
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        use std::io::Write as _;
        let mut file = std::fs::File::create(self.0.join("ballast")).unwrap();
        while file.write_all(&[0; 512]).is_ok() {}
    }

    fn empty(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Waits until the game has booted so often, as its console shows.
fn wait_for_boots(stack: &Stack, watch: &Watch, count: usize) {
    let end = std::time::Instant::now() + Duration::from_secs(60);
    while stack.seen_on_console(READY).unwrap() < count {
        assert!(std::time::Instant::now() < end, "not repaired: {}", watch.log());
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_watch_begins_on_a_full_disk_too() {
    let Some(lab) = docker_or_skip("a start on a full disk") else { return };
    let spec = lab.stack("it-begin").unwrap().boot("1s").restart(Restart::No);
    let stack = lab.start(spec).unwrap();
    ready(&stack);
    let Some(disk) = Small::over(&stack.dir().join(".vigie")) else {
        return skip("mount", "a start on a full disk", "tmpfs cannot be mounted here");
    };
    let mut watch = Watch::on(&stack, "");
    stack.crash_game().unwrap();
    watch.wait_for("repair with room", 60, restored);
    watch.kill();
    // After a power cut on a full disk there is no room for the log either, and it was not emptied.
    let before = std::fs::read_dir(stack.dir().join(".vigie")).unwrap().count();
    disk.fill();
    watch.start_again();
    std::thread::sleep(Duration::from_secs(2));
    stack.crash_game().unwrap();
    wait_for_boots(&stack, &watch, 3);
    assert!(watch.lives(), "{}", watch.log());
    assert!(watch.log().contains("THE JOURNAL CANNOT BE WRITTEN"), "{}", watch.log());
    disk.empty();
    let both = |all: &[Value]| restored(all) && all[0]["runs"].as_array().unwrap().len() == 2;
    let incidents = watch.wait_for("both repairs in the journal", 60, both);
    assert_eq!(incidents.len(), 1, "the incident from before goes on: {incidents:#?}");
    assert!(before > 1, "there was a journal");
}

#[test]
fn a_closed_output_does_not_end_the_watch() {
    let Some(lab) = docker_or_skip("a watch whose output is closed") else { return };
    let spec = lab.stack("it-pipe").unwrap().boot("1s").restart(Restart::No);
    let stack = lab.start(spec).unwrap();
    ready(&stack);
    let mut watch = Watch::on(&stack, "").with_closed_output();
    stack.crash_game().unwrap();
    watch.wait_for("repair", 60, restored);
    assert!(watch.lives(), "{}", watch.log());
}

#[test]
fn a_full_disk_stops_neither_the_watch_nor_a_repair() {
    let Some(lab) = docker_or_skip("a journal on a full disk") else { return };
    let spec = lab.stack("it-full").unwrap().boot("1s").restart(Restart::No);
    let stack = lab.start(spec).unwrap();
    ready(&stack);
    let Some(disk) = Small::over(&stack.dir().join(".vigie")) else {
        return skip("mount", "a journal on a full disk", "tmpfs cannot be mounted here");
    };
    let mut watch = Watch::on(&stack, "");
    stack.crash_game().unwrap();
    watch.wait_for("repair with room", 60, restored);
    disk.fill();
    stack.crash_game().unwrap();
    wait_for_boots(&stack, &watch, 3);
    assert!(watch.lives());
    assert!(watch.log().contains("THE JOURNAL CANNOT BE WRITTEN"), "{}", watch.log());
    disk.empty();
    // What happened meanwhile was kept in memory, and nothing from before is lost.
    let both = |all: &[Value]| restored(all) && all[0]["runs"].as_array().unwrap().len() == 2;
    let incidents = watch.wait_for("both repairs in the journal", 60, both);
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    watch.kill();
    watch.start_again();
    watch.wait_well();
    assert!(both(&watch.incidents()));
}
