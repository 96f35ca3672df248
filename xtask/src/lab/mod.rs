//! `cargo xtask lab`: reference stacks on a real engine for people, and the engine that tests use.

mod down;
mod engine;
mod record;
mod up;

pub(crate) use down::down;
pub(crate) use engine::{engine, env};
pub(crate) use record::list;
pub(crate) use up::{Wanted, up};
