//! Decides whether a container is what the compose file says, what differs, and what would end that.
//! Both sides are plain forms; what Compose, the image and the engine add by themselves is left out of
//! them, so that nothing is told which nobody wrote. The value of a secret is never told.

mod amount;
mod difference;
mod form;
mod layout;
#[cfg(test)]
mod tests;
mod verdict;
mod wanted;

pub use difference::{Difference, compare};
pub use form::{Form, GRACE, Mount, Ports, Source, binding, clean, policy};
pub use layout::{Declared, Keeping, Layout, Needs, keeping, layout};
pub use verdict::{Hash, NOT_BY_COMPOSE, drift};
pub use wanted::{Generation, Malformed, wanted};
