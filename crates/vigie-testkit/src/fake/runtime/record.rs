//! A bounded list whose items keep their numbers, for events and console lines.

use std::collections::VecDeque;

/// The last items; older ones are forgotten.
#[derive(Debug)]
pub(super) struct Record<T> {
    items: VecDeque<T>,
    first: u64,
    most: usize,
}

impl<T: Clone> Record<T> {
    pub(super) fn of_at_most(most: usize) -> Self {
        Self { items: VecDeque::new(), first: 0, most }
    }

    pub(super) fn push(&mut self, item: T) {
        if self.items.len() == self.most {
            self.items.pop_front();
            self.first += 1;
        }
        self.items.push_back(item);
    }

    /// The number that the next item will get.
    pub(super) fn end(&self) -> u64 {
        self.first + self.items.len() as u64
    }

    /// The first item from number `at` on that is still known, and its number.
    pub(super) fn from(&self, at: u64) -> Option<(u64, T)> {
        let at = at.max(self.first);
        let index = usize::try_from(at - self.first).ok()?;
        Some((at, self.items.get(index)?.clone()))
    }

    /// The number of the first item for which `is` holds, or of the next to come.
    pub(super) fn find(&self, is: impl Fn(&T) -> bool) -> u64 {
        let found = self.items.iter().position(is);
        found.map_or_else(|| self.end(), |index| self.first + index as u64)
    }

    pub(super) fn last(&self) -> Option<&T> {
        self.items.back()
    }

    pub(super) fn tail(&self, count: usize) -> Vec<T> {
        self.items.iter().skip(self.items.len().saturating_sub(count)).cloned().collect()
    }
}
