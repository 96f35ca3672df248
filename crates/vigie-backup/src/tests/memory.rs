//! Restores and copies take little memory, however well the data packs and however many threads there
//! are. Each runs in a process of its own: memory that was used once stays with its process.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::*;

const AT: &str = "VIGIE_BACKUP_MEASURED_AT";
/// Bytes of the tree.
const TREE: u64 = 192 << 20;
/// Megabytes at most. What `rustic_core` does alone takes several times that.
const MOST: u64 = 110;

fn open(at: &Path, name: &str) -> Repository {
    Repository::open_with_key(&Site::Local(at.join(name)), &at.join(format!("{name}.key")))
}

#[test]
#[ignore = "the process that `no_work_takes_much_memory` starts and measures"]
fn does_one_work() {
    let at = PathBuf::from(std::env::var_os(AT).expect("only the other test starts this"));
    let first = open(&at, "first");
    let id = first.snapshots().unwrap()[0].0.clone();
    let work = std::fs::read_to_string(at.join("work")).unwrap();
    match work.as_str() {
        "get" => first.get_tree(&id, &at.join("back")).unwrap(),
        "file" => first.get_file(&id, "f0", &mut std::io::sink()).unwrap(),
        "copy" => drop(first.copy_to(&open(&at, "second")).unwrap()),
        "verify" => assert!(first.verify(100).unwrap().is_sound()),
        other => panic!("{other}"),
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    std::fs::write(at.join("peak"), peak.trim().trim_end_matches(" kB")).unwrap();
}

#[test]
fn no_work_takes_much_memory() {
    let kept = tempfile::tempdir().unwrap();
    let at = kept.path();
    std::fs::create_dir(at.join("tree")).unwrap();
    for file in 0..8 {
        let made = std::fs::File::create(at.join(format!("tree/f{file}"))).unwrap();
        let mut made = std::io::BufWriter::new(made);
        let mut left = TREE / 8;
        let mut line = file * 100_000_000_u64;
        while left > 0 {
            // It packs to a fifth or so, as a dump does.
            let hash = line.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            let row = format!("INSERT INTO players VALUES ({line}, 'STEAM_0:1:{hash}', 'rank');\n");
            made.write_all(row.as_bytes()).unwrap();
            left = left.saturating_sub(row.len() as u64);
            line += 1;
        }
        made.flush().unwrap();
    }
    let first = Repository::create(&at.join("first"), "a password").unwrap();
    let second = Site::Local(at.join("second"));
    let second = first.create_like(&second, &Access::default(), "a password").unwrap();
    first.keep_key(&at.join("first.key"));
    second.keep_key(&at.join("second.key"));
    first.put_tree("tree", "one", &at.join("tree")).unwrap();
    for work in ["get", "file", "copy", "verify"] {
        std::fs::write(at.join("work"), work).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "tests::memory::does_one_work", "--ignored"]).env(AT, at);
        vigie_testkit::lab::run::quiet(&mut command).unwrap();
        let peak: u64 = std::fs::read_to_string(at.join("peak")).unwrap().parse().unwrap();
        println!("{work}: {} MB", peak / 1024);
        assert!(peak / 1024 < MOST, "{work} took {} MB", peak / 1024);
    }
    let file = |at: PathBuf| std::fs::read(at.join("f7")).unwrap();
    assert!(file(at.join("back")) == file(at.join("tree")));
}
