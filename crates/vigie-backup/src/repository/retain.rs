//! Does: forgets snapshots and gives back what nobody needs any more. Which ones are forgotten is
//! decided elsewhere; an append-only site forgets nothing.

use rustic_core::jiff::Span;
use rustic_core::{CheckOptions, LimitOption, PruneOptions, PruneStats};

use super::put::given;
use super::{Repository, SnapshotId};
use crate::Error;
use crate::lock::Hold;
use crate::source::told;

/// Who else may be writing while a repository is pruned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// Only those who respect locks: what nobody needs is removed at once.
    Locking,
    /// Also others, who take no locks, as other programs of restic's format may: what nobody needs is
    /// only marked, and removed by the first prune a day later.
    Any,
}

/// What a prune frees, or would free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Freed {
    /// Packs that are removed.
    pub packs: u64,
    /// Their bytes, without what is packed anew.
    pub bytes: u64,
    /// Bytes that are only marked, and removed by a prune a day later.
    pub marked: u64,
    /// Bytes that are read and written again, because the packs have both in them.
    pub repacked: u64,
    /// Bytes that stay.
    pub kept: u64,
}

impl Repository {
    /// Forgets snapshots; what only they needed is removed by [`Repository::prune`].
    ///
    /// # Errors
    /// When the site is append-only or cannot be written, or somebody else works there.
    pub fn forget(&self, ids: &[SnapshotId]) -> Result<(), Error> {
        self.forget_chosen(|_| ids.to_vec())
    }

    /// Forgets the snapshots that `choose` names, of all that there are, each as
    /// [`Repository::snapshots`] tells it. Nobody else works there between the look and the end.
    ///
    /// # Errors
    /// As [`Repository::forget`].
    pub fn forget_chosen(
        &self,
        choose: impl FnOnce(&[(SnapshotId, String, Vec<String>)]) -> Vec<SnapshotId>,
    ) -> Result<(), Error> {
        self.may_remove()?;
        self.holding(Hold::Alone, |work, _| {
            self.guarded(work, || {
                let repository = work.opened()?;
                let known = repository.get_all_snapshots()?;
                let told = known.iter().map(|one| {
                    let id = one.id.to_hex().as_str().to_owned();
                    (id, one.label.clone(), given(&one.tags))
                });
                let chosen = choose(&told.collect::<Vec<_>>());
                let ids: Vec<_> = known
                    .into_iter()
                    .map(|one| one.id)
                    .filter(|id| chosen.iter().any(|one| one == id.to_hex().as_str()))
                    .collect();
                if ids.is_empty() { Ok(()) } else { repository.delete_snapshots(&ids) }
            })
        })
    }

    /// Removes at once what no snapshot needs. Nobody else works on the repository meanwhile.
    ///
    /// # Errors
    /// When the site is append-only or cannot be written, or somebody else works there.
    pub fn prune(&self) -> Result<(), Error> {
        self.prune_with(Writers::Locking).map(drop)
    }

    /// Removes what no snapshot needs, with care for whoever else may be writing.
    ///
    /// # Errors
    /// When the site is append-only or cannot be written, or somebody else works there.
    pub fn prune_with(&self, writers: Writers) -> Result<Freed, Error> {
        self.may_remove()?;
        self.holding(Hold::Alone, |work, _| {
            self.store.sweep().map_err(|fault| self.failed(fault))?;
            self.guarded(work, || {
                let repository = work.opened()?;
                let options = options(writers);
                let plan = repository.prune_plan(&options)?;
                let freed = freed(&plan.stats, writers);
                repository.prune(&options, plan)?;
                Ok(freed)
            })
        })
    }

    /// Says what [`Repository::prune`] would do now, and does nothing.
    ///
    /// # Errors
    /// When the site cannot be read, or somebody removes things there.
    pub fn would_prune(&self, writers: Writers) -> Result<Freed, Error> {
        self.reading_locked(|work| {
            let plan = work.opened()?.prune_plan(&options(writers))?;
            Ok(freed(&plan.stats, writers))
        })
    }

    /// Reads all of it, data included, and says what is damaged.
    ///
    /// # Errors
    /// When it cannot be read at all, or is damaged.
    pub fn check(&self) -> Result<(), Error> {
        let found = self.reading_locked(|work| {
            let options = CheckOptions::default().trust_cache(true).read_data(true);
            work.opened()?.check(options)
        })?;
        found.is_ok().map_err(|error| {
            Error::Repository(self.place(), format!("it is damaged: {}", told(&error)))
        })
    }

    fn may_remove(&self) -> Result<(), Error> {
        if self.access.append_only { Err(Error::AppendOnly(self.place())) } else { Ok(()) }
    }
}

fn options(writers: Writers) -> PruneOptions {
    let options = PruneOptions::default().max_unused(LimitOption::Percentage(2));
    match writers {
        Writers::Locking => options.instant_delete(true).keep_delete(Span::new()),
        Writers::Any => options.instant_delete(false),
    }
}

fn freed(stats: &PruneStats, writers: Writers) -> Freed {
    let size = stats.size_sum();
    let removed = size.remove + size.repackrm + stats.size_unref;
    let (bytes, marked) = match writers {
        Writers::Locking => (removed + stats.size_to_delete.remove, 0),
        // What was marked by an earlier prune long enough ago is removed by this one.
        Writers::Any => (stats.size_to_delete.remove, removed),
    };
    Freed {
        packs: match writers {
            Writers::Locking => stats.packs.unused + stats.packs.repack + stats.packs_unref,
            Writers::Any => stats.packs_to_delete.remove,
        },
        bytes,
        marked,
        repacked: size.repack - size.repackrm,
        kept: size.total_after_prune(),
    }
}
