//! Crashes that come by themselves, so that restarts make a crash loop.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use crate::death::Death;

/// When to crash, and how.
#[derive(Debug, Clone)]
pub struct CrashPlan {
    /// Counted from the start of the server, boot included.
    pub after: Duration,
    /// The way to die.
    pub how: Death,
    /// `None`: at every start.
    pub only: Option<FirstStarts>,
}

/// Only the first starts crash, counted in a file that outlives the process.
#[derive(Debug, Clone)]
pub struct FirstStarts {
    /// How many starts crash.
    pub times: u32,
    /// The file that counts the starts; made when missing.
    pub counter: PathBuf,
}

impl CrashPlan {
    /// Counts this start and tells whether it is one that crashes.
    pub(crate) fn is_due(&self) -> io::Result<bool> {
        match &self.only {
            None => Ok(true),
            Some(FirstStarts { times, counter }) => Ok(count_start(counter)? < *times),
        }
    }
}

/// The number of starts before this one.
fn count_start(counter: &Path) -> io::Result<u32> {
    let before: u32 = match fs::read_to_string(counter) {
        // A file somebody scribbled in counts as no start at all.
        Ok(text) => text.trim().parse().unwrap_or(0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    fs::write(counter, format!("{}\n", before.saturating_add(1)))?;
    Ok(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_starts_crash() {
        let dir = tempfile::tempdir().unwrap();
        let counter = dir.path().join("starts");
        let plan = CrashPlan {
            after: Duration::ZERO,
            how: Death::Segv,
            only: Some(FirstStarts { times: 2, counter: counter.clone() }),
        };
        let due: Vec<bool> = (0..4).map(|_| plan.is_due().unwrap()).collect();
        assert_eq!(due, [true, true, false, false]);
        fs::write(&counter, "junk").unwrap();
        assert!(plan.is_due().unwrap());
    }

    #[test]
    fn a_counter_that_cannot_be_written_is_an_error() {
        let plan = CrashPlan {
            after: Duration::ZERO,
            how: Death::Segv,
            only: Some(FirstStarts { times: 1, counter: "/nowhere/at/all".into() }),
        };
        assert!(plan.is_due().is_err());
    }
}
