//! Decides where a transaction ends: a log is cut between two of them, never inside one.

use super::{Event, Gtid, Kind};

/// Where the log is after an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Between two transactions.
    Between,
    /// In one.
    Inside,
    /// One has ended with this event.
    Ended(Group),
}

/// A transaction that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name, where the server gives names.
    pub gtid: Option<Gtid>,
    /// The latest second at which one of its statements began: it was not committed before.
    pub time: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Between,
    /// MariaDB's, of one statement.
    Alone,
    /// MySQL's, whose first statement says whether there will be a commit.
    Named,
    /// Until its commit.
    Open,
}

/// Follows a log through its transactions.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    state: State,
    gtid: Option<Gtid>,
    time: i64,
}

impl Groups {
    /// Whether no transaction is open.
    #[must_use]
    pub fn is_between(&self) -> bool {
        self.state == State::Between
    }

    /// Takes the next event of the log.
    pub fn take(&mut self, event: &Event<'_>, checksummed: bool) -> Place {
        let time = i64::from(event.time);
        match event.kind {
            Kind::MariaDbGtid | Kind::MySqlGtid => {
                self.gtid = event.gtid();
                self.time = time;
                self.state = match event.kind {
                    Kind::MySqlGtid => State::Named,
                    _ if event.is_alone() => State::Alone,
                    _ => State::Open,
                };
                return Place::Inside;
            }
            Kind::Stop | Kind::Rotate | Kind::Description | Kind::Between | Kind::Encryption => {
                *self = Self::default();
                return Place::Between;
            }
            _ => self.time = self.time.max(time),
        }
        if self.is_end(event, checksummed) {
            let Self { gtid, time, .. } = std::mem::take(self);
            return Place::Ended(Group { gtid, time });
        }
        Place::Inside
    }

    /// Whether the transaction ends here; if not, whether it is then an open one.
    fn is_end(&mut self, event: &Event<'_>, checksummed: bool) -> bool {
        let text = match event.kind {
            Kind::Xid | Kind::XaPrepare | Kind::Payload => return true,
            Kind::Query => event.statement(checksummed).map_or(&b""[..], |(_, text)| text),
            // Too long to be one of the words below.
            Kind::CompressedQuery | Kind::ExecuteLoad => b"",
            _ => {
                if self.state == State::Between {
                    self.state = State::Open;
                }
                return false;
            }
        };
        let is = |word: &str| text.eq_ignore_ascii_case(word.as_bytes());
        let begins = |word: &str| {
            text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
        };
        match self.state {
            State::Alone => true,
            State::Open => {
                is("COMMIT") || is("ROLLBACK") || begins("XA COMMIT") || begins("XA ROLLBACK")
            }
            State::Named | State::Between if is("BEGIN") || begins("XA START") => {
                self.state = State::Open;
                false
            }
            State::Named | State::Between => true,
        }
    }
}
