//! Runs the stages of a task one after the other, with a header and a time for each, and a table at
//! the end. A failed stage does not keep the next ones from running.

use std::time::{Duration, Instant};

use anyhow::Result;

/// How a stage ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// It did its work; the note says what is worth knowing.
    Done(String),
    /// It could not run here, and that is no failure.
    Skipped(String),
    /// It failed.
    Failed(String),
}

/// The stages so far.
#[derive(Debug, Default)]
pub(crate) struct Stages {
    rows: Vec<(String, End, Duration)>,
}

impl Stages {
    /// Runs one stage and prints its header and its end.
    pub(crate) fn run(&mut self, name: &str, stage: impl FnOnce() -> Result<End>) -> bool {
        println!("\n== {name}");
        let start = Instant::now();
        let end = stage().unwrap_or_else(|error| End::Failed(format!("{error:#}")));
        let took = start.elapsed();
        println!("-- {name}: {} ({})", described(&end), seconds(took));
        let fine = !matches!(end, End::Failed(_));
        self.rows.push((name.to_owned(), end, took));
        fine
    }

    /// Whether any stage failed.
    pub(crate) fn any_failed(&self) -> bool {
        self.rows.iter().any(|(_, end, _)| matches!(end, End::Failed(_)))
    }

    /// The closing table.
    pub(crate) fn table(&self) -> String {
        let width = self.rows.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
        let mut out = String::from("\n");
        for (name, end, took) in &self.rows {
            let first = described(end).lines().next().unwrap_or_default().to_owned();
            out += &format!("  {name:width$}  {:>8}  {first}\n", seconds(*took));
        }
        out
    }
}

fn described(end: &End) -> String {
    match end {
        End::Done(note) if note.is_empty() => "ok".to_owned(),
        End::Done(note) => format!("ok, {note}"),
        End::Skipped(why) => format!("SKIPPED: {why}"),
        End::Failed(why) => format!("FAILED: {why}"),
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_kept_and_shown_and_the_next_stage_runs() {
        let mut stages = Stages::default();
        assert!(!stages.run("one", || anyhow::bail!("no\nmore")));
        assert!(stages.run("two", || Ok(End::Done("3 files".into()))));
        assert!(stages.any_failed());
        let table = stages.table();
        assert!(table.contains("FAILED: no\n"), "{table}");
        assert!(table.contains("ok, 3 files"), "{table}");
    }
}
