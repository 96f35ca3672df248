//! `kill -9` at any moment of any work: the repositories stay sound, what was reported as kept is there,
//! nobody's lock is in the way, and what was half done is gone on with.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::sites::noise;
use crate::lab::restic;
use crate::*;

const PASSWORD: &str = "a password";
/// Where the process that is killed works; it is not for anybody else.
const AT: &str = "VIGIE_BACKUP_KILLED_AT";
/// The work that it begins with.
const BEGINS: &str = "VIGIE_BACKUP_KILLED_BEGINS";
/// Kills in all.
const KILLS: u32 = 120;

fn open(at: &Path, name: &str) -> Repository {
    Repository::open_with_key(&Site::Local(at.join(name)), &at.join(format!("{name}.key")))
}

/// What the process that is killed does, in this order.
const WORKS: [&str; 5] = ["tree", "stream", "copy", "prune", "get"];
/// Milliseconds within which each is killed: about as long as it takes.
const TAKES: [u64; 5] = [90, 60, 60, 500, 25];

/// Says what is done; the other side reads it when this process is dead.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "DONE {line}").unwrap();
    out.flush().unwrap();
}

/// The process that is killed: works until then, in a different order each time.
#[test]
#[ignore = "the process that `whatever_is_killed_nothing_is_lost` starts and kills"]
fn works_until_it_is_killed() {
    let at = PathBuf::from(std::env::var_os(AT).expect("only the other test starts this"));
    let (first, second) = (open(&at, "first"), open(&at, "second"));
    let begins: u32 = std::env::var(BEGINS).unwrap().parse().unwrap();
    say("ready");
    // The work to begin with is asked for; what it works on is another each time.
    let mut round = (std::process::id() % 100_000) * 5 + begins;
    loop {
        let tag = format!("t{round}");
        say(&format!("begin {}", WORKS[(round % 5) as usize]));
        match round % 5 {
            0 => {
                let tree = at.join("tree");
                let size = 10_000 + (round % 90) as usize * 9_973;
                std::fs::write(tree.join(format!("f{}", round % 7)), noise(size)).unwrap();
                let stored = first.put_tree("volume", &tag, &tree).unwrap();
                say(&format!("put {}", stored.id));
            }
            1 => {
                let dump = std::io::Cursor::new(noise(50_000 + (round % 50) as usize * 7_919));
                let stored =
                    first.put_stream("database", &tag, "dump.sql", dump, || Ok(())).unwrap();
                say(&format!("put {}", stored.id));
            }
            2 => {
                first.copy_to(&second).unwrap();
                say("copied");
            }
            3 => {
                // The oldest goes when there are more than a few; and sometimes what only it needed.
                let all = first.snapshots().unwrap();
                let old: Vec<_> = all.iter().rev().skip(6).map(|(id, _, _)| id.clone()).collect();
                for id in &old {
                    say(&format!("forgetting {id}"));
                }
                first.forget(&old).unwrap();
                first.prune().unwrap();
                second.prune_with(Writers::Any).unwrap();
                say("pruned");
            }
            _ => {
                let back = at.join("back");
                let _ = std::fs::remove_dir_all(&back);
                if let Some((id, _, _)) = first.snapshots().unwrap().last() {
                    first.get_tree(id, &back).unwrap();
                }
                say("got");
            }
        }
        round += 1;
    }
}

/// What a killed process had said.
#[derive(Default)]
struct Said {
    kept: BTreeSet<String>,
    forgotten: BTreeSet<String>,
    works: u32,
    /// What was begun and not ended.
    begun: Option<String>,
    /// How often each was in the middle when it was killed.
    interrupted: BTreeMap<String, u32>,
}

impl Said {
    fn hear(&mut self, line: &str) {
        // The test runner may have begun the line.
        let Some((_, line)) = line.split_once("DONE ") else { return };
        if let Some(work) = line.strip_prefix("begin ") {
            self.begun = Some(work.to_owned());
            return;
        }
        if let Some(id) = line.strip_prefix("forgetting ") {
            self.forgotten.insert(id.to_owned());
            return;
        }
        if let Some(id) = line.strip_prefix("put ") {
            self.kept.insert(id.to_owned());
        }
        self.begun = None;
        self.works += 1;
    }
}

fn killed_after(at: &Path, work: usize, work_is_done: bool, wait: Duration, said: &mut Said) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "tests::kill::works_until_it_is_killed", "--ignored", "--nocapture"]);
    command
        .env(AT, at)
        .env(BEGINS, work.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (out, mut errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let mut lines = BufReader::new(out).lines();
    let ready = lines.by_ref().map(Result::unwrap).find(|line| line.contains("DONE ready"));
    assert!(ready.is_some(), "it did not start");
    // Every third ends its first work, however slow the machine is.
    let before = said.works;
    while work_is_done && said.works == before {
        said.hear(&lines.next().expect("it works until it is killed").unwrap());
    }
    std::thread::sleep(wait);
    child.kill().unwrap();
    let status = child.wait().unwrap();
    for line in lines {
        said.hear(&line.unwrap());
    }
    if let Some(work) = said.begun.take() {
        *said.interrupted.entry(work).or_default() += 1;
    }
    let mut text = String::new();
    std::io::Read::read_to_string(&mut errors, &mut text).unwrap();
    // It only ends when it is killed: what it found, after others were, was always in order.
    assert_eq!(status.code(), None, "{text}");
}

fn names(repository: &Repository) -> BTreeSet<String> {
    repository.snapshots().unwrap().into_iter().map(|(id, _, _)| id).collect()
}

#[test]
fn whatever_is_killed_nothing_is_lost() {
    let kept = tempfile::tempdir().unwrap();
    let at = kept.path();
    std::fs::create_dir(at.join("tree")).unwrap();
    let first = Repository::create(&at.join("first"), PASSWORD).unwrap();
    let second = Site::Local(at.join("second"));
    let second = first.create_like(&second, &Access::default(), PASSWORD).unwrap();
    first.keep_key(&at.join("first.key"));
    second.keep_key(&at.join("second.key"));
    let mut said = Said::default();
    for kill in 0..KILLS {
        // Anywhere in this work, or in the next.
        let work = kill as usize % WORKS.len();
        let wait = Duration::from_millis(u64::from(kill) * 7_919 % TAKES[work]);
        killed_after(at, work, kill % 3 == 2, wait, &mut said);
        if kill % 10 == 9 {
            sound(&first, &said);
            assert!(second.verify(100).unwrap().is_sound());
        }
    }
    sound(&first, &said);
    // Each was killed in the middle, and much of it was done.
    for work in WORKS {
        let times = said.interrupted.get(work).copied().unwrap_or(0);
        assert!(times > 0, "{work}: {times} of {:?}", said.interrupted);
    }
    println!("interrupted {:?}, done {}", said.interrupted, said.works);
    assert!(said.works >= KILLS / 3, "{} works were done", said.works);
    assert!(said.kept.len() > 5, "{} kept", said.kept.len());
    first.copy_to(&second).unwrap();
    for repository in [&first, &second] {
        repository.prune().unwrap();
        assert!(repository.verify(100).unwrap().is_sound());
        assert_eq!(repository.verify(0).unwrap().unneeded, 0, "everything killed was cleaned up");
    }
    assert!(names(&second).len() >= names(&first).len());
    for name in ["first", "second"] {
        assert_eq!(std::fs::read_dir(at.join(name).join("locks")).unwrap().count(), 0);
        restic::agrees(&at.join(name), "repositories whose writers were killed");
    }
}

fn sound(repository: &Repository, said: &Said) {
    let found = repository.verify(100).unwrap();
    assert!(found.is_sound(), "{found}");
    let there = names(repository);
    for id in said.kept.difference(&said.forgotten) {
        assert!(there.contains(id), "{id} was reported as kept");
    }
    for id in there.iter().take(2) {
        let back = tempfile::tempdir().unwrap();
        repository.get_tree(id, &back.path().join("back")).unwrap();
    }
}
