//! Does: a container's console: every line once, also across cuts. Docker's time stamps are the
//! positions; several lines can share one, so they are counted.

use std::sync::atomic::{AtomicBool, Ordering};

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::engine::Engine;
use crate::runtime::{Feed, LogLine, LogPosition, RuntimeError};

/// A longer line is given in pieces.
const LINE: usize = 64 * 1024;
/// Docker cuts long lines into pieces of this size.
const PIECE: usize = 16 * 1024;
/// Lines looked back over by who begins now: those that come until the engine is really asked.
const BACK: &str = "10000";
/// A position later than now by more than this was given before the host's clock went back.
const AHEAD: i64 = 1_000_000_000;

/// What the engine is asked for, and what of its answer was seen before.
#[derive(Debug, PartialEq, Eq)]
struct Begin {
    since: i32,
    tail: &'static str,
    skip: Option<LogPosition>,
}

impl Begin {
    /// Nothing when `from` lies in the future.
    fn at(from: Option<LogPosition>, now: i64) -> Option<Self> {
        if from.is_some_and(|from| from.at > now.saturating_add(AHEAD)) {
            return None;
        }
        // "From now on" is a position too: the engine is asked only when the feed is first read, and
        // what is printed until then must not be lost. Engine and vigie share the host's clock.
        let tail = if from.is_some() { "all" } else { BACK };
        let from = from.unwrap_or(LogPosition { at: now, seen: 0 });
        // Whole seconds are all that can be asked for; what was seen of that second is skipped.
        let since = i32::try_from(from.at / 1_000_000_000).unwrap_or(i32::MAX);
        Some(Self { since, tail, skip: Some(from) })
    }

    /// What comes next, whatever its time: by a clock that went back, all of it lies before what was
    /// seen, and would be left out until the clock has caught up.
    const fn next_line() -> Self {
        Self { since: 0, tail: "0", skip: None }
    }
}

pub(super) async fn follow(
    engine: &Engine,
    id: &str,
    from: Option<LogPosition>,
    said: &AtomicBool,
) -> Result<Feed<LogLine>, RuntimeError> {
    let docker = engine.docker().await?;
    let begin = Begin::at(from, now());
    // Said once, until the clock has caught up: a container that does not run is asked every second.
    if !said.swap(begin.is_none(), Ordering::Relaxed) && begin.is_none() {
        tracing::warn!(
            "the host's clock went back behind the last console line: consoles are followed from now \
             on, and lines printed meanwhile may be missed"
        );
    }
    let begin = begin.unwrap_or(Begin::next_line());
    let options = LogsOptionsBuilder::new()
        .follow(true)
        .stdout(true)
        .stderr(true)
        .timestamps(true)
        .since(begin.since)
        .tail(begin.tail)
        .build();
    let stream = docker.logs(id, Some(options));
    let engine = engine.clone();
    let mut cutter = Cutter { skip: begin.skip, ..Cutter::default() };
    let feed = stream.flat_map(move |piece| {
        let lines = match piece {
            Ok(output) => cutter.take(output).into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => {
                vec![Err(engine.explain("reading the console of", "a container", &error))]
            }
        };
        futures_util::stream::iter(lines)
    });
    Ok(feed.boxed())
}

pub(super) async fn tail(
    engine: &Engine,
    service: &str,
    id: &str,
    lines: usize,
) -> Result<Vec<Bytes>, RuntimeError> {
    let docker = engine.docker().await?;
    let options = LogsOptionsBuilder::new()
        .stdout(true)
        .stderr(true)
        .timestamps(true)
        .tail(&lines.to_string())
        .build();
    let mut stream = Box::pin(docker.logs(id, Some(options)));
    let read = async {
        let mut cutter = Cutter::default();
        let mut read = Vec::new();
        while let Some(piece) = stream.next().await {
            read.extend(cutter.take(piece?).into_iter().map(|line| line.text));
        }
        Ok(read)
    };
    let mut read = engine.limit("reading the console of", service, read).await?;
    let extra = read.len().saturating_sub(lines);
    Ok(read.split_off(extra))
}

/// Cuts what Docker sends into lines.
#[derive(Debug, Default)]
struct Cutter {
    // Lines up to here were seen before.
    skip: Option<LogPosition>,
    last: LogPosition,
    // A line that is not complete yet, of the two streams.
    partial: [BytesMut; 2],
}

impl Cutter {
    fn take(&mut self, output: LogOutput) -> Vec<LogLine> {
        let (stream, message) = match output {
            LogOutput::StdErr { message } => (1, message),
            LogOutput::StdOut { message }
            | LogOutput::Console { message }
            | LogOutput::StdIn { message } => (0, message),
        };
        let mut lines = Vec::new();
        for piece in message.split_inclusive(|byte| *byte == b'\n') {
            let (at, text) = stamp(piece);
            let mut text = joined(&piece[..piece.len() - text.len()], text);
            let complete = text.ends_with(b"\n");
            if complete {
                text.pop();
            }
            if text.ends_with(b"\r") {
                text.pop();
            }
            self.partial[stream].extend_from_slice(&text);
            if complete || self.partial[stream].len() >= LINE {
                let text = self.partial[stream].split().freeze();
                lines.extend(self.line(at.unwrap_or(self.last.at), text));
            }
        }
        lines
    }

    fn line(&mut self, at: i64, text: Bytes) -> Option<LogLine> {
        let seen = if at == self.last.at { self.last.seen + 1 } else { 1 };
        self.last = LogPosition { at, seen };
        if self.skip.is_some_and(|skip| self.last <= skip) {
            return None;
        }
        // Only what comes first is skipped: two streams' stamps need not be in order.
        self.skip = None;
        Some(LogLine { text, next: self.last })
    }
}

fn now() -> i64 {
    i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}

/// Splits Docker's time stamp off.
fn stamp(piece: &[u8]) -> (Option<i64>, &[u8]) {
    let Some(space) = piece.iter().take(40).position(|byte| *byte == b' ') else {
        return (None, piece);
    };
    let at = std::str::from_utf8(&piece[..space])
        .ok()
        .and_then(|text| text.parse::<jiff::Timestamp>().ok());
    match at {
        Some(at) => (i64::try_from(at.as_nanosecond()).ok(), &piece[space + 1..]),
        None => (None, piece),
    }
}

/// A line without the stamps inside it: in a terminal's stream the pieces of a long line follow each
/// other without a border, each with the line's stamp before it.
fn joined(stamp: &[u8], mut text: &[u8]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(text.len());
    while !stamp.is_empty() && text.len() > PIECE && text[PIECE..].starts_with(stamp) {
        joined.extend_from_slice(&text[..PIECE]);
        text = &text[PIECE + stamp.len()..];
    }
    joined.extend_from_slice(text);
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(text: &str) -> LogOutput {
        LogOutput::StdOut { message: Bytes::copy_from_slice(text.as_bytes()) }
    }

    const A: &str = "2026-03-02T10:00:00.000000001Z a\n";
    const B: &str = "2026-03-02T10:00:00.000000001Z b\n";
    const C: &str = "2026-03-02T10:00:01.000000000Z c\n";

    fn texts(lines: &[LogLine]) -> Vec<String> {
        lines.iter().map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect()
    }

    #[test]
    fn a_cut_loses_and_repeats_nothing_even_at_one_moment() {
        let read = |mut cutter: Cutter| {
            [A, B, C].iter().flat_map(|text| cutter.take(out(text))).collect::<Vec<_>>()
        };
        let all = read(Cutter::default());
        assert_eq!(texts(&all), ["a", "b", "c"]);
        for cut in 1..3 {
            let rest = read(Cutter { skip: Some(all[cut - 1].next), ..Cutter::default() });
            // With the same positions, so that the next cut is none either.
            assert_eq!(rest, all[cut..]);
        }
    }

    #[test]
    fn a_position_in_the_future_does_not_make_deaf() {
        let now: i64 = 1_772_445_601_000_000_000;
        let position = |ahead: i64| Some(LogPosition { at: now + ahead, seen: 1 });
        let known = Begin::at(position(-5_000_000_000), now).unwrap();
        assert_eq!((known.since, known.tail), (1_772_445_596, "all"));
        assert_eq!(known.skip, position(-5_000_000_000));
        assert_eq!(Begin::at(None, now).unwrap().skip, Some(LogPosition { at: now, seen: 0 }));
        // The stamps of what was just printed may be a little ahead.
        assert!(Begin::at(position(1_000_000), now).is_some());
        // An hour ahead: the clock went back.
        assert_eq!(Begin::at(position(3_600_000_000_000), now), None);
        let mut cutter = Cutter { skip: Begin::next_line().skip, ..Cutter::default() };
        assert_eq!(texts(&cutter.take(out(A))), ["a"]);
    }

    #[test]
    fn a_long_line_comes_in_one_piece() {
        let mut cutter = Cutter::default();
        assert!(cutter.take(out("2026-03-02T10:00:00.000000001Z first ")).is_empty());
        let lines = cutter.take(out("2026-03-02T10:00:00.000000002Z second\n"));
        assert_eq!(texts(&lines), ["first second"]);
    }

    #[test]
    fn a_long_line_of_a_terminal_has_no_stamps_inside() {
        let stamp = "2026-03-02T10:00:00.000000001Z ";
        let (first, second) = ("x".repeat(PIECE), "y".repeat(PIECE));
        let text = format!("{stamp}{first}{stamp}{second}{stamp}z {stamp}\r\n");
        let lines = Cutter::default().take(out(&text));
        assert_eq!(texts(&lines), [format!("{first}{second}z {stamp}")]);
    }
}
