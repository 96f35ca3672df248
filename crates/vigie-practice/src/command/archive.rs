//! What the construction addon logged: the last entries, a bounded number.

use std::collections::VecDeque;

/// How many entries are kept.
const MOST: usize = 500;

/// The log of the addon.
#[derive(Debug, Default)]
pub(crate) struct Archive(VecDeque<String>);

impl Archive {
    /// A log with a past, long enough that reading all of it takes several
    /// RCON packets.
    pub(crate) fn seeded() -> Self {
        const DEEDS: [&str; 5] = [
            "blueprint_save: maison_du_port",
            "material_use: 12 x brique",
            "blueprint_load: tour_radio",
            "prop_place: models/props_c17/fence01a.mdl",
            "pickup: caisse",
        ];
        let mut archive = Self::default();
        for (index, deed) in (0..400_u32).zip(DEEDS.iter().cycle()) {
            archive.note(format!(
                "#{index:04} STEAM_0:{}:{} {deed}",
                index % 2,
                1_000_003 + index % 7
            ));
        }
        archive
    }

    /// Adds an entry, forgetting the oldest.
    pub(crate) fn note(&mut self, entry: String) {
        self.0.push_back(entry);
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// The last `count` entries, oldest first.
    pub(crate) fn last(&self, count: usize) -> impl Iterator<Item = &str> {
        self.0.iter().skip(self.0.len().saturating_sub(count)).map(String::as_str)
    }

    /// How many entries are kept.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_ones() {
        let mut archive = Archive::seeded();
        (0..1000).for_each(|n| archive.note(n.to_string()));
        assert_eq!(archive.len(), MOST);
        assert_eq!(archive.last(2).collect::<Vec<_>>(), ["998", "999"]);
    }
}
