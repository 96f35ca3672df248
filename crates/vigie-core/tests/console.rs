//! What the console says: every file of `fixtures/console` is read whole and its events are a
//! snapshot; the same file cut anywhere says the same; a signature is the cause's own.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers of a test fail by panicking"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;
use vigie_core::console::{ConsoleEvent, LuaError, Matcher};

static FILES: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/console");
    let entries = std::fs::read_dir(place).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "log"));
    paths.sort();
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect()
});

fn events(chunks: &[&[u8]]) -> Vec<ConsoleEvent> {
    let (mut matcher, mut found) = (Matcher::new(), Vec::new());
    for chunk in chunks.iter().chain([&&b"\n"[..]]) {
        matcher.chunk(chunk, &mut |event| found.push(event));
    }
    matcher.flush(&mut |event| found.push(event));
    found
}

fn told(event: &ConsoleEvent) -> String {
    match event {
        ConsoleEvent::Ready => String::from("ready"),
        ConsoleEvent::Crash { kind, line } => format!("crash {kind:?}: {line}"),
        ConsoleEvent::PortTaken { line } => format!("port taken: {line}"),
        ConsoleEvent::Workshop { line } => format!("workshop: {line}"),
        ConsoleEvent::Script { what, line } => format!("script {what:?}: {line}"),
        ConsoleEvent::RateLimit { nick, steamid, per_minute } => {
            format!("rate limit: {nick:?} {steamid} {per_minute}")
        }
        ConsoleEvent::DatabaseLost { error } => format!("database lost: {error}"),
        ConsoleEvent::DatabaseFound { host } => format!("database found: {host}"),
        ConsoleEvent::ModuleLoaded { name } => format!("module loaded: {name}"),
        ConsoleEvent::MapChange { map } => format!("map change: {map:?}"),
        ConsoleEvent::LuaError(error) => {
            let LuaError { client, title, message, file, line, guilty, signature } = error;
            let place = |file: &Option<String>| file.clone().unwrap_or_else(|| String::from("-"));
            let line = line.map_or_else(|| String::from("-"), |line| line.to_string());
            format!(
                "lua error {signature:016x}\n    guilty {}:{line}, raised in {}\n    \
                 title {title:?}, client {client:?}\n    {message}",
                place(guilty),
                place(file),
            )
        }
    }
}

/// The events in the order in which each came first, with how often it came. An error is the same
/// when its signature is.
fn summary(events: &[ConsoleEvent]) -> String {
    let same = |a: &ConsoleEvent, b: &ConsoleEvent| match (a, b) {
        (ConsoleEvent::LuaError(a), ConsoleEvent::LuaError(b)) => a.signature == b.signature,
        _ => a == b,
    };
    let mut kinds: Vec<(&ConsoleEvent, u32)> = Vec::new();
    for event in events {
        match kinds.iter_mut().find(|(known, _)| same(known, event)) {
            Some((_, count)) => *count += 1,
            None => kinds.push((event, 1)),
        }
    }
    let lines = kinds.iter().map(|(event, count)| format!("{count} × {}\n", told(event)));
    let text: String = lines.collect();
    if text.is_empty() { String::from("nothing\n") } else { text }
}

/// All of them are read, so that one run tells of every file that changed.
#[test]
fn every_file_says_what_its_snapshot_says() {
    assert!(!FILES.is_empty(), "there are no fixtures");
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    let failed = FILES.iter().filter(|(name, bytes)| {
        let check = || insta::assert_snapshot!(name.as_str(), summary(&events(&[bytes])));
        catch_unwind(AssertUnwindSafe(|| settings.bind(check))).is_err()
    });
    let failed: Vec<&str> = failed.map(|(name, _)| name.as_str()).collect();
    assert!(failed.is_empty(), "other than told: {failed:?}");
}

fn file(name: &str) -> &'static [u8] {
    &FILES.iter().find(|(known, _)| known == name).expect(name).1
}

/// What a player says is no event, whatever it imitates; nor is what the server chats about.
#[test]
fn chat_is_never_believed() {
    for name in ["chatter", "hostile-chat", "construction-logs"] {
        assert_eq!(events(&[file(name)]), [], "{name}");
    }
}

fn lua(text: &str) -> LuaError {
    match <[ConsoleEvent; 1]>::try_from(events(&[text.as_bytes()])) {
        Ok([ConsoleEvent::LuaError(error)]) => error,
        other => panic!("not one Lua error but {other:?}"),
    }
}

fn signature(line: u32, message: &str) -> u64 {
    let place = format!("addons/taxi/lua/entities/taxi/init.lua:{line}");
    lua(&format!("[ERROR] {place}: {message}\n  1. error - [C]:-1\n   2. Think - {place}\n"))
        .signature
}

#[test]
fn what_differs_from_time_to_time_is_not_in_the_signature() {
    let same = [
        ["entity 17 is NULL", "entity 1203 is NULL"],
        ["no data for \"Alice\"", "no data for \"Jean [VIP] 2 | \u{1f480}\""],
        ["Entity [103][prop_physics] is stuck", "Entity [7][prop_physics] is stuck"],
        ["took 0.25 s", "took 12.125 s"],
        ["steam id STEAM_0:1:42 is unknown", "steam id STEAM_0:0:1000003 is unknown"],
    ];
    for [one, other] in same {
        assert_eq!(signature(41, one), signature(41, other), "{one} / {other}");
    }
}

#[test]
fn addresses_are_not_in_the_signature() {
    let at = |address: &str| signature(41, &format!("bad key table: {address}"));
    assert_eq!(at("0x7f3acc10"), at("0x41beef00"));
}

#[test]
fn players_are_not_in_the_signature() {
    let about = |nick: &str| signature(41, &format!("no wallet of Player [3][{nick}]"));
    assert_eq!(about("Alice"), about("Jean Bon"));
}

/// The game prints a player's error as a header, an empty line and the error itself.
#[test]
fn a_players_error_on_several_lines_is_the_players() {
    let servers = |event: &ConsoleEvent| match event {
        ConsoleEvent::LuaError(error) => error.client.is_none(),
        _ => true,
    };
    let found = events(&[file("lua-client-errors-on-several-lines")]);
    assert!(!found.is_empty() && !found.iter().any(servers), "{found:?}");
}

#[test]
fn an_error_that_says_nothing_is_one_all_the_same() {
    let place = "addons/taxi/lua/entities/taxi/init.lua:41";
    let error = lua(&format!("[ERROR] {place}: \n  1. error - [C]:-1\n   2. Think - {place}\n"));
    assert_eq!((error.line, error.message.as_str()), (Some(41), ""));
}

#[test]
fn another_cause_has_another_signature() {
    let index = "attempt to index local 'o' (a number value)";
    let all = [
        signature(41, index),
        signature(42, index),
        signature(41, "attempt to index local 'p' (a number value)"),
        signature(41, "attempt to index local 'o' (a nil value)"),
        lua("[ERROR] addons/b/lua/b.lua:41: attempt to index local 'o' (a number value)").signature,
    ];
    for (at, one) in all.iter().enumerate() {
        assert!(!all[at + 1..].contains(one), "the signature {at} comes twice");
    }
}

/// The tag is whoever printed it and the way to the error is another each time: the cause is below.
#[test]
fn the_tag_and_the_frames_behind_the_guilty_one_do_not_matter() {
    let place = "addons/a/lua/b.lua:7";
    let plain = lua(&format!("[ERROR] {place}: bad\n  1. f - {place}\n")).signature;
    let titled = lua(&format!("[My [cool] Addon] {place}: bad\n  1. f - {place}\n")).signature;
    let deeper =
        lua(&format!("[ERROR] {place}: bad\n  1. f - {place}\n   2. g - addons/c/lua/d.lua:9\n"));
    assert_eq!([plain, plain], [titled, deeper.signature]);
}

/// Where to cut a file, in any order.
fn cuts() -> impl Strategy<Value = (usize, Vec<prop::sample::Index>)> {
    (0..FILES.len(), prop::collection::vec(any::<prop::sample::Index>(), 0..12))
}

proptest! {
    #[test]
    fn a_cut_anywhere_changes_nothing((file, cuts) in cuts(), carriage_returns in any::<bool>()) {
        let (name, bytes) = &FILES[file];
        let text = String::from_utf8_lossy(bytes);
        let text = if carriage_returns { text.replace('\n', "\r\n") } else { text.into_owned() };
        let bytes = text.as_bytes();
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        ends.extend([0, bytes.len()]);
        ends.sort_unstable();
        let chunks: Vec<&[u8]> = ends.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect();
        prop_assert_eq!(events(&chunks), events(&[bytes]), "{}", name);
        let one_by_one: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(events(&one_by_one), events(&[bytes]), "{}", name);
    }

    #[test]
    fn lines_and_chunks_say_the_same(lines in prop::collection::vec(line(), 0..12)) {
        let text = lines.concat();
        let (mut matcher, mut found) = (Matcher::new(), Vec::new());
        for line in text.split(|byte| *byte == b'\n') {
            matcher.line(line, &mut |event| found.push(event));
        }
        matcher.flush(&mut |event| found.push(event));
        prop_assert_eq!(found, events(&[&text]));
    }
}

/// A line of some file, perhaps with junk in it, perhaps very long.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let lines: Vec<Vec<u8>> = FILES
        .iter()
        .flat_map(|(_, bytes)| bytes.split_inclusive(|byte| *byte == b'\n'))
        .map(<[u8]>::to_vec)
        .collect();
    let junk = prop_oneof![
        4 => Just(Vec::new()),
        2 => prop::collection::vec(any::<u8>(), 1..6),
        1 => Just(vec![b'x'; 17_000]),
    ];
    (prop::sample::select(lines), any::<prop::sample::Index>(), junk).prop_map(
        |(mut line, at, junk)| {
            let at = at.index(line.len());
            line.splice(at..at, junk);
            line
        },
    )
}
