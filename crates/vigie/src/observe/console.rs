//! Does: follows a game's console across restarts and cuts, and reports what its lines say. Floods
//! are counted, not passed on one by one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::Instant;
use vigie_core::console::{ConsoleEvent, LuaError, Matcher};
use vigie_core::observe::{ConsoleFact, Fact};
use vigie_core::stack::ServiceId;

use super::Eyes;
use crate::engine::Stopped;
use crate::runtime::{LogLine, LogPosition, RuntimeError};
use crate::text::cut;

/// How long repeated lines are counted before they are reported.
const GATHER: Duration = Duration::from_millis(250);
/// Signatures and players counted at a time; a flood of different ones is cut here.
const MOST: usize = 64;
const RETRY: Duration = Duration::from_secs(1);

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
    let mut matcher = Matcher::new();
    let mut gathered = Gathered::default();
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

fn end(error: &RuntimeError) {
    tracing::debug!(%error, "the console's stream has ended");
}

/// What was said since the last report.
#[derive(Debug, Default)]
struct Gathered {
    urgent: Vec<ConsoleFact>,
    errors: BTreeMap<u64, (u32, Arc<str>)>,
    rejects: BTreeMap<String, (u32, String)>,
}

impl Gathered {
    fn take(&mut self, event: ConsoleEvent) {
        match event {
            ConsoleEvent::Ready => self.say(ConsoleFact::Ready),
            ConsoleEvent::Crash { line, .. } | ConsoleEvent::PortTaken { line } => {
                self.say(ConsoleFact::Crash(Arc::from(cut(&line, 200))));
            }
            ConsoleEvent::LuaError(error) => self.lua(&error),
            ConsoleEvent::Script { what, line } => {
                let signature = fnv(&format!("{what:?}{}", strip_digits(&line)));
                self.error(signature, cut(&line, 200));
            }
            ConsoleEvent::RateLimit { nick, steamid, .. } => {
                if self.rejects.len() < MOST || self.rejects.contains_key(&steamid) {
                    let entry = self.rejects.entry(steamid).or_default();
                    entry.0 = entry.0.saturating_add(1);
                    entry.1 = nick;
                }
            }
            ConsoleEvent::DatabaseLost { error } => {
                self.say(ConsoleFact::DatabaseLost(Arc::from(cut(&error, 200))));
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
        self.error(error.signature, cut(&format!("{at}: {}", error.message), 200));
    }

    fn error(&mut self, signature: u64, sample: String) {
        if let Some(known) = self.errors.get_mut(&signature) {
            known.0 = known.0.saturating_add(1);
        } else if self.errors.len() < MOST {
            self.errors.insert(signature, (1, Arc::from(sample)));
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
