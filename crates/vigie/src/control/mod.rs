//! Does: the daemon's unix socket (mode 0600) and the client that the command line uses: one JSON
//! request a line, one JSON answer a line.

mod client;
mod server;

use serde::{Deserialize, Serialize};
use vigie_core::learn::{Entry, Known};

use crate::report::Status;

pub use client::{Client, ControlError};
pub use server::{Server, listen, serve};

/// What the command line asks of the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ask")]
#[expect(missing_docs, reason = "one request a command; the fields are the command's arguments")]
pub enum Request {
    Status,
    Acknowledge {
        incident: u64,
        by: String,
    },
    Note {
        incident: u64,
        by: String,
        text: String,
    },
    Report {
        service: String,
        severity: String,
        by: String,
        text: String,
    },
    Resolve {
        incident: u64,
        by: String,
    },
    Close {
        incident: u64,
        by: String,
    },
    Approve {
        run: u64,
        granted: bool,
        by: String,
    },
    /// What a runbook would do now; nothing is done.
    Rehearse {
        service: String,
        runbook: String,
    },
    RunRunbook {
        service: String,
        runbook: String,
        by: String,
    },
    /// To add incidents to what is known.
    Learn {
        known: Vec<Known>,
        by: String,
    },
    /// To write an entry into the development journal.
    Journal {
        entry: Entry,
        by: String,
    },
    Maintenance {
        minutes: Option<u64>,
        by: String,
    },
    /// `process` runtime: stop or start a service as an operator would.
    Operate {
        service: String,
        stop: bool,
    },
}

/// What the daemon answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Answer {
    /// How things are.
    Status {
        /// The status.
        status: Box<Status>,
    },
    /// What would be done: the records that would be made.
    Rehearsed {
        /// From the choice of the case to the first step, or to why there is none.
        records: Vec<vigie_core::Record>,
    },
    /// Done, and what to say.
    Done {
        /// For the person.
        text: String,
    },
    /// Not done, and why.
    Refused {
        /// For the person.
        why: String,
    },
}
