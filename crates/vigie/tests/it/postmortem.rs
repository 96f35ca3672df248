//! Post-mortems from a real crash to git: written once when a P1 is closed, edited in the person's
//! editor, their actions read from the file, ticked, and told when they are due.
#![expect(clippy::disallowed_methods, reason = "a test runs git as a person would")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use vigie_testkit::chat::Discord;

use crate::notify::Place;
use crate::survival::restored;
use crate::watch::{Watch, vigie};

fn run(directory: &Path, env: &[(&str, &Path)], arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = vigie();
    command.envs(env.iter().copied()).args(arguments).current_dir(directory);
    let output: Output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@localhost"]).args(arguments);
    let output = command.current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The only post-mortem.
fn paper(directory: &Path) -> PathBuf {
    let found: Vec<_> = std::fs::read_dir(directory.join("postmortems")).unwrap().collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap().unwrap().path()
}

/// An editor that does what the script says to the file `$1`.
fn editor(directory: &Path, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = directory.join("editor.sh");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn crashed(place: &Place) -> Watch {
    let watch = place.watch();
    place.crash();
    watch.wait_for("repair", 40, restored);
    watch
}

#[test]
fn closing_a_p1_writes_it_once_and_people_make_it_theirs() {
    let place = Place::new("[postmortem]\ncommit = true", "");
    let here = place.directory.path();
    git(here, &["init", "--quiet"]);
    git(here, &["config", "user.name", "t"]);
    git(here, &["config", "user.email", "t@localhost"]);
    std::fs::write(here.join("other.txt"), "x").unwrap();
    git(here, &["add", "other.txt"]);
    let watch = crashed(&place);
    let (code, text) = run(here, &[], &["incident", "postmortem", "1", "--dry-run"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("# Post-mortem of incident 1: gmod is exited"), "{text}");
    assert!(
        text.contains("not E: it is exited, not running")
            && text.contains("* 0 players were there before it"),
        "{text}"
    );
    assert!(!here.join("postmortems").exists(), "a dry run writes nothing");

    let (code, text) = run(here, &[], &["incident", "close", "1", "--by", "eve"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("post-mortem written: ") && text.contains("committed: Post-mortem"),
        "{text}"
    );
    let path = paper(here);
    let first = std::fs::read_to_string(&path).unwrap();
    assert!(first.contains("case A") && first.contains("closed by eve"), "{first}");
    // What somebody had staged is not in the commit.
    let files = git(here, &["show", "--name-only", "--format=%s", "HEAD"]);
    assert!(files.contains("incident-1.md") && !files.contains("other.txt"), "{files}");

    let (code, text) = run(here, &[], &["incident", "postmortem", "1"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("stays as it is") && text.contains("git has it already"), "{text}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), first);

    let script = editor(here, "sed -i 's/owner: TODO/owner: Eve/' \"$1\"");
    let env = [("VISUAL", script.as_path())];
    let (code, text) = run(here, &env, &["incident", "postmortem", "1", "--edit"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("without an owner or a day: 0") && text.contains("committed: "),
        "{text}"
    );
    let (code, text) = run(here, &[], &["action", "list"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("1.1") && text.contains("Eve"), "{text}");
    drop(watch);
}

#[test]
fn actions_are_ticked_added_and_told_when_they_are_due() {
    let discord = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let server = discord.block_on(Discord::start()).unwrap();
    // Every minute, so that the test need not wait for a Monday.
    let config =
        "[notify.discord]\nurl = { env = \"DISCORD_URL\" }\n[postmortem]\nremind = \"* * * * *\"";
    let place = Place::new(config, &format!("DISCORD_URL={}", server.url()));
    let here = place.directory.path();
    let watch = crashed(&place);
    let (code, text) = run(here, &[], &["action", "add", "1", "look", "again"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("vigie incident postmortem 1"), "{text}");
    let (code, text) = run(here, &[], &["incident", "postmortem", "1", "--lang", "fr"]);
    assert_eq!(code, Some(0), "{text}");
    let add = ["action", "add", "1", "look", "again", "--owner", "Eve", "--due", "2020-01-01"];
    let (code, text) = run(here, &[], &[&add[..], &["--dry-run"]].concat());
    assert_eq!((code, text.contains("would add 1.")), (Some(0), true), "{text}");
    assert_eq!(run(here, &[], &add).0, Some(0));
    let listed: serde_json::Value = watch.json(&["action", "list", "--json"]);
    let late = &listed[0];
    assert_eq!(late["text"], "look again");
    assert_eq!((&late["owner"], &late["late"]), (&"Eve".into(), &true.into()));
    let id = late["id"].as_str().unwrap().to_owned();

    let end = Instant::now() + Duration::from_secs(100);
    let told = || {
        let seen = server.seen();
        seen.iter().any(|one| one.body.to_string().contains("look again (Eve, 2020-01-01)"))
    };
    while !told() {
        assert!(Instant::now() < end, "nobody was reminded: {}", watch.log());
        std::thread::sleep(Duration::from_millis(200));
    }

    let (code, text) = run(here, &[], &["action", "done", &id, "--dry-run"]);
    assert_eq!((code, text.contains("would tick")), (Some(0), true), "{text}");
    assert_eq!(run(here, &[], &["action", "done", &id]).0, Some(0));
    let open: serde_json::Value = watch.json(&["action", "list", "--json"]);
    assert!(open.as_array().unwrap().iter().all(|one| one["id"] != id.as_str()), "{open}");
    let copy = here.join("postmortems/copy.md");
    std::fs::copy(paper(here), &copy).unwrap();
    let (code, text) = run(here, &[], &["action", "done", "1.1"]);
    assert_eq!((code, text.contains("1.1 is in ")), (Some(2), true), "{text}");
    std::fs::remove_file(&copy).unwrap();
    let (code, text) = run(here, &[], &["action", "done", "9.9"]);
    assert_eq!((code, text.contains("vigie action list")), (Some(2), true), "{text}");
    let all: serde_json::Value = watch.json(&["action", "list", "--all", "--json"]);
    assert!(all.as_array().unwrap().iter().any(|one| one["id"] == id.as_str()), "{all}");
}

#[test]
fn what_lasts_has_no_post_mortem_and_a_missing_editor_is_told() {
    let place = Place::new("", "");
    let here = place.directory.path();
    let watch = place.watch();
    assert_eq!(
        watch.run(&["incident", "report", "players", "fall", "through"]).status.code(),
        Some(0)
    );
    let (code, text) = run(here, &[], &["incident", "postmortem", "1"]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("vigie incident resolve 1"), "{text}");
    assert_eq!(watch.run(&["incident", "resolve", "1"]).status.code(), Some(0));
    let env = [("VISUAL", Path::new("no-such-editor"))];
    let (code, text) = run(here, &env, &["incident", "postmortem", "1", "--edit"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("set EDITOR, or open "), "{text}");
    let written = std::fs::read_to_string(paper(here)).unwrap();
    assert!(written.contains("No detector saw it; a person reported it."), "{written}");
    let (code, text) = run(here, &[], &["incident", "postmortem", "7"]);
    assert_eq!((code, text.contains("vigie incident list")), (Some(2), true), "{text}");
    let (code, text) = run(here, &[], &["incident", "postmortem", "--template", "--lang", "fr"]);
    assert_eq!((code, text.contains("## Chronologie")), (Some(0), true), "{text}");
}

#[test]
fn a_p2_gets_its_post_mortem_too_and_a_p3_when_it_is_wanted() {
    let place = Place::new("", "");
    let here = place.directory.path();
    let _watch = place.watch();
    for (number, severity) in [("1", "P2"), ("2", "P3")] {
        let report = ["incident", "report", "the shop is empty", "--severity", severity];
        assert_eq!(run(here, &[], &report).0, Some(0));
        assert_eq!(run(here, &[], &["incident", "resolve", number]).0, Some(0));
        let (code, text) = run(here, &[], &["incident", "close", number]);
        let written = text.contains("post-mortem written: ");
        assert_eq!((code, written), (Some(0), severity == "P2"), "{text}");
    }
    let (code, text) = run(here, &[], &["incident", "postmortem", "2"]);
    assert_eq!((code, text.contains("post-mortem written: ")), (Some(0), true), "{text}");
}
