//! Does: puts on record what a person tells beside the watch (known incidents, entries of the
//! development journal): through the daemon where one runs; otherwise into the journal, as the daemon
//! would have put it there.

use vigie_core::{Record, State};

use super::{Exit, Failure};
use crate::clock::Clock;
use crate::config::Config;
use crate::control::{Answer, Client, ControlError, Request};
use crate::report::say;
use crate::store::Journal;

/// Gives `request` to the daemon, or makes the `records` that it stands for itself. What the daemon
/// says comes back.
pub(super) async fn put(
    config: &Config,
    request: &Request,
    records: impl FnOnce(&State) -> Result<Vec<Record>, String>,
) -> Result<Option<String>, Failure> {
    let lang = config.file.stack.lang;
    match Client::connect(&config.socket()).await {
        // What is wrong with it is a slip of the pen: no guard has a say in this.
        Ok(mut client) => match client.ask(request).await? {
            Answer::Refused { why } => Err(Failure::say(Exit::Usage, say(&why, lang))),
            Answer::Done { text } => Ok(Some(text)),
            Answer::Status { .. } | Answer::Rehearsed { .. } => Ok(None),
        },
        Err(ControlError::NotRunning { .. }) => {
            append(config, records)?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Writes into the journal itself. Its lock keeps a daemon from starting meanwhile.
fn append(
    config: &Config,
    records: impl FnOnce(&State) -> Result<Vec<Record>, String>,
) -> Result<(), Failure> {
    let (mut journal, rebuilt) = Journal::open(&config.journal())?;
    let mut state = rebuilt.state;
    let lang = config.file.stack.lang;
    let records = records(&state).map_err(|why| Failure::say(Exit::Usage, say(&why, lang)))?;
    let now = Clock::after(state.last).now();
    records.iter().for_each(|record| state.apply(now, record));
    Ok(journal.append(now, &records, &[], &state)?)
}
