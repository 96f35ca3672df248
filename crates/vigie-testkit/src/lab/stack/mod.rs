//! A compose project of the reference stack: a game server and its database, written to disk and
//! started. The spec is data; `file` turns it into YAML, `project` into a directory, and [`Stack`]
//! is the running thing.

mod file;
mod git;
mod project;
mod running;
mod secrets;
mod spec;

pub use running::Stack;
pub use secrets::Secrets;
pub use spec::{Ports, Restart, StackSpec};

#[cfg(test)]
mod tests;
