//! Does: keeps a channel's requests within the other side's limits. The outbox counts notices, and a
//! notice can take two requests; this counts requests.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use vigie_core::Moment;
use vigie_core::notify::{Outcome, Pace};

use super::{Kind, Sender};

/// A turn that comes this soon is waited for; a later one is the outbox's business.
const SOON: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Turns {
    pace: Mutex<Pace>,
    began: Instant,
}

impl Turns {
    pub(super) fn new(kind: Kind) -> Self {
        Self { pace: Mutex::new(Pace::new(Sender::limits(kind))), began: Instant::now() }
    }

    /// Waits for the turn of one request.
    pub(super) async fn wait(&self) -> Result<(), Outcome> {
        loop {
            let now = self.now();
            let Some(at) = self.with(|pace| pace.ready_at(now)) else { return Ok(()) };
            let left = at.since(now);
            if left > SOON {
                let why = String::from("kept back to stay within the other side's limits");
                return Err(Outcome::Later { after: Some(left), why });
            }
            sleep(left).await;
        }
    }

    /// A request was answered, or given up. Counted here and not when it was sent: the other side
    /// counts when it arrives, which is in between, so that it never sees two closer than they are
    /// counted here. Milliseconds are rounded up for the same reason: over a short way its clock is
    /// finer than this one.
    pub(super) fn over(&self) {
        let now = self.now().plus(Duration::from_millis(1));
        self.with(|pace| pace.count(now));
    }

    fn now(&self) -> Moment {
        let gone = self.began.elapsed().as_millis();
        Moment::from_ms(i64::try_from(gone).unwrap_or(i64::MAX))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Pace) -> T) -> T {
        work(&mut self.pace.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_turn_is_waited_for_or_given_back() {
        let turns = Turns::new(Kind::Telegram);
        let began = Instant::now();
        for _ in 0..20 {
            turns.wait().await.unwrap();
            turns.over();
        }
        assert_eq!(began.elapsed().as_secs(), 19);
        let Err(Outcome::Later { after: Some(after), .. }) = turns.wait().await else {
            panic!("the 21st within a minute")
        };
        // From the first answer on a minute, of which 19 s and what was rounded up are gone.
        assert_eq!(after, Duration::from_millis(40_982));
    }
}
