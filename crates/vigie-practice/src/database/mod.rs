//! The database that the addon wants: looked for every two seconds, and its
//! coming and going told on the console in the addon's words.

mod hello;
mod packet;

use std::io;
use std::time::{Duration, Instant};

use crate::world::World;

const EVERY: Duration = Duration::from_secs(2);
/// How often a lasting failure is told again.
const REPEAT: Duration = Duration::from_secs(5);

/// Watches until the server dies; does nothing without a database.
pub(crate) fn watch(world: &World) {
    let Some(target) = world.config().database.clone() else { return };
    let mut teller = Teller::default();
    while !world.is_dead() {
        // The addon lives in the main loop: a stuck one asks nothing.
        if !world.is_stuck() {
            let found = hello::greet(&target);
            if let Some(line) = teller.line(host(&target), found, Instant::now()) {
                world.print(&line);
            }
        }
        world.pause(EVERY);
    }
}

/// The addon's line for a database that does not answer.
pub(crate) fn down_line(why: &str) -> String {
    format!("[Construction] ❌ MySQL connexion échouée: {why}")
}

/// The addon's line for a database that answers.
pub(crate) fn up_line(host: &str) -> String {
    format!("[Construction] ✅ MySQL connecté - {host}")
}

fn host(target: &str) -> &str {
    target.rsplit_once(':').map_or(target, |(host, _)| host)
}

/// Decides what is worth a line.
#[derive(Debug, Default)]
struct Teller {
    up: Option<bool>,
    told: Option<Instant>,
}

impl Teller {
    fn line(&mut self, host: &str, found: Result<(), String>, now: Instant) -> Option<String> {
        let changed = self.up != Some(found.is_ok());
        let stale = self.told.is_none_or(|told| now.duration_since(told) >= REPEAT);
        self.up = Some(found.is_ok());
        let line = match found {
            Ok(()) => changed.then(|| up_line(host)),
            Err(why) => (changed || stale).then(|| down_line(&why)),
        };
        if line.is_some() {
            self.told = Some(now);
        }
        line
    }
}

/// An I/O error as the client library of MySQL words it.
fn worded(host: &str, error: &io::Error) -> String {
    let code = match error.kind() {
        io::ErrorKind::ConnectionRefused => 111,
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => 110,
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::InvalidData => {
            return "Lost connection to MySQL server at 'reading initial communication packet'"
                .to_owned();
        }
        _ => error.raw_os_error().unwrap_or(2),
    };
    format!("Can't connect to MySQL server on '{host}' ({code})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_changes_at_once_and_failures_again() {
        let mut teller = Teller::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let bad = || Err("refused".to_owned());
        assert_eq!(teller.line("db", bad(), at(0)), Some(down_line("refused")));
        assert_eq!(teller.line("db", bad(), at(2)), None);
        assert_eq!(teller.line("db", bad(), at(4)), None);
        assert_eq!(teller.line("db", bad(), at(6)), Some(down_line("refused")));
        assert_eq!(teller.line("db", Ok(()), at(8)), Some(up_line("db")));
        assert_eq!(teller.line("db", Ok(()), at(60)), None);
        assert_eq!(teller.line("db", bad(), at(62)), Some(down_line("refused")));
    }

    #[test]
    fn the_host_is_what_is_before_the_port() {
        assert_eq!(host("mysql:3306"), "mysql");
        assert_eq!(host("mysql"), "mysql");
    }
}
