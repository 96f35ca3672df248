//! Decides what a runbook would do, without doing it: the order is played on a copy of the engine, so
//! that the budget, the guard and every rule have their word, and nothing is written down.

use crate::engine::Engine;
use crate::event::{Event, Order};
use crate::incident::Actor;
use crate::moment::Moment;
use crate::record::Record;
use crate::respond::{Evidence, RunId};
use crate::stack::ServiceId;

impl Engine {
    /// The records that would be made if a person ran `runbook` on `service` now and `evidence` were
    /// found: from the choice of the case to the first step, or to why there is none.
    ///
    /// # Errors
    /// Why the order would not be followed, in words.
    pub fn rehearse(
        &self,
        now: Moment,
        service: ServiceId,
        runbook: &str,
        evidence: Box<Evidence>,
    ) -> Result<Vec<Record>, String> {
        let mut copy = self.clone();
        let (runbook, by) = (runbook.to_owned(), Actor::Person(String::from("rehearsal")));
        let ordered = copy.handle(now, Event::Ordered(Order::Run { service, runbook, by }));
        if let Some(Err(why)) = ordered.reply {
            return Err(why);
        }
        // Other runs may begin at the same time.
        let mine = ordered.records.iter().rev().find_map(|record| match record {
            Record::RunStarted { run, by: Actor::Person(_), .. } => Some(*run),
            _ => None,
        });
        let run = mine.unwrap_or(RunId(copy.state.last_run));
        let records = copy.handle(now, Event::Collected { run, evidence }).records;
        Ok(records.into_iter().filter(|record| record.run() == Some(run)).collect())
    }
}
