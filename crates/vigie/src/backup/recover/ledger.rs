//! Does: the state file of a recovery, in the directory that is being filled: what was chosen, what is
//! done, and what was about to be made, so that one that was killed goes on where it was. It is always
//! whole, and written before what it tells of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::RecoverError;
use crate::backup::BackupError;

/// Where it is in the directory.
const PLACE: &str = ".vigie/recover";
const FILE: &str = "state.json";

/// A step that is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Which.
    pub step: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What it says of itself.
    #[serde(default)]
    pub says: String,
}

/// What is known of a recovery.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// The stack.
    pub(super) stack: String,
    /// Until which moment its backups were chosen, in milliseconds since 1970; the newest without one.
    pub(super) until: Option<i64>,
    /// The second, since 1970, at whose beginning databases were wished for; the latest without one.
    #[serde(default)]
    pub(super) second: Option<i64>,
    /// Whether databases come back as of their dumps, without their logs.
    #[serde(default)]
    pub(super) dump_only: bool,
    /// The chosen backups: names and moments.
    pub(super) picks: Vec<(String, i64)>,
    /// When it was begun first, in milliseconds since 1970.
    pub(super) begun: i64,
    /// How often it was begun again.
    pub(super) resumed: u32,
    /// What is done.
    pub(super) done: Vec<Done>,
    /// Volumes and directories that are its own, made or about to be.
    pub(super) own: BTreeSet<String>,
    /// As of when databases are back that were followed by their logs, in milliseconds since 1970.
    #[serde(default)]
    pub(super) reached: BTreeMap<String, i64>,
    /// Whether containers may have been made.
    pub(super) started: bool,
    /// When everything answered, where something came back behind that, in milliseconds since 1970.
    #[serde(default)]
    pub(super) answered: Option<i64>,
    /// When it was verified, in milliseconds since 1970.
    pub(super) finished: Option<i64>,
}

/// The state with its file, held by one process.
#[derive(Debug)]
pub(super) struct Ledger {
    directory: PathBuf,
    pub(super) state: State,
    _lock: File,
}

impl Ledger {
    /// The state that is in `target`; none where no recovery was begun there.
    ///
    /// # Errors
    /// When it does not read.
    pub(super) fn look(target: &Path) -> Result<Option<State>, RecoverError> {
        let path = target.join(PLACE).join(FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BackupError::File(path, error).into()),
        };
        let state = serde_json::from_slice(&text).map_err(|error| {
            let path = path.display();
            RecoverError::Refused(format!(
                "{path} does not read: {error}; is it vigie's? Recover into another directory: --to DIR"
            ))
        })?;
        Ok(Some(state))
    }

    /// Takes `target` into its hands, with `state` where nothing was begun there.
    ///
    /// # Errors
    /// When another process has it, or it cannot be written.
    pub(super) fn open(target: &Path, state: State) -> Result<Self, RecoverError> {
        let directory = target.join(PLACE);
        let failed = |error| RecoverError::from(BackupError::File(directory.clone(), error));
        std::fs::create_dir_all(target).map_err(failed)?;
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.map_err(failed)?;
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        let lock = options.open(directory.join("lock")).map_err(failed)?;
        lock.try_lock().map_err(|_| {
            let why = "another vigie recovers into this directory; wait until it is done";
            RecoverError::Refused(why.to_owned())
        })?;
        // Read again under the lock: whoever had it before may have gone on.
        let known = Self::look(target)?;
        let resumes = known.is_some();
        let mut ledger = Self { directory, state: known.unwrap_or(state), _lock: lock };
        if resumes {
            ledger.state.resumed += 1;
        }
        ledger.write()?;
        Ok(ledger)
    }

    /// A directory for what is not in its place yet.
    pub(super) fn stage(&self) -> PathBuf {
        self.directory.join("stage")
    }

    /// Whether `step` is done.
    pub(super) fn has(&self, step: &str) -> bool {
        self.state.done.iter().any(|done| done.step == step)
    }

    /// Changes the state.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn note(&mut self, change: impl FnOnce(&mut State)) -> Result<(), RecoverError> {
        change(&mut self.state);
        self.write()
    }

    fn write(&self) -> Result<(), RecoverError> {
        let path = self.directory.join(FILE);
        let text = serde_json::to_vec_pretty(&self.state).unwrap_or_default();
        let write = || {
            let mut fresh =
                tempfile::Builder::new().prefix(".vigie-").tempfile_in(&self.directory)?;
            fresh.write_all(&text)?;
            fresh.as_file().sync_all()?;
            fresh.persist(&path).map_err(|error| error.error)?;
            File::open(&self.directory)?.sync_all()
        };
        write().map_err(|error| BackupError::File(path.clone(), error).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kept_and_held_by_one() {
        let target = tempfile::tempdir().unwrap();
        assert_eq!(Ledger::look(target.path()).unwrap(), None);
        let first = State { stack: "town".into(), begun: 5, ..State::default() };
        let mut ledger = Ledger::open(target.path(), first.clone()).unwrap();
        let busy = Ledger::open(target.path(), first.clone()).unwrap_err().to_string();
        assert!(busy.contains("another vigie"), "{busy}");
        let done = Done { step: "project".into(), took_ms: 7, says: String::new() };
        ledger.note(|state| state.done.push(done)).unwrap();
        assert!(ledger.has("project") && !ledger.has("files:addons"));
        drop(ledger);
        let again = Ledger::open(target.path(), State::default()).unwrap();
        assert_eq!((again.state.begun, again.state.resumed), (5, 1));
        assert!(again.has("project"));
        drop(again);
        std::fs::write(target.path().join(PLACE).join(FILE), "{").unwrap();
        let said = Ledger::look(target.path()).unwrap_err().to_string();
        assert!(said.contains("--to DIR"), "{said}");
    }
}
