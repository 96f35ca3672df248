//! What one practice server is: the settled values, wherever they came from.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use crate::crash_plan::CrashPlan;
use crate::secret::Secret;

/// The most players a GMod server can hold.
pub(crate) const MOST_PLAYERS: u8 = 128;

/// The longest A2S datagram, and the default of `split_at`.
pub(crate) const LONGEST_DATAGRAM: usize = 1400;

/// The smallest sensible `split_at`: the 12-byte header and some payload.
pub(crate) const SHORTEST_SPLIT: usize = 32;

/// The settings of one server. Build on [`Config::loopback`] in tests.
#[derive(Debug, Clone)]
pub struct Config {
    /// Server name, as A2S and `status` give it.
    pub name: String,
    /// Gamemode folder, like `darkrp`.
    pub gamemode: String,
    /// First map.
    pub map: String,
    /// Player slots, at most 128.
    pub max_players: u8,
    /// Fake players at the start, at most `max_players`.
    pub players: u8,
    /// Address to listen on.
    pub bind: IpAddr,
    /// Port of both A2S (UDP) and RCON (TCP); 0 picks a free one.
    pub port: u16,
    /// RCON password; empty means that RCON refuses everybody.
    pub rcon_password: Secret,
    /// Wrong passwords before an address is banned; 0 never bans.
    pub rcon_min_failures: u32,
    /// How long a ban lasts.
    pub rcon_ban: Duration,
    /// Whether a mirrored end marker is followed by the odd extra packet that
    /// a real server sends (body `00 01 00 00`).
    pub rcon_trailer: bool,
    /// Whether A2S_INFO needs a challenge. Players and rules always do.
    pub challenge: bool,
    /// Longest A2S datagram in bytes, 32 to 1400; longer replies are split.
    pub split_at: usize,
    /// How long a map change keeps the server silent.
    pub changelevel_time: Duration,
    /// How long the boot takes.
    pub boot: Duration,
    /// A crash that comes by itself.
    pub crash: Option<CrashPlan>,
    /// `HOST:PORT` of the database that the addon wants.
    pub database: Option<String>,
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The password file cannot be read.
    #[error("cannot read the RCON password file {path}: {cause}; check --rcon-password-file", path = path.display())]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// `--crash-times` says "only the first starts", and nothing counts them.
    #[error("--crash-times needs --crash-counter FILE, a file that outlives the process")]
    NoCounter,
}

impl Default for Config {
    /// What the binary does without any flag.
    fn default() -> Self {
        Self {
            name: "vigie practice server".to_owned(),
            gamemode: "darkrp".to_owned(),
            map: "gm_construct".to_owned(),
            max_players: 24,
            players: 0,
            bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port: 27015,
            rcon_password: Secret::default(),
            rcon_min_failures: 5,
            rcon_ban: Duration::from_secs(30 * 60),
            rcon_trailer: true,
            challenge: true,
            split_at: LONGEST_DATAGRAM,
            changelevel_time: Duration::from_secs(3),
            boot: Duration::from_secs(2),
            crash: None,
            database: None,
        }
    }
}

impl Config {
    /// A server for a test: loopback, a free port, no boot time, three players.
    pub fn loopback(rcon_password: &str) -> Self {
        Self {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            boot: Duration::ZERO,
            players: 3,
            rcon_password: Secret::new(rcon_password),
            ..Self::default()
        }
    }

    /// Brings every number back into its bounds.
    pub(crate) fn bounded(mut self) -> Self {
        self.max_players = self.max_players.clamp(1, MOST_PLAYERS);
        self.players = self.players.min(self.max_players);
        self.split_at = self.split_at.clamp(SHORTEST_SPLIT, LONGEST_DATAGRAM);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_into_their_bounds() {
        let config = Config { max_players: 200, players: 250, split_at: 1, ..Config::default() };
        let config = config.bounded();
        assert_eq!((config.max_players, config.players, config.split_at), (128, 128, 32));
        assert_eq!(Config { split_at: 9000, ..config }.bounded().split_at, 1400);
    }
}
