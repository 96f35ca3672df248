//! The runtimes against their contract: the fake, plain processes, real Docker.
#![expect(clippy::disallowed_methods, reason = "a test starts what it tests")]

mod docker;
mod drift;
mod fake;
mod family;
mod process;
mod puppet;
mod registry;
