//! Fakes of vigie's ports, scripted by tests. They pass the conformance suites that the real things
//! pass.

pub mod runtime;

pub use runtime::{Call, FakeRuntime, Fate};
