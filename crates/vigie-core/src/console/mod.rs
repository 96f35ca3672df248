//! Decides what a game server's console lines say. One pass over the bytes finds candidates; only
//! these are read. Never believes a line whose shape a player could give to a chat message.

mod event;
mod lines;
mod lua;
mod matcher;
mod shown;
#[cfg(test)]
mod tests;

pub use event::{ConsoleEvent, CrashKind, LuaError, ScriptFault};
pub use lua::signature_of;
pub use matcher::{GREP_ERE, Matcher};

/// The last Lua error among console lines, for evidence.
#[must_use]
pub fn classify_tail(lines: &[String]) -> Option<LuaError> {
    let mut matcher = Matcher::new();
    let mut last = None;
    let mut take = |event: ConsoleEvent| {
        if let ConsoleEvent::LuaError(error) = event {
            last = Some(error);
        }
    };
    for line in lines {
        matcher.line(line.as_bytes(), &mut take);
    }
    matcher.flush(&mut take);
    last
}
