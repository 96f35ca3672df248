//! The development journal on the command line: the same entries with and without a daemon, linked to
//! what exists, harmless on a terminal and in a wiki.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::watch::{Watch, vigie};

const CONFIG: &str = "[stack]\nname = \"x\"\nruntime = \"process\"\n\
    [service.gmod]\nrole = \"game\"\ncommand = [\"true\"]\n";

/// A stack's directory, in which nothing runs.
struct Place(tempfile::TempDir);

impl Place {
    fn new(extra: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let text = CONFIG.replacen("[service", &format!("{extra}[service"), 1);
        std::fs::write(directory.path().join("vigie.toml"), text).unwrap();
        Self(directory)
    }

    fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let output = vigie().args(words).current_dir(self.0.path()).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    }

    fn done(&self, words: &[&str]) -> String {
        let (code, text) = self.run(words);
        assert_eq!(code, Some(0), "{words:?}: {text}");
        text
    }

    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.done(words)).unwrap()
    }

    fn git(&self, words: &[&str]) -> String {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=zoe", "-c", "user.email=zoe@localhost"]);
        git.args(["-c", "commit.gpgsign=false"]).args(words);
        let output = git.current_dir(self.0.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn watch(&self) -> Watch {
        let watch = Watch::beside(self.0.path());
        let end = Instant::now() + Duration::from_secs(30);
        while self.run(&["status", "--json"]).0 == Some(3) {
            assert!(Instant::now() < end, "{}", watch.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        watch
    }

    fn writes_no_state(&self) -> bool {
        !self.0.path().join(".vigie").exists()
    }
}

#[test]
fn entries_are_the_same_with_and_without_a_daemon() {
    let place = Place::new("");
    assert_eq!(place.done(&["journal", "show"]).trim(), "the journal is empty");
    assert!(place.writes_no_state());
    let told = place.done(&["journal", "add", "The map is", "back", "--by", "zoe"]);
    assert_eq!(told.trim(), "entry 1 written");
    let mut watch = place.watch();
    place.done(&["incident", "report", "--service", "gmod", "--severity", "P3", "shop empty"]);
    let told = place.done(&["journal", "add", "The shop's table, see #1", "--by", "zoe"]);
    assert_eq!(told.trim(), "entry 2 written");
    let with = place.json(&["journal", "show", "--json"]);
    watch.kill();
    assert_eq!(with, place.json(&["journal", "show", "--json"]));
    assert_eq!(with[0]["incidents"], json!([1]), "the newest comes first: {with:#}");
    assert_eq!((&with[1]["text"], &with[1]["by"]), (&"The map is back".into(), &"zoe".into()));
    place.done(&["journal", "add", "Again", "--incident", "1", "--by", "anna"]);
    let about = place.json(&["journal", "show", "--incident", "1", "--json"]);
    let numbers: Vec<_> = about.as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(numbers, [3, 2]);
    let shown = place.json(&["incident", "show", "1", "--json"]);
    assert_eq!(shown["journal"], about);
    let text = place.done(&["incident", "show", "1"]);
    assert!(text.contains("\nJournal\nentry 3  ") && text.contains("    Again\n"), "{text}");
    assert_eq!(
        place.done(&["journal", "show", "--since", "2000-01-01"]).matches("entry ").count(),
        3
    );
    assert_eq!(place.done(&["journal", "show", "--since", "2999-01-01"]).trim(), "no such entry");
}

#[test]
fn only_what_exists_is_linked() {
    let place = Place::new("");
    for (words, why) in [
        (&["see #7"][..], "there is no incident #7 to link to; try: vigie incident list"),
        (&["x", "--incident", "7"], "there is no incident #7 to link to"),
        (&["  "], "an entry of the journal needs a text"),
        (&["x", "--commit"], "is in no git repository; leave out --commit"),
    ] {
        for more in [&["--dry-run"][..], &[]] {
            let (code, text) = place.run(&[&["journal", "add"], words, more].concat());
            assert_eq!(code, Some(2), "{words:?}: {text}");
            assert!(text.contains(why), "{words:?}: {text}");
        }
    }
    assert_eq!(place.run(&["journal", "show", "--incident", "7"]).0, Some(2));
    let _watch = place.watch();
    let (code, text) = place.run(&["journal", "add", "see #7"]);
    assert_eq!(code, Some(2), "the daemon says the same: {text}");
    assert!(text.contains("there is no incident #7 to link to"), "{text}");
    assert_eq!(place.json(&["journal", "show", "--json"]), json!([]));
}

#[test]
fn a_commit_is_kept_by_its_hash_and_subject() {
    let place = Place::new("");
    place.git(&["init", "-q"]);
    let (code, text) = place.run(&["journal", "add", "x", "--commit"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("`HEAD` is no commit of the repository of"), "{text}");
    place.git(&["commit", "-q", "--allow-empty", "-m", "Use the 64-bit\tmodule \u{1b}[2Jnow"]);
    let first = place.git(&["rev-parse", "--short", "HEAD"]);
    place.git(&["commit", "-q", "--allow-empty", "-m", "Second"]);
    let text = place.done(&["journal", "add", "x", "--commit", "HEAD~1", "--dry-run"]);
    assert!(text.contains(&format!("commit {first} Use the 64-bit module [2Jnow")), "{text}");
    assert!(place.writes_no_state(), "a dry run writes nothing");
    place.done(&["journal", "add", "x", "--commit", "--commit=HEAD~1"]);
    let shown = place.json(&["journal", "show", "--json"]);
    assert_eq!(shown[0]["commits"][0]["subject"], "Second");
    assert_eq!(shown[0]["commits"][1]["hash"], first.as_str());
    for revision in ["nope", "--all", "HEAD^{tree}", ""] {
        let commit = format!("--commit={revision}");
        let (code, text) = place.run(&["journal", "add", "x", &commit]);
        assert_eq!(code, Some(2), "{revision}: {text}");
    }
}

#[test]
fn hostile_text_is_harmless_where_it_is_shown() {
    let place = Place::new("lang = \"fr\"\n");
    let mut add = vigie()
        .args(["journal", "add", "-", "--by", "z\u{202e}o\u{1b}[2Je"])
        .current_dir(place.0.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text = "# one\u{1b}]0;x\u{7}\r\n\r\n<b>two</b>\u{9b}2J\n";
    add.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = add.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "entrée 1 écrite");
    let shown = place.done(&["journal", "show"]);
    assert!(!shown.contains(|c: char| c != '\n' && c.is_control() || c == '\u{202e}'), "{shown:?}");
    assert!(shown.starts_with("entrée 1  ") && shown.contains("    # one]0;x\n"), "{shown}");
    let markdown = place.done(&["journal", "show", "--markdown"]);
    let body = "\\# one\\]0;x\n\n\\<b\\>two\\</b\\>2J\n";
    assert!(markdown.starts_with("### Entrée 1, ") && markdown.ends_with(body), "{markdown}");
    let long = "x".repeat(17 * 1024);
    let (code, text) = place.run(&["journal", "add", &long]);
    assert_eq!((code, text.contains("au plus 16 Kio")), (Some(2), true), "{text}");
}

#[test]
fn a_journal_of_before_entries_gets_them() {
    let place = Place::new("");
    place.done(&["journal", "add", "One"]);
    let journal = Path::new(place.0.path()).join(".vigie/journal.db");
    let connection = rusqlite::Connection::open(journal).unwrap();
    let earlier = "DROP TABLE entry; DROP TABLE entry_about; DELETE FROM record; \
                   DELETE FROM snapshot; PRAGMA user_version = 3;";
    connection.execute_batch(earlier).unwrap();
    drop(connection);
    assert_eq!(place.done(&["journal", "show"]).trim(), "the journal is empty");
    assert_eq!(place.done(&["journal", "add", "First"]).trim(), "entry 1 written");
}

/// What is in the journal is told on channels and in post-mortems: a secret is taken out before.
#[test]
fn a_secret_that_somebody_types_is_not_kept() {
    let place = Place::new("");
    std::fs::write(place.0.path().join(".env"), "RCON_PASSWORD=hunter2hunter2\n").unwrap();
    let table = "#,Incident,Resolution\n1,Black map,set hunter2hunter2 again\n";
    std::fs::write(place.0.path().join("more.csv"), table).unwrap();
    // Without a daemon, then with one.
    place.done(&["journal", "add", "now hunter2hunter2"]);
    place.done(&["incident", "import", "more.csv"]);
    let _watch = place.watch();
    place.done(&["journal", "add", "was hunter2hunter2"]);
    place.done(&["incident", "report", "no hunter2hunter2", "--severity", "P3"]);
    place.done(&["incident", "note", "1", "it is hunter2hunter2"]);
    for words in [
        &["journal", "show", "--json"][..],
        &["incident", "show", "1", "--json"],
        &["incident", "known", "--json"],
    ] {
        let text = place.done(words);
        assert!(text.contains("••••") && !text.contains("hunter2"), "{text}");
    }
    place.done(&["incident", "note", "1", "one\ntwo", "--by", " "]);
    let shown = place.done(&["incident", "show", "1"]);
    assert!(shown.contains(": one two") && !shown.contains("note by  "), "{shown}");
    let long = "x".repeat(70_000);
    let (code, text) = place.run(&["incident", "note", "1", &long]);
    assert_eq!((code, text.contains("more than 16 KiB")), (Some(2), true), "{text}");
    for words in [&["report", ""][..], &["note", "1", " "]] {
        let (code, text) = place.run(&[&["incident"], words].concat());
        assert_eq!((code, text.contains("needs a text")), (Some(2), true), "{text}");
    }
}
