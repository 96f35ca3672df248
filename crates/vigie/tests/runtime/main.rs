//! The runtimes against their contract: the fake, plain processes, real Docker.

mod docker;
mod fake;
mod family;
mod process;
mod puppet;
