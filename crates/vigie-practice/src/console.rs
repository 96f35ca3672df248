//! The console of the server: where its lines go.
//!
//! Writes are buffered, so that a flood of lines costs one system call a
//! batch. Errors are ignored: a server does not stop because nobody reads it.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufWriter, Write};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::lock::locked;

const BUFFER: usize = 64 * 1024;

/// What a [`Capture`] keeps at most, in bytes; the oldest go first.
const CAPTURE_LIMIT: usize = 4 * 1024 * 1024;

/// How long the last line may take: the reader may be gone or blocked, and a
/// dying server has to die.
const LAST_WORDS_PATIENCE: Duration = Duration::from_millis(500);

/// Where the lines go.
#[derive(Clone)]
pub struct Console(Arc<Mutex<BufWriter<Box<dyn Write + Send>>>>);

impl Console {
    /// A console that writes to `sink`.
    pub fn to(sink: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(BufWriter::with_capacity(BUFFER, Box::new(sink)))))
    }

    /// The console of a program: its standard output.
    pub fn stdout() -> Self {
        Self::to(io::stdout())
    }

    /// A console nobody reads.
    pub fn silent() -> Self {
        Self::to(io::sink())
    }

    /// A console for tests, and what it said.
    pub fn captured() -> (Self, Capture) {
        let capture = Capture::default();
        (Self::to(capture.clone()), capture)
    }

    /// Writes one line.
    pub(crate) fn line(&self, line: &str) {
        let mut out = locked(&self.0);
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }

    /// Writes lines that already end with a line break, in one go.
    pub(crate) fn block(&self, lines: &str) {
        let mut out = locked(&self.0);
        let _ = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
    }

    /// Writes the last line, giving up after half a second.
    pub(crate) fn last_words(&self, line: String) {
        let (done, wait) = mpsc::channel();
        let console = self.clone();
        let spoken = thread::Builder::new().name("last-words".to_owned()).spawn(move || {
            console.line(&line);
            let _ = done.send(());
        });
        if spoken.is_ok() {
            let _ = wait.recv_timeout(LAST_WORDS_PATIENCE);
        }
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Console")
    }
}

/// What a [`Console::captured`] said, the last 4 MiB of it.
#[derive(Debug, Clone, Default)]
pub struct Capture(Arc<Mutex<VecDeque<u8>>>);

impl Capture {
    /// Everything kept so far.
    pub fn text(&self) -> String {
        let bytes: Vec<u8> = locked(&self.0).iter().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = locked(&self.0);
        kept.extend(bytes);
        let excess = kept.len().saturating_sub(CAPTURE_LIMIT);
        kept.drain(..excess);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn captures_what_was_said_and_forgets_the_oldest() {
        let (console, capture) = Console::captured();
        console.line("one");
        console.block("two\nthree\n");
        assert_eq!(capture.text(), "one\ntwo\nthree\n");
        console.block(&"x".repeat(CAPTURE_LIMIT));
        assert_eq!(capture.text().len(), CAPTURE_LIMIT);
    }

    #[test]
    fn last_words_do_not_wait_for_a_blocked_reader() {
        struct Stuck;
        impl Write for Stuck {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                loop {
                    thread::park();
                }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let begun = Instant::now();
        Console::to(Stuck).last_words("bye".to_owned());
        assert!(begun.elapsed() < Duration::from_secs(3));
    }
}
