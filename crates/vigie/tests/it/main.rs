//! vigie's own binary against the real thing: one binary of tests, one module a subject.
#![expect(clippy::disallowed_methods, reason = "a test starts what it tests")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]
#![expect(clippy::panic, reason = "the helpers of a test fail by panicking")]
#![expect(clippy::print_stderr, reason = "a failing test shows the log of its watch")]

mod approval;
mod backup;
mod backup_image;
mod bare;
mod command_line;
mod demo;
mod doctor;
mod drill;
mod faults;
mod history;
mod journal;
mod kills;
mod lost;
mod machine;
mod moment;
mod notify;
mod physical;
mod points;
mod postmortem;
mod pulse;
mod recover;
mod register;
mod sites;
mod snapshot;
mod survival;
mod up;
mod watch;
