//! Does: follows a game's console across restarts and cuts, and reports what its lines say. Floods
//! are counted, not passed on one by one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::Instant;
use vigie_core::Moment;
use vigie_core::console::{ConsoleEvent, LuaError, Matcher};
use vigie_core::observe::{ConsoleFact, Fact};
use vigie_core::stack::ServiceId;

use super::Eyes;
use crate::engine::Stopped;
use crate::respond::Redactor;
use crate::runtime::{LogLine, LogPosition, RuntimeError};
use crate::text::cut;

/// How long repeated lines are counted before they are reported.
const GATHER: Duration = Duration::from_millis(250);
/// Signatures and players counted at a time; a flood of different ones is cut here.
const MOST: usize = 64;
const RETRY: Duration = Duration::from_secs(1);
/// How far the host's clock may go back behind the beginning of a feed: a feed is not told what is
/// older than its beginning, and says nothing until the clock has caught up.
const BEHIND_MS: i64 = 2_000;

pub(super) async fn watch(eyes: Eyes, service: ServiceId) {
    let name = eyes.config.stack.service(service).name.clone();
    let mut from: Option<LogPosition> = None;
    while !eyes.stop.is_cancelled() {
        match eyes.runtime.logs(&name, from).await {
            Ok(feed) => {
                let followed = follow(&eyes, service, feed, &mut from);
                if matches!(eyes.stop.run_until_cancelled(followed).await, None | Some(Err(_))) {
                    return;
                }
            }
            Err(error) => tracing::debug!(service = name, %error, "its console cannot be read now"),
        }
        if eyes.stop.run_until_cancelled(tokio::time::sleep(RETRY)).await.is_none() {
            return;
        }
    }
}

async fn follow(
    eyes: &Eyes,
    service: ServiceId,
    mut feed: crate::runtime::Feed<LogLine>,
    from: &mut Option<LogPosition>,
) -> Result<(), Stopped> {
    let began = eyes.clock.now();
    let mut matcher = Matcher::new();
    let mut gathered = Gathered::new(Redactor::of(&eyes.config));
    let mut report_at = Instant::now() + GATHER;
    loop {
        let next = tokio::time::timeout_at(report_at, feed.next()).await;
        match next {
            Ok(Some(Ok(line))) => {
                *from = Some(line.next);
                matcher.line(&line.text, &mut |event| gathered.take(event));
            }
            Ok(Some(Err(error))) => {
                end(&error);
                break;
            }
            Ok(None) => break,
            Err(_) => {
                matcher.flush(&mut |event| gathered.take(event));
                report_at = Instant::now() + GATHER;
                gathered.report(eyes, service).await?;
                if is_deaf(began, eyes.clock.now()) {
                    break;
                }
                continue;
            }
        }
        if !gathered.urgent.is_empty() || Instant::now() >= report_at {
            report_at = Instant::now() + GATHER;
            gathered.report(eyes, service).await?;
        }
    }
    matcher.flush(&mut |event| gathered.take(event));
    gathered.report(eyes, service).await
}

/// Whether a feed that began at `began` leaves out what is printed now.
const fn is_deaf(began: Moment, now: Moment) -> bool {
    now.wall + BEHIND_MS < began.wall
}

fn end(error: &RuntimeError) {
    tracing::debug!(%error, "the console's stream has ended");
}

/// What was said since the last report.
#[derive(Debug, Default)]
struct Gathered {
    // What a console says is kept and shown: an addon may print the password that it was refused with.
    redactor: Redactor,
    urgent: Vec<ConsoleFact>,
    errors: BTreeMap<u64, (u32, Arc<str>)>,
    rejects: BTreeMap<String, (u32, String)>,
}

impl Gathered {
    fn new(redactor: Redactor) -> Self {
        Self { redactor, ..Self::default() }
    }

    fn shown(&self, text: &str) -> String {
        cut(&self.redactor.clean(text), 200)
    }

    fn take(&mut self, event: ConsoleEvent) {
        match event {
            ConsoleEvent::Ready => self.say(ConsoleFact::Ready),
            ConsoleEvent::Crash { line, .. } | ConsoleEvent::PortTaken { line } => {
                self.say(ConsoleFact::Crash(Arc::from(self.shown(&line))));
            }
            ConsoleEvent::LuaError(error) => self.lua(&error),
            ConsoleEvent::Script { what, line } => {
                let signature = fnv(&format!("{what:?}{}", strip_digits(&line)));
                self.error(signature, &line);
            }
            ConsoleEvent::RateLimit { nick, steamid, .. } => {
                if self.rejects.len() < MOST || self.rejects.contains_key(&steamid) {
                    let entry = self.rejects.entry(steamid).or_default();
                    entry.0 = entry.0.saturating_add(1);
                    entry.1 = nick;
                }
            }
            ConsoleEvent::DatabaseLost { error } => {
                self.say(ConsoleFact::DatabaseLost(Arc::from(self.shown(&error))));
            }
            ConsoleEvent::DatabaseFound { .. } => self.say(ConsoleFact::DatabaseFound),
            ConsoleEvent::MapChange { .. } => self.say(ConsoleFact::MapChange),
            ConsoleEvent::Workshop { .. } => self.say(ConsoleFact::Workshop),
            ConsoleEvent::ModuleLoaded { .. } => {}
        }
    }

    /// Facts that are not counted are still bounded: a repeated one adds nothing.
    fn say(&mut self, fact: ConsoleFact) {
        if self.urgent.len() < MOST && self.urgent.last() != Some(&fact) {
            self.urgent.push(fact);
        }
    }

    fn lua(&mut self, error: &LuaError) {
        // What a player's own game reports is not the server's fault.
        if error.client.is_some() {
            return;
        }
        let place = error.guilty.as_deref().or(error.file.as_deref()).unwrap_or("?");
        let line = error.line.map_or_else(String::new, |line| format!(":{line}"));
        let at = if place.contains(':') { place.to_owned() } else { format!("{place}{line}") };
        self.error(error.signature, &format!("{at}: {}", error.message));
    }

    fn error(&mut self, signature: u64, sample: &str) {
        if let Some(known) = self.errors.get_mut(&signature) {
            known.0 = known.0.saturating_add(1);
        } else if self.errors.len() < MOST {
            self.errors.insert(signature, (1, Arc::from(self.shown(sample))));
        }
    }

    async fn report(&mut self, eyes: &Eyes, service: ServiceId) -> Result<(), Stopped> {
        let mut facts = std::mem::take(&mut self.urgent);
        let errors = std::mem::take(&mut self.errors).into_iter();
        facts.extend(errors.map(|(signature, (count, sample))| ConsoleFact::LuaErrors {
            signature,
            count,
            sample,
        }));
        let rejects = std::mem::take(&mut self.rejects).into_iter();
        facts.extend(rejects.map(|(steamid, (count, nick))| ConsoleFact::Rejects {
            steamid: Arc::from(steamid),
            count,
            nick: Arc::from(nick),
        }));
        for fact in facts {
            eyes.handle.saw(&eyes.clock, service, Fact::Console(fact)).await?;
        }
        Ok(())
    }
}

fn strip_digits(line: &str) -> String {
    line.chars().filter(|c| !c.is_ascii_digit()).collect()
}

fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_console_tells_of_a_secret_is_not_kept() {
        let mut gathered = Gathered::default();
        let mut matcher = Matcher::new();
        for line in [
            "[Construction] \u{274c} MySQL connexion échouée: denied, password='hunter22'",
            "[ERROR] addons/db/lua/db.lua:3: cannot reach mysql://gmod:hunter22@127.0.0.1/x",
        ] {
            matcher.line(line.as_bytes(), &mut |event| gathered.take(event));
        }
        matcher.flush(&mut |event| gathered.take(event));
        let told = format!("{:?} {:?}", gathered.urgent, gathered.errors);
        assert!(told.contains("denied") && told.contains("cannot reach"), "{told}");
        assert!(!told.contains("hunter22"), "{told}");
    }

    #[test]
    fn a_feed_is_deaf_when_the_clock_went_back_behind_its_beginning() {
        let began = Moment { steady: 5_000, wall: 1_000_000 };
        let after = |steady: i64, jump: i64| Moment {
            steady: began.steady + steady,
            wall: began.wall + steady + jump,
        };
        assert!(!is_deaf(began, after(60_000, 0)));
        // Back, and still behind the beginning in time: the feed goes on.
        assert!(!is_deaf(began, after(7_200_000, -3_600_000)));
        assert!(is_deaf(began, after(60_000, -3_600_000)));
        assert!(!is_deaf(began, after(250, -1_000)), "that has passed before a new feed is open");
    }
}
