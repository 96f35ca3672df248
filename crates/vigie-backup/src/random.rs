//! Does: random bytes for names and logins, from the generator that makes the keys.

use rustic_core::Id;

/// So many random bytes, at most 32, as hexadecimal digits.
pub(crate) fn hex(bytes: usize) -> String {
    let all = Id::random().to_hex();
    all.as_str()[..2 * bytes.min(32)].to_owned()
}
