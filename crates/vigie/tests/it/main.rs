//! vigie's own binary against the real thing: one binary of tests, one module a subject.

mod command_line;
mod demo;
mod faults;
mod survival;
mod watch;
