//! Who plays and where: the fake population of the server.
//!
//! Everything is derived from the player's rank, so two runs agree.

use std::time::{Duration, Instant};

const NAMES: [&str; 16] = [
    "Alice",
    "Bruno",
    "Chloé",
    "Dédé",
    "Éloïse",
    "Farid",
    "Gaston",
    "Hélène",
    "Inès",
    "Jojo le Maçon",
    "Karim",
    "Léa",
    "[PCR] Momo",
    "Nadia",
    "Oscar",
    "Zoé \"la Grue\"",
];

/// The population and the map.
#[derive(Debug)]
pub(crate) struct Town {
    pub(crate) map: String,
    players: Vec<Player>,
    joined: u32,
}

/// One fake player.
#[derive(Debug, Clone)]
pub(crate) struct Player {
    pub(crate) name: String,
    pub(crate) user_id: u32,
    /// Like `STEAM_0:1:12345`.
    pub(crate) steam_id: String,
    pub(crate) score: i32,
    since: Instant,
    /// How long the player had been there when the server came up: a town
    /// where everybody arrived this second looks fake.
    head_start: Duration,
}

impl Player {
    fn new(rank: u32) -> Self {
        let index = rank as usize;
        let name = NAMES.get(index).map_or_else(|| format!("Joueur {}", rank + 1), |n| (*n).into());
        Self {
            name,
            user_id: rank + 2,
            steam_id: format!("STEAM_0:{}:{}", rank % 2, 1_000_003 + u64::from(rank) * 7919),
            score: i32::try_from(rank * 13 % 97).unwrap_or(0),
            since: Instant::now(),
            head_start: Duration::from_secs(u64::from(rank) * 211 % 7200),
        }
    }

    /// How long the player has been connected.
    pub(crate) fn connected(&self) -> Duration {
        self.since.elapsed() + self.head_start
    }
}

impl Town {
    /// A town of `players` on `map`.
    pub(crate) fn new(map: &str, players: u8) -> Self {
        let mut town = Self { map: map.to_owned(), players: Vec::new(), joined: 0 };
        town.resize(players);
        town
    }

    /// The players, oldest first.
    pub(crate) fn players(&self) -> &[Player] {
        &self.players
    }

    /// Makes players join, or the last ones leave, until there are `count`.
    pub(crate) fn resize(&mut self, count: u8) {
        self.players.truncate(usize::from(count));
        while self.players.len() < usize::from(count) {
            self.players.push(Player::new(self.joined));
            self.joined = self.joined.wrapping_add(1) % 1_000_000;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_and_shrinks() {
        let mut town = Town::new("gm_construct", 3);
        assert_eq!(town.players().len(), 3);
        assert_eq!(town.players()[0].name, "Alice");
        town.resize(128);
        assert_eq!(town.players().len(), 128);
        assert_eq!(town.players()[127].name, "Joueur 128");
        town.resize(0);
        assert!(town.players().is_empty());
    }
}
