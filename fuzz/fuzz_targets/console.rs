//! The console against anything that is printed: the same events however the bytes are cut, all
//! texts short and printable, and signatures that only the cause changes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_core::console::{ConsoleEvent, LuaError, Matcher};

/// Characters of a text that an event may hold.
const LONGEST_TEXT: usize = 400;

fuzz_target!(|data: &[u8]| {
    let step = usize::from(data.first().copied().unwrap_or_default()) % 61 + 1;
    let whole = in_chunks(data, data.len().max(1));
    assert_eq!(in_chunks(data, step), whole, "in pieces of {step}");
    assert_eq!(in_chunks(data, 1), whole, "byte by byte");
    assert_eq!(by_line(data), whole, "line by line");
    assert!(whole.len() <= data.iter().filter(|byte| **byte == b'\n').count() + 1);
    for event in &whole {
        let shown = texts(event);
        for text in shown {
            assert!(text.chars().count() <= LONGEST_TEXT && !text.chars().any(char::is_control));
        }
    }
    signature(data);
});

fn in_chunks(data: &[u8], step: usize) -> Vec<ConsoleEvent> {
    let (mut matcher, mut found) = (Matcher::new(), Vec::new());
    for piece in data.chunks(step).chain([&b"\n"[..]]) {
        matcher.chunk(piece, &mut |event| found.push(event));
    }
    matcher.flush(&mut |event| found.push(event));
    found
}

fn by_line(data: &[u8]) -> Vec<ConsoleEvent> {
    let (mut matcher, mut found) = (Matcher::new(), Vec::new());
    for line in data.split(|byte| *byte == b'\n') {
        matcher.line(line, &mut |event| found.push(event));
    }
    matcher.flush(&mut |event| found.push(event));
    found
}

fn texts(event: &ConsoleEvent) -> Vec<&str> {
    match event {
        ConsoleEvent::Ready => Vec::new(),
        ConsoleEvent::Crash { line, .. }
        | ConsoleEvent::PortTaken { line }
        | ConsoleEvent::Workshop { line }
        | ConsoleEvent::Script { line, .. } => vec![line],
        ConsoleEvent::LuaError(LuaError { client, title, message, file, guilty, .. }) => {
            let rest = [client, title, file, guilty].into_iter().flatten();
            rest.chain([message]).map(String::as_str).collect()
        }
        ConsoleEvent::RateLimit { nick, steamid, .. } => vec![nick, steamid],
        ConsoleEvent::DatabaseLost { error } => vec![error],
        ConsoleEvent::DatabaseFound { host } => vec![host],
        ConsoleEvent::ModuleLoaded { name } => vec![name],
        ConsoleEvent::MapChange { map } => map.as_deref().into_iter().collect(),
    }
}

fn error(line: u32, message: &str) -> Option<u64> {
    let text = format!("[ERROR] addons/a/lua/b.lua:{line}: {message}");
    match in_chunks(text.as_bytes(), text.len()).as_slice() {
        [ConsoleEvent::LuaError(error)] => Some(error.signature),
        _ => None,
    }
}

/// Other numbers in a message are the same cause; another line of code is another.
fn signature(data: &[u8]) {
    let text: String = String::from_utf8_lossy(data).chars().filter(|c| !c.is_control()).collect();
    // A message that is a relayed error's, or a module's that does not load, is read as that; and a
    // player is one only while the number is one.
    if text.contains("Lua Error:") || text.contains('!') || text.contains("Player [") {
        return;
    }
    // Something is always said, so that it is an error; 0 stays, because 0x begins an address.
    let message = format!("bad: {text}");
    let turn = |c: char| match c {
        '1'..='8' => char::from(c as u8 + 1),
        '9' => '1',
        _ => c,
    };
    let other: String = message.chars().map(turn).collect();
    let first = error(13, &message);
    assert!(first.is_some(), "no error: {message}");
    assert_eq!(first, error(13, &other), "{message} / {other}");
    assert_ne!(first, error(14, &message), "{message}");
}
