//! That nothing is missing, that nobody's words are touched, that it is quick.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use vigie_core::incident::Lifecycle;
use vigie_core::observe::RuntimeState;
use vigie_core::respond::{Runbook, Step};

use super::*;
use crate::config::BUILT_IN;

fn french(text: &str) -> String {
    say(text, Lang::Fr).into_owned()
}

fn core() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vigie-core")
}

#[test]
fn every_entry_is_a_sentence() {
    for (from, to) in french::SENTENCES {
        assert!(Template::parse(from, to).is_some(), "{from}");
    }
    let english: BTreeSet<_> = french::SENTENCES.iter().map(|(from, _)| from).collect();
    assert_eq!(english.len(), french::SENTENCES.len(), "one sentence stands there twice");
    let typography = [" :", " ;", " ?"].map(|mark| mark.trim_start().to_owned());
    for (_, to) in french::SENTENCES {
        for mark in &typography {
            let tight = to.match_indices(mark.as_str()).any(|(at, _)| !to[..at].ends_with(' '));
            assert!(!tight, "no space before `{mark}` in: {to}");
        }
    }
}

#[test]
fn sentences_are_said_in_french() {
    let said = [
        "gmod is exited, exit code 139",
        "gmod is exited; console: [S_API FAIL] gmod is exited",
        "it is exited, not running or restarting",
        "p1-unreachable case A: observe mode: case A would mark the stack degraded: mysql is \
         missing, then up mysql",
        "p2-database-down case C: refused by the guard: mysql is running and two proofs against it \
         are needed",
        "gmod is running, and vigie has never had an answer from the login and the port: check the \
         addresses in its configuration, and look at the server",
        "gmod differs from the compose file: it was not made by Compose, the tag a/b:1 now names \
         another image than the one that runs",
        "gmod differs from the compose file: the variable MAP is a instead of b, /srv/a is mounted at \
         /b instead of tmpfs, and 3 more differences, `docker compose up -d` would leave it as it is \
         and `vigie up` makes it afresh",
        "a step did not work (failed: no such image)",
        "rcon it: say the host is well",
        "a2s: no answer in time",
    ];
    let said: Vec<_> = said.map(|text| format!("{text}\n  {}", french(text))).into();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn what_is_no_sentence_stays_as_it_is() {
    for text in [
        "",
        "the host is well ",
        "Hello: the host is fine",
        "fix case A: call anna",
        "gmod is exited, exit code",
        "my game is exited",
        "gmod is nice",
    ] {
        assert_eq!(french(text), text);
    }
    assert_eq!(say("the host is well", Lang::En), "the host is well");
}

#[test]
fn a_command_that_looks_like_a_list_is_not_touched() {
    let plan = "observe mode: case A would up gmod, then rcon gmod: say hi, then stop mysql";
    assert_eq!(
        french(plan),
        "mode observe : le cas A ferait : démarrer gmod, puis commande RCON à gmod : say hi, then \
         stop mysql"
    );
}

#[test]
fn what_a_person_or_a_script_said_is_kept() {
    let said = "the host is well";
    assert_eq!(title(Group::Errors, said, Lang::Fr), said);
    assert_eq!(title(Group::HostMemory, said, Lang::Fr), "l'hôte va bien");
    let error = "gmod: 3 Lua errors a minute, a.lua:1: no answer in time";
    let french = "gmod : 3 erreurs Lua par minute, a.lua:1: no answer in time";
    assert_eq!(title(Group::Errors, error, Lang::Fr), french);
    assert_eq!(last_error("a.lua:1: no answer in time", Lang::Fr), "a.lua:1: no answer in time");
    assert_eq!(last_error("a2s: no answer in time", Lang::Fr), "a2s : pas de réponse à temps");
}

#[test]
fn every_word_is_there() {
    let states = [
        RuntimeState::Unknown,
        RuntimeState::Created,
        RuntimeState::Running,
        RuntimeState::Restarting,
        RuntimeState::Exited,
        RuntimeState::Paused,
        RuntimeState::Missing,
    ];
    let lives = [
        Lifecycle::Open,
        Lifecycle::Repairing,
        Lifecycle::Escalated,
        Lifecycle::Restored,
        Lifecycle::Resolved,
        Lifecycle::Closed,
    ];
    let words = states.map(RuntimeState::word).into_iter().chain(lives.map(Lifecycle::word));
    for english in words {
        assert_ne!(word(english, Lang::Fr), english);
    }
    for kind in SymptomKind::ALL {
        assert_ne!(symptom(kind, Lang::Fr), kind.word());
    }
}

#[test]
fn the_reasons_of_the_built_in_runbooks_are_there() {
    for (name, text) in BUILT_IN {
        let book: Runbook = toml::from_str(&format!("name = {name:?}\n{text}"))
            .or_else(|_| toml::from_str(text))
            .unwrap();
        for step in book.cases.iter().flat_map(|case| &case.steps) {
            assert_ne!(french(&step.describe("gmod")), step.describe("gmod"));
            if let Step::Escalate { reason } = step {
                assert_ne!(french(reason), *reason);
            }
        }
    }
}

/// What people read in the stories' timelines, in which the core's sentences stand as they are.
fn told(line: &str) -> Vec<String> {
    let behind = |mark: &str| line.split_once(mark).map(|(_, text)| text);
    let one = |text: Option<&str>| text.into_iter().map(str::to_owned).collect::<Vec<_>>();
    if line.trim_start().starts_with("incident #") {
        let title = behind(": ").and_then(|text| text.rsplit_once("; started "));
        return one(title.map(|(title, _)| title));
    }
    let Some((_, what)) = line.trim_start().split_once("  ") else { return Vec::new() };
    if what.starts_with(['>', '<']) {
        return Vec::new();
    }
    if let Some(step) = what.strip_prefix("=> ") {
        return if step.starts_with("abort") { Vec::new() } else { one(Some(step)) };
    }
    if let Some(rejected) = behind(" chose ") {
        let others = rejected.split("; not ").skip(1);
        return others.filter_map(|one| Some(one.split_once(": ")?.1.to_owned())).collect();
    }
    if let Some(plan) = behind(" ASKS until ") {
        let plan = plan.split_once(": ").map_or("", |(_, plan)| plan);
        return plan.split(", then ").map(str::to_owned).collect();
    }
    if let Some(step) = behind(" intends ").or(behind(" takes back with ")) {
        return one(Some(step));
    }
    if let Some(text) = behind(" ESCALATED: ") {
        return one(Some(text));
    }
    let framed = [" OPENED ", " RESTORED, ", " waits until ", " ended ", " its cause is "];
    if let Some(text) = framed.iter().find_map(|mark| behind(mark)) {
        return one(text.split_once(": ").map(|(_, text)| text));
    }
    if let Some(text) = behind(" shows ").and_then(|text| text.split_once(" since ")) {
        return one(text.1.split_once(": ").map(|(_, text)| text));
    }
    one(behind(" step timed_out "))
}

#[test]
fn nothing_that_a_story_tells_is_missing() {
    let mut texts = BTreeSet::new();
    for entry in std::fs::read_dir(core().join("tests/snapshots")).unwrap() {
        let path = entry.unwrap().path();
        if !path.file_name().unwrap().to_string_lossy().starts_with("console__") {
            let text = std::fs::read_to_string(path).unwrap();
            texts.extend(text.lines().flat_map(told));
        }
    }
    // A change of the timelines' shape must not make this test empty.
    assert!(texts.len() > 60, "only {} texts were found: {texts:?}", texts.len());
    let missing: Vec<_> = texts.iter().filter(|text| french(text) == **text).collect();
    assert!(missing.is_empty(), "not in the catalogue: {missing:#?}");
}

/// Literals that are only a part of a sentence, each with wholes that it ends up in: those have to be
/// in the catalogue.
const PARTS: &[(&str, &[&str])] = &[
    ("{name} is {state}{line}", &["gmod is missing", "gmod is exited; console: x"]),
    (
        "{name} is {state}, exit code {code}{line}",
        &["gmod is exited, exit code 1", "gmod is exited, exit code 1; console: x"],
    ),
    ("; console: {line}", &["gmod is exited; console: x"]),
    (" Lua errors a minute, ", &["gmod: 3 Lua errors a minute, a.lua:1: x"]),
    ("{}: {rate}{BETWEEN}{sample}", &["gmod: 3 Lua errors a minute, "]),
    ("{what} {word}", &["A2S fails", "RCON passes", "the database fails"]),
    ("is not known", &["the database is not known"]),
    ("failed, but not often enough", &["RCON failed, but not often enough"]),
    ("the database", &["the database passes"]),
    (" or ", &["it is exited, not running or restarting"]),
    ("no proof", &["gmod is running and only no proof fails"]),
    ("the login", &[NEVER]),
    ("the port", &[NEVER]),
    (" and ", &[NEVER]),
    (", then ", &["observe mode: case A would stop gmod, then up gmod"]),
    (
        "a step did not work ({what})",
        &[
            "a step did not work (failed: x)",
            "a step did not work (refused: x)",
            "a step did not work (timed_out: it did not end in time)",
            "a step did not work (unknown: no reason given)",
        ],
    ),
    ("{runbook}{case}: {why}", &["p1-unreachable: a person said no"]),
    (" case {case}", &["p1-unreachable case A: a person said no"]),
    (
        "{name} answers: {players}/{max} players on {map}, {} ms",
        &["gmod answers: 3/24 players on gm_construct, 20 ms"],
    ),
    ("run {}", &["run 7 started in incident #3"]),
    ("{run} started in incident {incident}", &["run 7 started in incident #3"]),
    ("{id} is not waiting for anybody", &["run 7 is not waiting for anybody"]),
    ("{id} is not waiting for an approval", &["run 7 is not waiting for an approval"]),
    ("{id} {}", &["run 7 approved", "run 7 refused"]),
    (
        "{} holds the stack; try again when it is over",
        &["run 7 holds the stack; try again when it is over"],
    ),
];

const NEVER: &str = "mysql is running, and vigie has never had an answer from the login and the port: \
                     check the addresses in its configuration, and look at the server";

/// The string literals of a source, without comments and tests.
fn literals(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut chars = source.chars().peekable();
    let (mut found, mut before) = (Vec::new(), ' ');
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => while chars.next_if(|c| *c != '\n').is_some() {},
            '\'' if chars.peek() == Some(&'"') => {
                chars.next();
            }
            '"' => {
                let mut text = String::new();
                while let Some(c) = chars.next_if(|c| *c != '"') {
                    match (c, (c == '\\').then(|| chars.next()).flatten()) {
                        (_, Some('\n')) => while chars.next_if(|c| c.is_whitespace()).is_some() {},
                        (_, Some(escaped)) => text.push(escaped),
                        (c, None) => text.push(c),
                    }
                }
                chars.next();
                if before != 'b' {
                    found.push(text);
                }
            }
            _ => {}
        }
        before = c;
    }
    found
}

/// A pattern whose holes are all alike.
fn bare(pattern: &str) -> String {
    let mut text = String::new();
    let mut rest = pattern;
    while let Some((literal, behind)) = rest.split_once('{') {
        text += literal;
        text.push('\u{1}');
        rest = behind.split_once('}').map_or("", |(_, rest)| rest);
    }
    text + rest
}

#[test]
fn nothing_that_the_core_can_write_is_missing() {
    let known: BTreeSet<_> = french::SENTENCES.iter().map(|(from, _)| bare(from)).collect();
    let (mut missing, mut parts, mut count) = (Vec::new(), BTreeSet::new(), 0);
    let mut rooms = vec![core().join("src/detect"), core().join("src/respond")];
    rooms.extend(["src/engine", "src/notify", "src/drift"].map(|room| core().join(room)));
    while let Some(room) = rooms.pop() {
        for entry in std::fs::read_dir(room).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("tests") {
                    rooms.push(path);
                }
                continue;
            }
            if path.ends_with("tests.rs") {
                continue;
            }
            for text in literals(&std::fs::read_to_string(&path).unwrap()) {
                let sentence = text.contains(' ') && text.chars().any(char::is_alphabetic);
                if !sentence {
                    continue;
                }
                count += 1;
                if let Some((part, wholes)) = PARTS.iter().find(|(part, _)| *part == text) {
                    missing.extend(
                        wholes
                            .iter()
                            .filter(|text| french(text) == **text)
                            .map(ToString::to_string),
                    );
                    parts.insert(*part);
                    continue;
                }
                if !known.contains(&bare(&text)) {
                    missing.push(format!("{}: {text}", path.display()));
                }
            }
        }
    }
    assert!(count > 80, "only {count} sentences were found");
    let gone: Vec<_> = PARTS.iter().filter(|(part, _)| !parts.contains(part)).collect();
    assert!(gone.is_empty(), "no part of the core any more: {gone:?}");
    assert!(missing.is_empty(), "not in the catalogue: {missing:#?}");
}

#[test]
fn hostile_texts_are_quick() {
    let begun = std::time::Instant::now();
    for part in
        ["refused by the guard: ", "x: ", "up a, then ", "a is exited, exit code ", "; not "]
    {
        let text = part.repeat(1 << 14);
        assert_eq!(french(&text).is_empty(), text.is_empty());
        french(&format!("observe mode: case A would {text}"));
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
}

proptest! {
    #[test]
    fn any_text_can_be_said(text in ".*") {
        let _ = say(&text, Lang::Fr);
        let said = say(&text, Lang::En).into_owned();
        prop_assert_eq!(said, text);
    }

    #[test]
    fn texts_like_sentences_can_be_said(
        parts in proptest::collection::vec(
            proptest::sample::select(french::SENTENCES.iter().map(|(from, _)| *from).collect::<Vec<_>>()),
            1..4,
        ),
        filled in "[a-z:;, ]{0,12}",
    ) {
        let text = parts.join(&filled).replace("{n}", &filled).replace("{}", &filled);
        let _ = say(&text, Lang::Fr);
    }

    #[test]
    fn what_comes_from_outside_is_kept(line in ".*") {
        prop_assert_eq!(
            french(&format!("gmod is exited, exit code 139; console: {line}")),
            format!("gmod est arrêté, code de sortie 139 ; console : {line}")
        );
        prop_assert_eq!(
            french(&format!("gmod: 14 net messages of {line} (STEAM_0:1:7) rejected")),
            format!("gmod : 14 messages réseau de {line} (STEAM_0:1:7) rejetés")
        );
        prop_assert_eq!(
            french(&format!("gmod: 3 Lua errors a minute, {line}")),
            format!("gmod : 3 erreurs Lua par minute, {line}")
        );
        prop_assert_eq!(
            french(&format!("gmod answers: 1/24 players on {line}, 20 ms")),
            format!("gmod répond : 1/24 joueurs sur {line}, 20 ms")
        );
    }
}
