//! Does: finds what is damaged in a repository, and says which files of which snapshots that concerns.
//! It reads only, and goes on where everything else stops at the first damage.

mod files;
mod paths;

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use rustic_core::Id;

use super::Repository;
use super::work::Work;
use crate::Error;
use crate::lock::Hold;
use crate::pack::Kind;

/// What a file of a repository is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// What is known of the repository as a whole.
    Config,
    /// What the password opens.
    Key,
    /// A snapshot.
    Snapshot,
    /// What is in which pack.
    Index,
    /// Data.
    Pack,
}

/// A file of a repository that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damaged {
    /// What it is.
    pub part: Part,
    /// Its name: 64 hexadecimal digits, or `config`.
    pub name: String,
    /// Whether it is not there at all.
    pub missing: bool,
}

/// A snapshot that does not come back whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concerned {
    /// Its name.
    pub id: String,
    /// What it was kept as.
    pub label: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// What does not come back of it: files, and directories with all that is in them; the first ones.
    pub paths: Vec<PathBuf>,
}

/// What a look at all of a repository found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Files of the repository that are damaged, in the order of their parts and names.
    pub damaged: Vec<Damaged>,
    /// Snapshots that do not come back whole, oldest first.
    pub concerned: Vec<Concerned>,
    /// Snapshots that were looked at.
    pub snapshots: u64,
    /// Packs that were read whole.
    pub packs_read: u64,
    /// Bytes of them.
    pub bytes_read: u64,
    /// Packs that are in no index, as somebody leaves them who is killed; the next prune removes them.
    pub unneeded: u64,
}

impl Verified {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damaged.is_empty() && self.concerned.is_empty()
    }
}

impl std::fmt::Display for Verified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_sound() {
            let Self { snapshots, packs_read, .. } = self;
            return write!(f, "{snapshots} snapshots are sound; {packs_read} packs were read");
        }
        for Damaged { part, name, missing } in &self.damaged {
            let how = if *missing { "is not there" } else { "is damaged" };
            let what = format!("{part:?}").to_lowercase();
            writeln!(f, "{what} {} {how}", name.get(..8).unwrap_or(name))?;
        }
        for Concerned { id, label, tags, paths } in &self.concerned {
            let tags = tags.join(",");
            writeln!(f, "snapshot {} ({label} {tags}) does not come back whole:", &id[..8])?;
            for path in paths {
                writeln!(f, "  {}", path.display())?;
            }
        }
        f.write_str("repair it from another site that has the same data")
    }
}

/// Everything that was found, for whoever repairs it.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) report: Verified,
    /// Index files that cannot be read.
    pub(super) indexes: Vec<Id>,
    /// Snapshots that cannot be read.
    pub(super) snapshots: Vec<Id>,
    /// Keys that cannot be read.
    pub(super) keys: Vec<Id>,
    /// Whether `config` cannot be read.
    pub(super) config: bool,
    /// Packs that are damaged or missing, with whether they are there at all.
    pub(super) packs: BTreeMap<Id, bool>,
    /// Blobs that snapshots need and that no index has.
    pub(super) lost: HashSet<(Kind, Id)>,
}

impl Repository {
    /// Reads everything but the packs, and so many percent of the packs, a different choice each time;
    /// then tells what is damaged. One flipped bit in anything that was read is found.
    ///
    /// # Errors
    /// When the site fails, or somebody removes things there. Damage is no error but a finding.
    pub fn verify(&self, read_data: u8) -> Result<Verified, Error> {
        self.holding(Hold::Read, |work, _| Ok(self.findings(work, read_data)?.report))
    }

    pub(super) fn findings(&self, work: &Work<'_>, read_data: u8) -> Result<Findings, Error> {
        let seal = self.seal()?;
        let failed = |fault| self.failed(fault);
        let (mut found, index, snapshots) = files::look(&work.site, &seal).map_err(failed)?;
        files::read_packs(work, &index, read_data, self.meter.as_ref(), &mut found)
            .map_err(failed)?;
        paths::concerned(&work.site, &seal, &index, snapshots, &mut found).map_err(failed)?;
        found.report.damaged.sort();
        Ok(found)
    }
}
