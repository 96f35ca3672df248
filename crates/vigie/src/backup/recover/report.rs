//! Decides what is told of a recovery that worked: its steps, how old what came back is (the RPO), and how
//! long it took until players could play again (the RTO).

use serde::Serialize;

use super::ledger::{Done, State};
use super::picks::is_log;

/// An asset that is back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Back {
    /// Its name.
    pub asset: String,
    /// The moment as of which it is back, in milliseconds since 1970.
    pub at: i64,
    /// How old that was when the recovery began, in milliseconds: what was lost at most.
    pub age_ms: u64,
}

/// A recovery that worked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The stack.
    pub stack: String,
    /// The steps, in their order.
    pub steps: Vec<Done>,
    /// The assets.
    pub assets: Vec<Back>,
    /// How often it was interrupted and begun again.
    pub resumed: u32,
    /// From its first beginning until everything answered, in milliseconds.
    pub rto_ms: u64,
    /// The age of the oldest asset with data of the players' (databases, volumes, directories), in
    /// milliseconds.
    pub rpo_ms: u64,
}

/// Makes it of what is known at the end.
pub(super) fn report(state: &State, finished: i64) -> Report {
    let span = |from: i64, to: i64| u64::try_from(to.saturating_sub(from)).unwrap_or(0);
    let assets: Vec<Back> = state
        .picks
        .iter()
        // A log is back with its database.
        .filter(|(asset, _)| !is_log(asset))
        .map(|(asset, at)| {
            let at = state.reached.get(asset).copied().unwrap_or(*at);
            Back { asset: asset.clone(), at, age_ms: span(at, state.begun) }
        })
        .collect();
    // An image and the project's files are what they are, however long ago they were kept.
    let is_data =
        |name: &str| ["database:", "volume:", "files:"].iter().any(|kind| name.starts_with(kind));
    let ages = assets.iter().filter(|one| is_data(&one.asset)).map(|one| one.age_ms);
    Report {
        stack: state.stack.clone(),
        rpo_ms: ages.max().unwrap_or(0),
        steps: state.done.clone(),
        assets,
        resumed: state.resumed,
        rto_ms: span(state.begun, state.answered.unwrap_or(finished)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_data_is_the_rpo_and_interruptions_count() {
        let state = State {
            stack: "town".into(),
            picks: vec![
                ("binlog:mysql".into(), 500),
                ("database:town".into(), 2_000),
                ("image:gmod".into(), 1_000),
                ("volume:data".into(), 4_000),
            ],
            begun: 10_000,
            reached: [("database:town".into(), 9_000)].into(),
            resumed: 1,
            ..State::default()
        };
        let told = report(&state, 75_000);
        assert_eq!((told.rto_ms, told.rpo_ms, told.resumed), (65_000, 6_000, 1));
        let ages: Vec<_> = told.assets.iter().map(|one| one.age_ms).collect();
        assert_eq!(ages, [1_000, 9_000, 6_000], "a log counts by how far it brought its database");
        let behind = report(&State { answered: Some(40_000), ..state }, 75_000);
        assert_eq!(behind.rto_ms, 30_000, "players play while restore points come back");
    }
}
