//! `practice spew abuse NICK STEAMID N`: a player whose net messages the addon
//! rejects, N times.

use std::sync::Arc;

use super::args;
use crate::world::World;

const USAGE: &str = "practice spew abuse NICK STEAMID N";
const MOST: u32 = 10_000;
/// The limit of the addon, in requests a minute; the lines count up from it.
const ALLOWED: u32 = 60;

/// N rejects of one player.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SpewAbuse {
    nick: String,
    steam_id: String,
    count: u32,
}

impl SpewAbuse {
    pub(super) fn parse(words: &[&str]) -> Result<Self, String> {
        match words {
            [nick, steam_id, count] => Ok(Self {
                nick: (*nick).to_owned(),
                steam_id: (*steam_id).to_owned(),
                count: args::count(count, MOST, USAGE)?,
            }),
            _ => Err(args::wrong(USAGE)),
        }
    }

    pub(super) fn strike(self, world: &Arc<World>) -> Result<String, String> {
        let Self { nick, steam_id, count } = self;
        let mut lines = String::new();
        for reject in 1..=count {
            let line = format!("RATE LIMIT: {nick} ({steam_id}) - {} req/min", ALLOWED + reject);
            lines.push_str("[Construction] ");
            lines.push_str(&line);
            lines.push('\n');
            world.archive().note(line);
        }
        world.print_block(&lines);
        Ok(format!("practice: {count} rejects of {nick}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Console};

    #[test]
    fn prints_the_line_of_the_addon() {
        let (console, said) = Console::captured();
        let world = Arc::new(World::new(Config::loopback(""), 1, console));
        SpewAbuse::parse(&["Jean Bon", "STEAM_0:1:2", "2"]).unwrap().strike(&world).unwrap();
        assert_eq!(
            said.text(),
            "[Construction] RATE LIMIT: Jean Bon (STEAM_0:1:2) - 61 req/min\n\
             [Construction] RATE LIMIT: Jean Bon (STEAM_0:1:2) - 62 req/min\n"
        );
    }
}
