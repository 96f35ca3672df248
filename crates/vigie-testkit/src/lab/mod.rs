//! The Docker lab: real engines, real compose projects, real processes to kill.
//!
//! `cargo xtask test` prepares the machine (packages, a private engine, images) and tells tests
//! where everything is through the environment ([`Facts`]). A test asks with
//! [`docker_or_skip`] and gets a [`Lab`], or says loudly that it was skipped.
//!
//! Never in here: packages and images (xtask makes them), and anything of vigie itself; the lab must
//! not share code with what it tests.

mod compose;
mod connect;
mod docker;
mod engine;
mod facts;
mod ports;
mod process;
pub mod run;
mod skip;
mod stack;

#[cfg(test)]
mod live;

pub use compose::{Compose, ComposeVersion};
pub use connect::{Lab, SecondEngine};
pub use docker::Docker;
pub use engine::{Engine, EngineSpec};
pub use facts::Facts;
pub use ports::free_port;
pub use process::{Signal, freeze, is_alive, send_signal, server_of};
pub use skip::{SKIPS_ENV, docker_or_skip, facts_or_skip, skip};
pub use stack::{Ports, Restart, Secrets, Stack, StackSpec};
