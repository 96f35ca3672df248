//! Does: what can keep a log from being kept or played, with what to do about it.

use std::path::{Path, PathBuf};

use vigie_core::binlog::{EventError, FollowError, Gap};

/// MySQL's codes for a login that was refused.
const ACCESS_DENIED: [u16; 3] = [1044, 1045, 1698];
/// A privilege is missing.
const PRIVILEGE: u16 = 1227;
/// The log cannot be read from there on.
const NO_SUCH_PLACE: u16 = 1236;
/// The server ends, is full, or was told to drop us: later it may be different.
const PASSING: [u16; 5] = [1040, 1053, 1077, 1203, 1927];

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum BinlogError {
    /// The server cannot be reached, or the connection was lost.
    #[error("the database at {0}: {1}; is it running, and is this where it listens?")]
    Unreachable(String, std::io::Error),
    /// It said something that a database does not say.
    #[error("what listens at {0} does not talk as MariaDB or MySQL do: {1}")]
    Garbled(String, String),
    /// The login is refused.
    #[error("the database refuses the login of {user}: {says}")]
    Login {
        /// Who.
        user: String,
        /// What it says.
        says: String,
    },
    /// The account logs in in a way that is not known here.
    #[error(
        "{user} logs in by `{plugin}`, which vigie does not know; use mysql_native_password or \
         caching_sha2_password for it"
    )]
    Plugin {
        /// Who.
        user: String,
        /// How.
        plugin: String,
    },
    /// The account may not read the log.
    #[error(
        "{user} may not read the binary log ({says}); run as the database's administrator: GRANT \
         REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO '{user}'@'%';"
    )]
    Privilege {
        /// Who.
        user: String,
        /// What the server says.
        says: String,
    },
    /// The server keeps no log.
    #[error(
        "the database keeps no binary log, so it can only go back to its dumps; add to its service \
         in the compose file `command: [\"--log-bin=binlog\", \"--server-id=1\", \
         \"--binlog-format=ROW\"]` and recreate it"
    )]
    NoLog,
    /// The server has a server id with which it has no log.
    #[error(
        "the database has server_id 0 and gives its log to nobody; add `--server-id=1` to the \
         `command` of its service in the compose file and recreate it"
    )]
    NoServerId,
    /// Somebody else reads the log under the same number.
    #[error("another reader has the same replica id: {0}; give each its own")]
    Twin(String),
    /// Any other refusal.
    #[error("the database says: {says} (error {code})")]
    Refused {
        /// Its code.
        code: u16,
        /// What it says.
        says: String,
    },
    /// What is kept and what the server has do not join.
    #[error(
        "there is a gap in the log: {0}; what is kept stays good up to there, and a new dump with a \
         new chain has to begin"
    )]
    Gap(Gap),
    /// An event was changed on its way or on the server's disk.
    #[error(
        "the log comes damaged: {0}; it came so several times, so it is the server's own file that is \
         damaged: look at the disk, and make a new dump"
    )]
    Event(EventError),
    /// A file.
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    /// What is written about a piece does not read, or is not so.
    #[error("{0}: {1}")]
    Piece(PathBuf, String),
    /// Another vigie keeps this log.
    #[error("{0} is in use by another vigie; wait for its end")]
    Busy(PathBuf),
    /// A client program could not be run, or failed.
    #[error(transparent)]
    Client(#[from] crate::backup::database::DatabaseError),
    /// Nothing was played, because something would be lost.
    #[error(
        "the statement at {at} was said in database `{said_in}` and names `{names}`: playing only \
         some databases would leave it out; restore the whole server into a scratch one, and log with \
         binlog_format=ROW from now on"
    )]
    Foreign {
        /// Where.
        at: String,
        /// The database that it was said in.
        said_in: String,
        /// The one that it names.
        names: String,
    },
    /// The transaction is in none of the pieces.
    #[error("the transaction {0} is not in the log that is kept after the dump")]
    NoSuch(String),
}

impl BinlogError {
    pub(super) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        |error| Self::File(path.to_owned(), error)
    }

    /// What a server's refusal means.
    pub(super) fn refused(user: &str, code: u16, says: &str, at: &str) -> Self {
        let says = crate::text::cut(&crate::text::printable(says), 400);
        let user = user.to_owned();
        match code {
            code if ACCESS_DENIED.contains(&code) => Self::Login { user, says },
            PRIVILEGE => Self::Privilege { user, says },
            NO_SUCH_PLACE if says.contains("same server") => Self::Twin(says),
            NO_SUCH_PLACE => Self::Gap(Gap::Refused { at: at.to_owned(), says }),
            _ => Self::Refused { code, says },
        }
    }

    /// Whether the server is not set up to give its log: nothing has failed then, and only dumps can be
    /// gone back to.
    #[must_use]
    pub const fn is_not_set_up(&self) -> bool {
        matches!(
            self,
            Self::NoLog | Self::NoServerId | Self::Privilege { .. } | Self::Plugin { .. }
        )
    }

    /// Whether it may be gone by itself in a while: a server that starts again, a cut connection.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(..) => true,
            Self::Refused { code, .. } => PASSING.contains(code),
            _ => false,
        }
    }
}

impl From<FollowError> for BinlogError {
    fn from(error: FollowError) -> Self {
        match error {
            FollowError::Event(error) => Self::Event(error),
            FollowError::Gap(gap) => Self::Gap(gap),
            FollowError::Name(_) => Self::Garbled(String::from("the address"), error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_says_what_to_do() {
        let gap = "Could not find first log file name in binary log index file";
        let all = [
            (1045, "Access denied for user 'ada'@'localhost' (using password: YES)"),
            (1227, "Access denied; you need (at least one of) the REPLICATION SLAVE privilege(s)"),
            (1236, gap),
            (1236, "A slave with the same server_uuid/server_id as this slave has connected"),
            (1064, "You have an error\u{7} in your SQL syntax"),
        ];
        let mut text: Vec<_> = all
            .map(|(code, says)| BinlogError::refused("ada", code, says, "bin.000004").to_string())
            .into();
        text.push(BinlogError::NoLog.to_string());
        text.push(BinlogError::NoServerId.to_string());
        insta::assert_snapshot!(text.join("\n\n"), @r#"
        the database refuses the login of ada: Access denied for user 'ada'@'localhost' (using password: YES)

        ada may not read the binary log (Access denied; you need (at least one of) the REPLICATION SLAVE privilege(s)); run as the database's administrator: GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'ada'@'%';

        there is a gap in the log: the server does not give its log from bin.000004 on: Could not find first log file name in binary log index file; what is kept stays good up to there, and a new dump with a new chain has to begin

        another reader has the same replica id: A slave with the same server_uuid/server_id as this slave has connected; give each its own

        the database says: You have an error in your SQL syntax (error 1064)

        the database keeps no binary log, so it can only go back to its dumps; add to its service in the compose file `command: ["--log-bin=binlog", "--server-id=1", "--binlog-format=ROW"]` and recreate it

        the database has server_id 0 and gives its log to nobody; add `--server-id=1` to the `command` of its service in the compose file and recreate it
        "#);
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let refused = |code| BinlogError::refused("ada", code, "no", "");
        assert!(refused(1053).is_passing() && refused(1040).is_passing());
        assert!(!refused(1045).is_passing() && !refused(1236).is_passing());
        let lost = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert!(BinlogError::Unreachable(String::new(), lost).is_passing());
    }
}
