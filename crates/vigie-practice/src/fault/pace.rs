//! Prints so many pieces a second, in batches: a line a system call would not
//! reach a hundred thousand a second.

use std::time::{Duration, Instant};

use crate::jobs::Job;

const TICK: Duration = Duration::from_millis(10);

/// Pieces in one batch at most, so that a slow reader costs no memory.
const BATCH: u64 = 16_384;

/// Calls `write` for each piece with its number, `rate` times a second, until
/// `lasting` is over (exactly `rate × lasting` pieces then) or the job ends.
/// A piece that falls into a freeze is not made up for.
pub(super) fn run(
    job: &Job,
    rate: u32,
    lasting: Option<Duration>,
    mut write: impl FnMut(u64, &mut String),
) {
    let begun = Instant::now();
    let (mut done, mut batch) = (0_u64, String::new());
    while job.goes_on() {
        let elapsed = begun.elapsed();
        let counted = lasting.map_or(elapsed, |lasting| elapsed.min(lasting));
        let due = whole(counted, rate);
        if due > done {
            let upto = due.min(done + BATCH);
            batch.clear();
            (done..upto).for_each(|piece| write(piece, &mut batch));
            done = upto;
            job.world().print_block(&batch);
        } else if lasting.is_some_and(|lasting| elapsed >= lasting) {
            return;
        } else {
            job.world().pause(TICK);
        }
    }
}

/// How many pieces are due after a time.
fn whole(elapsed: Duration, rate: u32) -> u64 {
    let pieces = elapsed.as_micros().saturating_mul(u128::from(rate)) / 1_000_000;
    u64::try_from(pieces).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_counted_exactly() {
        assert_eq!(whole(Duration::from_millis(1500), 100_000), 150_000);
        assert_eq!(whole(Duration::from_millis(9), 100), 0);
        assert_eq!(whole(Duration::MAX, u32::MAX), u64::MAX);
    }
}
