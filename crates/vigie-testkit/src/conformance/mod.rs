//! Suites that every adapter of a port passes, and the port's fake too: what a fake does is worth
//! nothing when the real thing does otherwise.

pub mod runtime;
