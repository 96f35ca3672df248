//! Does: a container's console: every line once, also across cuts. Docker's time stamps are the
//! positions; several lines can share one, so they are counted.

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::engine::Engine;
use crate::runtime::{Feed, LogLine, LogPosition, RuntimeError};

/// A longer line is given in pieces.
const LINE: usize = 64 * 1024;

pub(super) async fn follow(
    engine: &Engine,
    id: &str,
    from: Option<LogPosition>,
) -> Result<Feed<LogLine>, RuntimeError> {
    let docker = engine.docker().await?;
    // Whole seconds are all that can be asked for; what was seen of that second is skipped.
    let since = from.map_or(0, |from| i32::try_from(from.at / 1_000_000_000).unwrap_or(i32::MAX));
    let options = LogsOptionsBuilder::new()
        .follow(true)
        .stdout(true)
        .stderr(true)
        .timestamps(true)
        .since(since)
        .tail(if from.is_some() { "all" } else { "0" })
        .build();
    let stream = docker.logs(id, Some(options));
    let engine = engine.clone();
    let mut cutter = Cutter { skip: from, last: from.unwrap_or_default(), ..Cutter::default() };
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
            let complete = text.ends_with(b"\n");
            let text = text.strip_suffix(b"\n").unwrap_or(text);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            self.partial[stream].extend_from_slice(text);
            // Docker cuts long lines at 16 KiB, each piece with a stamp of its own.
            if complete || self.partial[stream].len() >= LINE {
                let text = self.partial[stream].split().freeze();
                lines.extend(self.line(at.unwrap_or(self.last.at), text));
            }
        }
        lines
    }

    fn line(&mut self, at: i64, text: Bytes) -> Option<LogLine> {
        self.last = if at == self.last.at && self.skip.is_none() {
            LogPosition { at, seen: self.last.seen + 1 }
        } else {
            LogPosition { at, seen: 1 }
        };
        if let Some(skip) = &mut self.skip {
            if at < skip.at {
                return None;
            }
            if at == skip.at && skip.seen > 0 {
                skip.seen -= 1;
                return None;
            }
            // Behind what was seen; a line at the very same time comes after those seen.
            let seen = if at == skip.at { self.last.seen } else { 1 };
            self.skip = None;
            self.last = LogPosition { at, seen };
        }
        Some(LogLine { text, next: self.last })
    }
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
        for cut in 1..3 {
            let mut cutter = Cutter::default();
            let all: Vec<_> = [A, B, C].iter().flat_map(|text| cutter.take(out(text))).collect();
            assert_eq!(texts(&all), ["a", "b", "c"]);
            let from = all[cut - 1].next;
            let mut again = Cutter { skip: Some(from), last: from, ..Cutter::default() };
            let rest: Vec<_> = [A, B, C].iter().flat_map(|text| again.take(out(text))).collect();
            assert_eq!(texts(&rest), ["a", "b", "c"][cut..]);
            assert_eq!(rest.last().unwrap().next, all[2].next);
        }
    }

    #[test]
    fn a_long_line_comes_in_one_piece() {
        let mut cutter = Cutter::default();
        assert!(cutter.take(out("2026-03-02T10:00:00.000000001Z first ")).is_empty());
        let lines = cutter.take(out("2026-03-02T10:00:00.000000002Z second\n"));
        assert_eq!(texts(&lines), ["first second"]);
    }
}
