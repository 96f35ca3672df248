//! A line of a console, read as the daemon reads it: through the core's own matcher.

use std::sync::Arc;

use vigie_core::console::{ConsoleEvent, Matcher};
use vigie_core::observe::{ConsoleFact, Fact};
use vigie_core::stack::ServiceId;

use crate::world::World;

impl World {
    pub(crate) fn says(&mut self, id: ServiceId, line: &str) {
        let mut facts = Vec::new();
        let mut take = |event: ConsoleEvent| facts.extend(heard(event));
        let mut matcher = Matcher::new();
        matcher.line(line.as_bytes(), &mut take);
        matcher.flush(&mut take);
        assert!(!facts.is_empty(), "nothing is to be read in `{line}`");
        for fact in facts {
            self.saw(id, Fact::Console(fact));
        }
    }
}

fn heard(event: ConsoleEvent) -> Option<ConsoleFact> {
    Some(match event {
        ConsoleEvent::Ready => ConsoleFact::Ready,
        ConsoleEvent::Crash { line, .. } => ConsoleFact::Crash(Arc::from(line)),
        ConsoleEvent::LuaError(error) => {
            let (file, line) = (error.guilty.or(error.file)?, error.line?);
            let sample = Arc::from(format!("{file}:{line}: {}", error.message));
            ConsoleFact::LuaErrors { signature: error.signature, count: 1, sample }
        }
        ConsoleEvent::RateLimit { nick, steamid, .. } => {
            ConsoleFact::Rejects { steamid: Arc::from(steamid), count: 1, nick: Arc::from(nick) }
        }
        ConsoleEvent::DatabaseLost { error } => ConsoleFact::DatabaseLost(Arc::from(error)),
        ConsoleEvent::DatabaseFound { .. } => ConsoleFact::DatabaseFound,
        ConsoleEvent::MapChange { .. } => ConsoleFact::MapChange,
        ConsoleEvent::Workshop { .. } => ConsoleFact::Workshop,
        _ => return None,
    })
}
