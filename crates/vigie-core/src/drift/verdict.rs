//! Decides what is said of a container that is not what the compose file says: the differences, and at
//! the end what would apply them. Compose itself makes a container afresh only where the hash of its
//! configuration differs, or its image does.

use super::difference::{Difference, compare};
use super::form::Form;

/// A container that Compose did not make.
pub const NOT_BY_COMPOSE: &str = "it was not made by Compose";
const CHANGED: &str =
    "the compose file has changed since it was made (a restart does not apply that)";
const RECREATED: &str =
    "`docker compose up -d` would make it afresh and a restart would change nothing";
const KEPT: &str = "`docker compose up -d` would leave it as it is and `vigie up` makes it afresh";

/// What Compose's own hash says of the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// It was made from what the compose file says now.
    Same,
    /// It was made from something else.
    Other,
    /// The two cannot be compared: made by another generation, or without its dependencies.
    Unknown,
}

/// Everything to say, one line each; nothing when the container is what the compose file says.
#[must_use]
pub fn drift(wanted: Option<&Form>, running: &Form, hash: Hash) -> Vec<String> {
    let mut found = wanted.map(|wanted| compare(wanted, running)).unwrap_or_default();
    if hash == Hash::Same {
        // What cannot be changed in a running container has not changed.
        found.retain(Difference::can_come_by_itself);
    }
    let mut said: Vec<_> = found.iter().map(Difference::describe).collect();
    if hash == Hash::Other && said.is_empty() {
        return vec![String::from(CHANGED)];
    }
    if !said.is_empty() {
        let image = found.iter().any(|one| matches!(one, Difference::ImageId { .. }));
        let kept = hash == Hash::Same && !image;
        said.push(String::from(if kept { KEPT } else { RECREATED }));
    }
    said
}
