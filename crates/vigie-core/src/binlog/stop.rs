//! Decides where a replay ends.

use super::{Group, Gtid};

/// Where a replay ends: always between two transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// In front of the first transaction that was not begun before this second (since 1970). A
    /// log's transactions are in the order of their commits, so everything that had been
    /// acknowledged by then is in front of it, and nothing whose commit was asked for later.
    Before(i64),
    /// Behind the transaction of this name.
    After(Gtid),
    /// At the end of what is kept.
    End,
}

impl Stop {
    /// Whether the log ends in front of `group`.
    #[must_use]
    pub fn is_before(&self, group: &Group) -> bool {
        matches!(self, Self::Before(second) if group.time >= *second)
    }

    /// Whether the log ends behind `group`.
    #[must_use]
    pub fn is_after(&self, group: &Group) -> bool {
        matches!(self, Self::After(gtid) if group.gtid.as_ref() == Some(gtid))
    }
}
