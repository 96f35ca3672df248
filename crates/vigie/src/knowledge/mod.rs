//! Does: brings what is known from before: the shipped incidents, and tables that people wrote.
//! Never decides what resembles what.

mod table;
#[cfg(test)]
mod tests;

use serde::Deserialize;
use vigie_core::learn::Known;

pub use table::{TableError, read_table};

const SHIPPED: &str = include_str!("../../knowledge/known.toml");

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    known: Vec<Known>,
}

/// The incidents that ship with vigie.
#[must_use]
pub fn shipped() -> Vec<Known> {
    let file: File = toml::from_str(SHIPPED).unwrap_or_else(|error| {
        tracing::error!(%error, "the shipped knowledge cannot be read");
        File::default()
    });
    file.known
}

/// What an import makes of a table: new incidents, numbered behind the `known` ones, and the titles
/// of those that were known already.
#[must_use]
pub fn sort_out(known: &[Known], read: Vec<Known>) -> (Vec<Known>, Vec<String>) {
    let (mut new, mut told): (Vec<Known>, Vec<String>) = (Vec::new(), Vec::new());
    for mut one in read {
        if known.iter().chain(&new).any(|other| other.is_told_again_by(&one)) {
            told.push(one.title.en);
            continue;
        }
        let taken = |id: &str| known.iter().chain(&new).any(|other| other.id == id);
        if one.id.is_empty() || taken(&one.id) {
            let free = (1..).map(|number| format!("K{number}")).find(|id| !taken(id));
            one.id = free.unwrap_or_default();
        }
        new.push(one);
    }
    (new, told)
}
