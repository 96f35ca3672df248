//! Decides what follows from the record of an incident: how long it lasted and for how many, what
//! went well, badly or by luck, what should be done about it. Never guesses: what only a person can
//! know is left to a person.

mod length;
mod lesson;
mod proposal;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::incident::Incident;
use crate::moment::Moment;
use crate::record::Record;
use crate::respond::Run;
use crate::stack::Targets;

pub use lesson::{Lesson, Side};
pub use proposal::Proposal;

/// A length of time that is only known within bounds: the least and the most that it can be.
pub type Length = (Duration, Duration);

/// What there is to judge an incident by.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// Its runs, oldest first.
    pub runs: &'a [Run],
    /// Its records, oldest first.
    pub timeline: &'a [(Moment, Record)],
    /// What was promised.
    pub targets: &'a Targets,
}

/// What follows from the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// From its start until it was seen; nothing for what a person reported.
    pub detected_in: Option<Length>,
    /// From its start until somebody or something had it in hand.
    pub in_hand_in: Option<Length>,
    /// How long it lasted; good times between two relapses are taken off. Nothing while it lasts.
    pub lasted: Option<Length>,
    /// Players on the games of the stack before it.
    pub players: Option<u32>,
    /// Players times how long it lasted.
    pub player_time: Option<Length>,
    /// What went well, badly or by luck, in this order.
    pub lessons: Vec<Lesson>,
    /// What should be done about it.
    pub proposals: Vec<Proposal>,
}

impl Review {
    /// Judges one incident.
    #[must_use]
    pub fn of(case: &Case<'_>) -> Self {
        let lasted = length::lasted(case);
        let players = case.incident.players;
        let each = |time: Duration| players.map(|players| time.saturating_mul(players));
        Self {
            detected_in: length::detected_in(case),
            in_hand_in: length::in_hand_in(case),
            lasted,
            players,
            player_time: lasted.and_then(|(least, most)| Some((each(least)?, each(most)?))),
            lessons: lesson::of(case),
            proposals: proposal::of(case),
        }
    }

    /// The lessons of one side.
    pub fn side(&self, side: Side) -> impl Iterator<Item = &Lesson> {
        self.lessons.iter().filter(move |lesson| lesson.side() == side)
    }
}
