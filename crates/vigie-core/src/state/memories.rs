//! Decides how what is remembered of the services is found: by name, as records have it, and by place,
//! for what happens thousands of times a second. In a snapshot it is a map by name.

use std::collections::BTreeMap;
use std::ops::Index;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::state::ServiceState;

/// What is remembered, by service. Nothing leaves it, so a place holds for as long as it lives.
#[derive(Debug, Clone, Default)]
pub struct Memories {
    rows: Vec<ServiceState>,
    places: BTreeMap<String, usize>,
}

impl Memories {
    /// How many services something is remembered of.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing is remembered yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What is remembered of the service of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ServiceState> {
        self.rows.get(self.place(name)?)
    }

    /// The place of the service of this name.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// What is remembered at a place.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<&ServiceState> {
        self.rows.get(place)
    }

    /// What is remembered of the service of this name, from now on if nothing was.
    pub(super) fn remember(&mut self, name: &str) -> &mut ServiceState {
        // A lookup first: the name is only copied for a service that is new.
        let place = self.place(name).unwrap_or_else(|| {
            self.places.insert(name.to_owned(), self.rows.len());
            self.rows.push(ServiceState::default());
            self.rows.len() - 1
        });
        &mut self.rows[place]
    }

    /// All of it, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ServiceState)> {
        self.places.iter().map(|(name, place)| (name.as_str(), &self.rows[*place]))
    }
}

/// Places are in the order in which the services were first heard of, which a snapshot does not keep and
/// which says nothing.
impl PartialEq for Memories {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Index<&str> for Memories {
    type Output = ServiceState;

    fn index(&self, name: &str) -> &ServiceState {
        &self.rows[self.places[name]]
    }
}

impl Serialize for Memories {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Memories {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let known = BTreeMap::<String, ServiceState>::deserialize(deserializer)?;
        let mut memories = Self::default();
        for (place, (name, row)) in known.into_iter().enumerate() {
            memories.places.insert(name, place);
            memories.rows.push(row);
        }
        Ok(memories)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_a_map_by_name_whatever_came_first() {
        let mut live = Memories::default();
        live.remember("mysql").streak = 1;
        live.remember("gmod").streak = 2;
        live.remember("mysql").stood_down = true;
        assert_eq!((live.len(), live.place("gmod"), live.place("web")), (2, Some(1), None));
        let text = serde_json::to_string(&live).unwrap();
        let map: BTreeMap<String, ServiceState> = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&map).unwrap(), text, "as older vigies wrote it");
        let read: Memories = serde_json::from_str(&text).unwrap();
        assert_eq!(read, live);
        assert_eq!((read.place("gmod"), read["gmod"].streak), (Some(0), 2));
        let mut other = read.clone();
        other.remember("web");
        assert_ne!(other, live);
    }
}
