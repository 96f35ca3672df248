//! Does: one piece of work on a repository: its own breaker and deadline around the site, and errors in
//! place of the panics and the long texts of `rustic_core`. It never decides what the work is.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use rustic_core::{OpenStatus, RepositoryBackends, RepositoryOptions, RusticError, RusticResult};

use super::Repository;
use crate::Error;
use crate::backend::Backend;
use crate::crypt::Seal;
use crate::lock::{self, Hold, Refused};
use crate::progress::Bars;
use crate::site::{Access, dressed};
use crate::source::told;
use crate::store::{Breaker, Fault, Store, Window};

/// Bytes that were read and are in use at once, at most.
const WINDOW: u64 = 48 << 20;

/// What a site is during one work.
pub(crate) type Guarded = Breaker<Arc<dyn Store>>;

/// One work.
pub(crate) struct Work<'a> {
    repository: &'a Repository,
    /// The site, until its first final fault.
    pub(crate) site: Guarded,
}

impl Work<'_> {
    /// The repository before it is opened.
    pub(crate) fn closed(&self) -> RusticResult<rustic_core::Repository<()>> {
        self.over(self.site.clone())
    }

    /// The repository.
    pub(crate) fn opened(&self) -> RusticResult<rustic_core::Repository<OpenStatus>> {
        self.closed()?.open(&self.repository.credentials())
    }

    fn over(&self, store: impl Store) -> RusticResult<rustic_core::Repository<()>> {
        let backend = Backend(Window::new(store, WINDOW));
        let backends = RepositoryBackends::new(Arc::new(backend), None);
        // What a cache would save is not worth a second copy of the index on every host.
        let options = RepositoryOptions::default().no_cache(true);
        let bars = Bars(self.repository.meter.clone());
        rustic_core::Repository::new_with_progress(&options, &backends, bars)
    }
}

impl Repository {
    /// A new work.
    pub(crate) fn work(&self) -> Work<'_> {
        let site = Breaker::new(dressed(Arc::clone(&self.store), &self.access));
        Work { repository: self, site }
    }

    /// Does one work that takes no lock.
    pub(crate) fn reading<T>(
        &self,
        call: impl FnOnce(&Work<'_>) -> RusticResult<T>,
    ) -> Result<T, Error> {
        let work = self.work();
        self.guarded(&work, || call(&work))
    }

    /// Does one work during which nobody may remove anything.
    pub(crate) fn reading_locked<T>(
        &self,
        call: impl FnOnce(&Work<'_>) -> RusticResult<T>,
    ) -> Result<T, Error> {
        self.holding(Hold::Read, |work, _| self.guarded(work, || call(work)))
    }

    /// Does one work that holds a lock for it; `call` is told whether somebody was killed here before.
    pub(crate) fn holding<T>(
        &self,
        hold: Hold,
        call: impl FnOnce(&Work<'_>, bool) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let work = self.work();
        let seal = self.seal()?;
        // A lock has to be taken off also when the time for the work is over.
        let patient = Access { deadline: None, ..self.access.clone() };
        let store = dressed(Arc::clone(&self.store), &patient);
        let patience = self.access.deadline.map_or(self.patience, |all| all.min(self.patience));
        let lock = lock::take(&store, &seal, hold, &work.site, patience);
        let lock = lock.map_err(|refused| match refused {
            Refused::By(holder) => Error::Locked { place: self.place(), holder },
            Refused::Site(fault) => self.failed(fault),
        })?;
        call(&work, lock.interrupted)
    }

    /// Calls into `rustic_core`, which panics where it should say that something failed.
    pub(crate) fn guarded<T>(
        &self,
        work: &Work<'_>,
        call: impl FnOnce() -> RusticResult<T>,
    ) -> Result<T, Error> {
        let done = std::panic::catch_unwind(AssertUnwindSafe(call));
        if let Ok(Ok(done)) = done {
            return Ok(done);
        }
        // What comes after the first fault of the site is only its echo.
        if let Some(first) = work.site.first() {
            return Err(self.failed(first));
        }
        match done {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(self.error(&error)),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                let why = format!("it failed: {}", text.unwrap_or("for an unknown reason"));
                Err(Error::Repository(self.place(), why))
            }
        }
    }

    /// What opens its files.
    pub(crate) fn seal(&self) -> Result<Seal, Error> {
        let wrong = || Error::Repository(self.place(), "its key is none".to_owned());
        Seal::new(&self.key).ok_or_else(wrong)
    }

    /// A fault of this repository's site.
    pub(crate) fn failed(&self, fault: Fault) -> Error {
        Error::site(&self.place(), fault)
    }

    fn error(&self, error: &RusticError) -> Error {
        if error.is_code("C002") || error.is_incorrect_password() {
            return Error::Password(self.place());
        }
        Error::Repository(self.place(), told(error))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn nobody_waits_longer_than_their_work_may_last() {
        let directory = tempfile::tempdir().unwrap();
        let repository = Repository::create(&directory.path().join("repo"), "a password").unwrap();
        let access = Access { deadline: Some(Duration::from_millis(300)), ..Access::default() };
        let hurried = Repository { access, ..repository.clone() };
        let alone = repository.holding(Hold::Alone, |_, _| {
            let began = Instant::now();
            let refused = hurried.holding(Hold::Read, |_, _| Ok(())).unwrap_err();
            assert!(matches!(refused, Error::Locked { .. }), "{refused}");
            assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
            Ok(())
        });
        alone.unwrap();
    }
}
