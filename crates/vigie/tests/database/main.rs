//! A database's log and its way back, against real MariaDB servers that this binary starts and ends
//! itself: one binary of tests, one module a subject.
#![expect(clippy::disallowed_methods, reason = "a test starts what it tests")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]
#![expect(clippy::panic, reason = "the helpers of a test fail by panicking")]

mod container;
mod faults;
mod forms;
mod gaps;
mod keeper;
mod moment;
mod server;
mod writer;
