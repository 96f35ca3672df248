//! The practice game server: what vigie is exercised against.
//!
//! It speaks the three languages of a Source dedicated server (A2S over UDP,
//! RCON over TCP, and the console) and breaks on command in the ways the real
//! one does. It shares no code with the rest of vigie on purpose: it is the
//! other side of the protocols, so a mistake in one side shows up as a
//! disagreement instead of being made twice.
//!
//! Three ways to run it:
//! * the `vigie-practice` binary, alone in a scratch image;
//! * [`main_from`] or [`run`], embedded in another binary;
//! * [`Server::start`], inside a test, on a loopback port of its own.
//!
//! It never prints a password, and nothing on the wire can make it allocate.

mod a2s;
mod boot;
mod cli;
mod command;
mod config;
mod console;
mod crash_plan;
mod database;
mod death;
mod fate;
mod fault;
mod gag;
mod healthcheck;
mod jobs;
mod launch_line;
mod lock;
mod rcon;
mod secret;
mod server;
mod signals;
mod span;
mod stdin;
mod town;
mod words;
mod world;

pub use cli::{Args, main_from, run};
pub use config::{Config, ConfigError};
pub use console::{Capture, Console};
pub use crash_plan::{CrashPlan, FirstStarts};
pub use death::{Death, UnknownDeath};
pub use secret::Secret;
pub use server::{Handle, Server, StartError};
