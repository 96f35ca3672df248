//! The runtimes against their contract: the fake, plain processes, real Docker.

mod docker;
mod fake;
mod process;
mod puppet;
