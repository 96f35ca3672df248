//! Decides what an entry of the development journal is: what somebody changed and why, with the
//! incidents that it is about and the commits that it was done by. Finding a commit is git's.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::incident::{Actor, IncidentId};
use crate::record::Record;
use crate::respond::Commit;
use crate::state::State;

/// One entry of the development journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1; 0 until it was written.
    pub number: u64,
    /// What was done and why; lines of printable text.
    pub text: String,
    /// The incidents that it is about, in order.
    #[serde(default)]
    pub incidents: Vec<IncidentId>,
    /// The commits that it was done by, in the order given.
    #[serde(default)]
    pub commits: Vec<Commit>,
}

impl Entry {
    /// Bytes of a text.
    pub const LONGEST: usize = 16 * 1024;
    /// Commits of an entry.
    pub const COMMITS: usize = 32;

    /// An entry about `incidents` and those that `text` names as `#12`.
    #[must_use]
    pub fn new(text: String, incidents: &[IncidentId], commits: Vec<Commit>) -> Self {
        let about: BTreeSet<_> = incidents.iter().copied().chain(named(&text)).collect();
        Self { number: 0, text, incidents: about.into_iter().collect(), commits }
    }

    /// Whether it can be written, where `exists` says which incidents there are.
    ///
    /// # Errors
    /// Why not, for the person who wrote it.
    pub fn check(&self, exists: impl Fn(IncidentId) -> bool) -> Result<(), String> {
        if self.text.trim().is_empty() {
            return Err(String::from("an entry of the journal needs a text"));
        }
        if self.text.len() > Self::LONGEST {
            let longest = Self::LONGEST / 1024;
            return Err(format!("an entry of the journal has at most {longest} KiB"));
        }
        if self.commits.len() > Self::COMMITS {
            return Err(format!("an entry names at most {} commits", Self::COMMITS));
        }
        match self.incidents.iter().find(|id| !exists(**id)) {
            None => Ok(()),
            Some(id) => Err(format!(
                "there is no incident {id} to link to; try: vigie incident list, or write the \
                 number without its `#` if it is no incident's"
            )),
        }
    }

    /// The record that writes it, as the next one of `state`.
    ///
    /// # Errors
    /// As [`Entry::check`].
    pub fn written(mut self, state: &State, by: Actor) -> Result<Record, String> {
        self.check(|id| state.gave(id))?;
        self.number = state.last_entry + 1;
        Ok(Record::Journaled { entry: Box::new(self), by })
    }
}

/// The incidents that `text` names: `#12` as a word of its own. `a#12`, `&#12;`, `owner/name#12` and
/// `#12ab` are something else.
fn named(text: &str) -> impl Iterator<Item = IncidentId> {
    text.match_indices('#').filter_map(|(at, _)| {
        let joins = |c: char| c.is_alphanumeric() || c == '_';
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| joins(c) || matches!(c, '&' | '#' | '/' | '\\')) {
            return None;
        }
        let rest = &text[at + 1..];
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, behind) = rest.split_at(end);
        // So many digits are no number that an incident could have.
        let number = digits.parse().ok()?;
        (!behind.starts_with(joins)).then_some(IncidentId(number))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Group, Severity};
    use crate::moment::Moment;

    fn about(text: &str) -> Vec<u64> {
        Entry::new(text.to_owned(), &[], Vec::new()).incidents.iter().map(|id| id.0).collect()
    }

    fn state(incidents: u64) -> State {
        let opened = |incident| Record::IncidentOpened {
            incident: IncidentId(incident),
            service: String::from("gmod"),
            group: Group::Availability,
            severity: Severity::P1,
            title: String::from("gmod is exited"),
            players: None,
        };
        State::replay((1..=incidents).map(|at| (Moment::from_ms(1), opened(at))))
    }

    #[test]
    fn numbers_behind_a_hash_are_incidents() {
        assert_eq!(about("#12"), [12]);
        assert_eq!(about("as in #3, (#1) and #3."), [1, 3]);
        assert_eq!(about("é#4 a#4 a_#4 &#4; zoe/vigie#4 ##4 \\#4 #4ab #4_ # 4 #"), [] as [u64; 0]);
        assert_eq!(about("#99999999999999999999999"), [] as [u64; 0]);
        let both = Entry::new(String::from("#2"), &[IncidentId(5), IncidentId(2)], Vec::new());
        assert_eq!(both.incidents, [IncidentId(2), IncidentId(5)]);
    }

    #[test]
    fn only_what_happened_can_be_linked() {
        let write = |text: &str, state: &State| {
            let entry = Entry::new(text.to_owned(), &[], Vec::new());
            entry.written(state, Actor::Person(String::from("zoe")))
        };
        let state = state(2);
        for text in ["see #3", "see #0"] {
            let why = write(text, &state).unwrap_err();
            assert!(why.starts_with("there is no incident #"), "{why}");
        }
        assert_eq!(write(" \n", &state).unwrap_err(), "an entry of the journal needs a text");
        let long = "é".repeat(Entry::LONGEST / 2 + 1);
        assert!(write(&long, &state).unwrap_err().ends_with("at most 16 KiB"));
        assert!(write(&long[2..], &state).is_ok());
        let mut many = Entry::new(String::from("x"), &[], Vec::new());
        let one = Commit { hash: String::from("1a2b3c4"), subject: String::new() };
        many.commits = vec![one; Entry::COMMITS + 1];
        assert!(many.written(&state, Actor::Vigie).unwrap_err().contains("32 commits"));
    }

    #[test]
    fn entries_are_numbered_in_the_state() {
        let mut state = state(1);
        for number in 1..=3 {
            let entry = Entry::new(String::from("see #1"), &[], Vec::new());
            let record = entry.written(&state, Actor::Person(String::from("zoe"))).unwrap();
            assert!(matches!(&record, Record::Journaled { entry, .. } if entry.number == number));
            state.apply(Moment::from_ms(2), &record);
        }
        assert_eq!(state.last_entry, 3);
    }
}
