//! What tests are made with: the Docker lab (real engines, real compose projects), and, behind the
//! feature `fakes`, the fakes and conformance suites. Never part of the product.

#[cfg(feature = "fakes")]
pub mod chat;
#[cfg(feature = "fakes")]
pub mod conformance;
#[cfg(feature = "fakes")]
pub mod fake;
pub mod lab;
