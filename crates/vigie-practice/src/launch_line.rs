//! Reads the `ARGS` of the reference image: a piece of srcds command line.
//!
//! Lenient, as srcds is: what it does not know it skips.

use crate::words::words;

/// What an `ARGS` value says about the settings that matter here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct LaunchLine {
    pub(crate) hostname: Option<String>,
    pub(crate) gamemode: Option<String>,
    pub(crate) map: Option<String>,
    pub(crate) max_players: Option<u8>,
    pub(crate) port: Option<u16>,
    pub(crate) rcon_password: Option<String>,
}

impl LaunchLine {
    /// Reads a command line; the last mention of a setting wins.
    pub(crate) fn read(args: &str) -> Self {
        let mut line = Self::default();
        let words = words(args);
        let mut words = words.iter().peekable();
        while let Some(word) = words.next() {
            let Some(key) = word.strip_prefix(['+', '-']) else { continue };
            // A flag is followed by its value or by the next flag.
            let Some(value) = words.next_if(|next| !next.starts_with(['+', '-'])) else {
                continue;
            };
            line.set(&key.to_ascii_lowercase(), value);
        }
        line
    }

    fn set(&mut self, key: &str, value: &str) {
        let text = || Some(value.to_owned());
        match key {
            "hostname" => self.hostname = text(),
            "gamemode" => self.gamemode = text(),
            "map" => self.map = text(),
            "rcon_password" => self.rcon_password = text(),
            "maxplayers" => self.max_players = value.parse().ok().or(self.max_players),
            "port" | "hostport" => self.port = value.parse().ok().or(self.port),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_it_knows_and_skips_the_rest() {
        let line = LaunchLine::read(
            "-console +rcon_password \"a b\" +sv_lan 0 stray -port 27016 +hostname \"Ma Ville\" -norestart +map rp_x +maxplayers many",
        );
        assert_eq!(line.rcon_password.as_deref(), Some("a b"));
        assert_eq!(line.port, Some(27016));
        assert_eq!(line.hostname.as_deref(), Some("Ma Ville"));
        assert_eq!(line.map.as_deref(), Some("rp_x"));
        assert_eq!(line.max_players, None);
        assert_eq!(LaunchLine::read("+rcon_password +map x").rcon_password, None);
        assert_eq!(LaunchLine::read(""), LaunchLine::default());
    }
}
