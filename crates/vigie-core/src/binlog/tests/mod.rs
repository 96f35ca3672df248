//! Decides nothing: the tests of what is decided about binary logs.

mod follow;
mod group;
mod log;
mod names;
mod pick;
