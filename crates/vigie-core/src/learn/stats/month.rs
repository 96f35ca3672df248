//! Decides where calendar months begin and end, in UTC, leap years and all.

use super::Span;

const DAY_MS: i64 = 86_400_000;

/// A calendar month, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    /// The year.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
}

impl Month {
    /// The month in which `ms` (since 1970) lies.
    #[must_use]
    pub fn at(ms: i64) -> Self {
        // Howard Hinnant's `civil_from_days`: years begin in March, so that the leap day is last.
        let days = ms.div_euclid(DAY_MS) + 719_468;
        let era = days.div_euclid(146_097);
        let day = days.rem_euclid(146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let of_year = day - (365 * year + year / 4 - year / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let month = u8::try_from(month).unwrap_or(1);
        Self { year: era * 400 + year + i64::from(month <= 2), month }
    }

    /// The month after it.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.month >= 12 {
            Self { year: self.year + 1, month: 1 }
        } else {
            Self { year: self.year, month: self.month + 1 }
        }
    }

    /// All of it.
    #[must_use]
    pub fn span(self) -> Span {
        Span::new(self.begins(), self.next().begins())
    }

    /// The months that `span` touches, oldest first.
    pub fn touched(span: Span) -> impl Iterator<Item = Self> {
        let first = Self::at(span.from);
        let last = span.until.saturating_sub(1).max(span.from);
        std::iter::successors(Some(first), |month| Some(month.next()))
            .take_while(move |month| month.begins() <= last)
    }

    /// Its first millisecond.
    fn begins(self) -> i64 {
        let month = i64::from(self.month);
        let year = if month <= 2 { self.year - 1 } else { self.year };
        let from_march = if month > 2 { month - 3 } else { month + 9 };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let day = of_era * 365 + of_era / 4 - of_era / 100 + (153 * from_march + 2) / 5;
        (era * 146_097 + day - 719_468) * DAY_MS
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}
