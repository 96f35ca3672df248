//! Decides how long something lasted in all, when its times overlap.

/// A stretch of time in milliseconds, from its start up to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first millisecond.
    pub from: i64,
    /// The first one after it.
    pub until: i64,
}

impl Span {
    /// A stretch; one that would end before it begins is empty.
    #[must_use]
    pub const fn new(from: i64, until: i64) -> Self {
        Self { from, until: if until < from { from } else { until } }
    }

    /// Its length.
    #[must_use]
    pub const fn length(self) -> i64 {
        self.until.saturating_sub(self.from)
    }

    /// What of it lies within `other`.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        let from = self.from.max(other.from);
        Self::new(from, self.until.min(other.until))
    }
}

/// The stretches that `spans` cover, in order, none touching another.
#[must_use]
pub fn union(spans: impl IntoIterator<Item = Span>) -> Vec<Span> {
    let mut spans: Vec<_> = spans.into_iter().filter(|span| span.length() > 0).collect();
    spans.sort_unstable_by_key(|span| span.from);
    let mut covered: Vec<Span> = Vec::new();
    for span in spans {
        match covered.last_mut() {
            Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
            _ => covered.push(span),
        }
    }
    covered
}

/// How much of `window` a [`union`] covers.
pub(super) fn covered(union: &[Span], window: Span) -> i64 {
    union.iter().map(|span| span.within(window).length()).sum()
}
