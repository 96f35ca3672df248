//! Does: a line on a terminal that tells how far a long work is; nothing elsewhere, where every step is
//! a line of its own anyway.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use vigie_backup::Meter;

use crate::backup::Tell;
use crate::report::ago;
use crate::text::size;

/// Between two looks of the person.
const EVERY: Duration = Duration::from_millis(200);
/// Moves to the beginning of the line and empties it.
const CLEAR: &str = "\r\u{1b}[K";

/// Counts bytes and shows them on standard error.
#[derive(Debug)]
pub(super) struct Bar {
    shown: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    total: u64,
    done: u64,
    began: Instant,
    said: Instant,
}

impl Bar {
    /// One that shows itself where somebody can see it.
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let state = Mutex::new(State { total: 0, done: 0, began: now, said: now });
        Self { shown: std::io::stderr().is_terminal(), state }
    }

    /// Says a step in a line of its own; what comes is counted from there.
    pub(super) fn step(&self, text: &str) {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State { total: 0, done: 0, began: now, said: now };
        if self.shown {
            eprint!("{CLEAR}");
        }
        println!("  {text}");
        let _ = std::io::stdout().flush();
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.shown {
            eprint!("{CLEAR}");
        }
    }
}

impl Meter for Bar {
    fn total(&self, bytes: u64) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).total = bytes;
    }

    fn more(&self, bytes: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.done = state.done.saturating_add(bytes);
        if self.shown && state.said.elapsed() >= EVERY {
            state.said = Instant::now();
            eprint!("{CLEAR}    {}", line(state.done, state.total, state.began.elapsed()));
            let _ = std::io::stderr().flush();
        }
    }
}

impl Tell for Bar {
    fn step(&self, text: &str) {
        Self::step(self, text);
    }
}

/// Says nothing of a work: what is printed is JSON alone.
#[derive(Debug)]
pub(super) struct Silent;

impl Tell for Silent {
    fn step(&self, _: &str) {}
}

impl Meter for Silent {
    fn total(&self, _: u64) {}

    fn more(&self, _: u64) {}
}

/// `1.2 GiB of 3.0 GiB, 210 MiB/s, 8.5 s left`.
fn line(done: u64, total: u64, gone: Duration) -> String {
    let ms = u64::try_from(gone.as_millis()).unwrap_or(u64::MAX).max(1);
    let speed = done.saturating_mul(1_000) / ms;
    let of = if total > done { format!(" of {}", size(total)) } else { String::new() };
    let left = total.checked_sub(done).filter(|left| *left > 0 && speed > 0);
    let left = left.map_or_else(String::new, |left| {
        format!(", {} left", ago(Duration::from_secs(left / speed)))
    });
    format!("{}{of}, {}/s{left}", size(done), size(speed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_speed_and_what_is_left() {
        let told = line(512 << 20, 2 << 30, Duration::from_secs(4));
        assert_eq!(told, "512 MiB of 2.0 GiB, 128 MiB/s, 12.0 s left");
        assert_eq!(line(1 << 20, 0, Duration::from_secs(1)), "1 MiB, 1 MiB/s");
        assert_eq!(line(0, 0, Duration::ZERO), "0 B, 0 B/s");
    }
}
