//! Decides which backups a stack is brought back from: the newest of each asset that a site has whole; how
//! old they are, and how much room they need.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use vigie_backup::Repository;
use vigie_core::backup::{Kind, Part as Aged};

use crate::backup::{BackupError, Manifest};
use crate::config::BackupConfig;
use crate::report::ago;
use crate::text::size;

/// Of a dump: the dump is text, and its server keeps rows, indexes and logs of it.
const SERVER: u64 = 3;

/// A backup and the snapshot with its data.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) manifest: Manifest,
    pub(super) id: String,
}

/// The newest of each, in the order of their names.
#[derive(Debug)]
pub(super) struct Parts(Vec<Part>);

impl Parts {
    /// Finds the data of the newest of `backups`.
    pub(super) async fn of(
        repository: Repository,
        site: &str,
        backups: &[Manifest],
    ) -> Result<Self, BackupError> {
        let listed = tokio::task::spawn_blocking(move || repository.snapshots()).await;
        let listed = listed.map_err(|error| BackupError::Worker(error.to_string()))?;
        let listed = listed.map_err(|error| BackupError::Site(site.to_owned(), error))?;
        let newest: BTreeMap<String, &Manifest> =
            backups.iter().map(|one| (one.asset.name(), one)).collect();
        let part = |(name, manifest): (String, &Manifest)| {
            let data = listed.iter().find(|(_, label, tags)| {
                *label == name
                    && !Manifest::is_one(tags)
                    && Manifest::moment(tags) == Some(manifest.at)
            });
            let (id, ..) = data.ok_or_else(|| {
                BackupError::Damaged(format!(
                    "site {site} has the manifest of {name} and not its data"
                ))
            })?;
            Ok(Part { manifest: manifest.clone(), id: id.clone() })
        };
        newest.into_iter().map(part).collect::<Result<_, BackupError>>().map(Self)
    }

    /// Those of a kind.
    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = &Part> {
        self.0.iter().filter(move |part| part.manifest.asset.kind == kind)
    }

    /// The project's own files, without which there is nothing to begin with.
    pub(super) fn project(&self) -> Option<&Part> {
        self.all(Kind::Project).next()
    }

    /// How old each was at `at`, and may be.
    pub(super) fn ages(&self, at: i64, targets: &BackupConfig) -> Vec<Aged> {
        // A log is kept again when something is new in it; no restore point comes back with the stack.
        let dated = self
            .0
            .iter()
            .filter(|part| !matches!(part.manifest.asset.kind, Kind::Binlog | Kind::Points));
        let aged = |part: &Part| Aged {
            asset: part.manifest.asset.name(),
            age: Duration::from_millis(gone(at, part)),
            rpo: targets.rpo_of(part.manifest.asset.kind),
        };
        dated.map(aged).collect()
    }

    /// How old the oldest of the players' data was at `at`, in milliseconds.
    pub(super) fn age(&self, at: i64) -> u64 {
        self.data().map(|part| gone(at, part)).max().unwrap_or(0)
    }

    /// The oldest and the newest of the players' data, for people.
    pub(super) fn told(&self, at: i64) -> Option<String> {
        let mut all: Vec<_> = self.data().collect();
        all.sort_by_key(|part| part.manifest.at);
        let shown = |part: &Part| {
            let age = ago(Duration::from_millis(gone(at, part)));
            format!("{}, {age} old", part.manifest.asset.name())
        };
        let (oldest, newest) = (all.first()?, all.last()?);
        Some(format!("the oldest data was {}; the newest {}", shown(oldest), shown(newest)))
    }

    /// What players lose when it is lost: an image and the project's files are what they are.
    fn data(&self) -> impl Iterator<Item = &Part> {
        self.0.iter().filter(|part| {
            matches!(part.manifest.asset.kind, Kind::Database | Kind::Volume | Kind::Files)
        })
    }

    /// Refuses when less than `reserve` would be left at `place`: what lives goes first.
    pub(super) fn room(&self, place: &Path, reserve: u64) -> Result<(), BackupError> {
        let seen = rustix::fs::statvfs(place);
        let seen = seen.map_err(|error| BackupError::File(place.to_owned(), error.into()))?;
        let free = seen.f_bavail.saturating_mul(seen.f_frsize);
        let needed = self.bytes().saturating_add(reserve);
        if free >= needed {
            return Ok(());
        }
        let (at, free, needed) = (place.display(), size(free), size(needed));
        Err(BackupError::Refused(format!(
            "{at} has {free} free, and a second stack needs up to {needed} there, the reserve included; make \
             room, or leave this drill out: exclude = [\"stack\"] in [backup]"
        )))
    }

    fn bytes(&self) -> u64 {
        let bytes = |part: &Part| match part.manifest.asset.kind {
            Kind::Database => part.manifest.bytes.saturating_mul(SERVER),
            Kind::Binlog | Kind::Points => 0,
            _ => part.manifest.bytes,
        };
        self.0.iter().map(bytes).fold(0, u64::saturating_add)
    }
}

fn gone(at: i64, part: &Part) -> u64 {
    u64::try_from(at.saturating_sub(part.manifest.at)).unwrap_or(0)
}
