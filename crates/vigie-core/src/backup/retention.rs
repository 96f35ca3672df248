//! Decides which backups of an asset stay: the newest of each hour, day and month, for so many of
//! each. The newest of all always stays.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// How many stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Hours of which the newest stays.
    pub hourly: usize,
    /// Days of which the newest stays.
    pub daily: usize,
    /// Months of which the newest stays.
    pub monthly: usize,
}

impl Default for Retention {
    fn default() -> Self {
        Self { hourly: 24, daily: 7, monthly: 3 }
    }
}

/// The hour, day or month of a moment.
type Bucket = fn(i64) -> i64;

/// Which of the backups made at `made` (milliseconds since 1970, in any order) may go; by their index.
/// Hours, days and months are those of UTC.
#[must_use]
pub fn expire(rules: &Retention, made: &[i64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..made.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(made[*index]));
    let mut stays = BTreeSet::new();
    stays.extend(order.first().copied());
    let buckets: [(usize, Bucket); 3] = [
        (rules.hourly, |at| at.div_euclid(HOUR)),
        (rules.daily, |at| at.div_euclid(DAY)),
        (rules.monthly, |at| month(at.div_euclid(DAY))),
    ];
    for (count, bucket) in buckets {
        let mut seen = BTreeSet::new();
        for index in &order {
            if seen.len() == count {
                break;
            }
            if seen.insert(bucket(made[*index])) {
                stays.insert(*index);
            }
        }
    }
    order.into_iter().filter(|index| !stays.contains(index)).collect()
}

/// The month of a day since 1970, counted from the year 0; the Gregorian calendar's 400 years repeat.
fn month(day: i64) -> i64 {
    // Counted from 1 March of the year 0, so that a leap day is the last of its year.
    let days = day + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let since_march = (5 * of_year + 2) / 153;
    (era * 400 + year) * 12 + since_march
}
