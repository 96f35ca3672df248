//! Does: everything that touches the world: probes, runtimes, the journal, the command line. What to
//! do is decided in `vigie-core`.

pub mod app;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod demo;
pub mod diagnose;
pub mod doctor;
pub mod engine;
pub mod knowledge;
pub mod notify;
pub mod observe;
pub mod postmortem;
pub mod pulse;
pub mod report;
pub mod respond;
pub mod risk;
mod runner;
pub mod runtime;
pub mod snapshot;
pub mod store;
pub mod text;
pub mod up;
pub mod whole;
