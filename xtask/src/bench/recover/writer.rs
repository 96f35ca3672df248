//! A program that commits a row after the other in one connection, and notes when each was acknowledged.

use std::io::{BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

/// Between two commits.
const PAUSE: Duration = Duration::from_millis(20);
/// A commit that takes longer never comes.
const LIMIT: Duration = Duration::from_secs(30);

/// When each row was acknowledged; the first one has the number 1.
type Acknowledged = Arc<Mutex<Vec<Instant>>>;

/// The program, and whoever drives it.
pub(super) struct Writer {
    client: Child,
    stop: Arc<AtomicBool>,
    rows: Acknowledged,
    driver: Option<JoinHandle<()>>,
}

impl Writer {
    /// Begins to write into the table `ticks`, through `client`: a client program that reads statements.
    pub(super) fn start(client: &mut Command) -> Result<Self> {
        client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut client = client.spawn().context("cannot start the client")?;
        let input = client.stdin.take().context("no input")?;
        let output = BufReader::new(client.stdout.take().context("no output")?);
        let (stop, rows) = (Arc::new(AtomicBool::new(false)), Acknowledged::default());
        let (seen, noted) = (Arc::clone(&stop), Arc::clone(&rows));
        let driver = std::thread::spawn(move || {
            // That it ends is what it is here for: the host is lost.
            let _ = drive(input, output, &seen, &noted);
        });
        let writer = Self { client, stop, rows, driver: Some(driver) };
        let begun = Instant::now();
        while writer.count() == 0 {
            ensure!(begun.elapsed() < LIMIT, "no row was acknowledged");
            std::thread::sleep(PAUSE);
        }
        Ok(writer)
    }

    /// Rows so far.
    fn count(&self) -> usize {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// When each row was acknowledged, after the server is gone.
    pub(super) fn ended(mut self) -> Vec<Instant> {
        self.end();
        std::mem::take(&mut *self.rows.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.client.kill();
        let _ = self.client.wait();
        if let Some(driver) = self.driver.take() {
            let _ = driver.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.end();
    }
}

fn drive(
    mut input: ChildStdin,
    mut output: impl std::io::BufRead,
    stop: &AtomicBool,
    rows: &Mutex<Vec<Instant>>,
) -> std::io::Result<()> {
    let mut line = String::new();
    for number in 1_usize.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        writeln!(input, "INSERT INTO ticks VALUES ({number}); SELECT {number};")?;
        input.flush()?;
        line.clear();
        // The answer to the second is only given when the first is committed.
        if output.read_line(&mut line)? == 0 || line.trim() != number.to_string() {
            break;
        }
        rows.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        std::thread::sleep(PAUSE);
    }
    Ok(())
}
