//! Does: what this host knows of its backups: manifests that were read once, and what became of copies,
//! reads and drills. All of it can be lost: the sites have what counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use vigie_backup::{Error as RepositoryError, Repository, SnapshotId};
use vigie_core::backup::Asset;

use super::limited::Limited;
use super::manifest::{self, Manifest};
use super::{BackupError, Sites};
use crate::config::{BackupConfig, Config};
use crate::snapshot::exchange;
use crate::text::printable;

/// How the names begin of what is being written here.
const PART: &str = ".vigie-";
/// Where manifests are that were read once, as `SITE.ID.json`.
const MANIFESTS: &str = "manifests";
/// A manifest is some kilobytes, and a megabyte where there are ten thousand tables.
const MANIFEST: usize = 16 << 20;

/// A drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drilled {
    /// When it was begun, in milliseconds since 1970.
    pub at: i64,
    /// How long it took until the asset was there again, in milliseconds: the RTO.
    pub took_ms: u64,
    /// How old what came back was when the drill began, in milliseconds: the RPO.
    pub age_ms: u64,
    /// What it proved, one line each.
    pub proved: Vec<String>,
    /// Targets (RTO, RPO) that it missed, one line each.
    #[serde(default)]
    pub missed: Vec<String>,
    /// Why it failed.
    pub failed: Option<String>,
}

/// How a site does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteState {
    /// The newest backup that it has, by asset.
    #[serde(default)]
    pub newest: BTreeMap<String, i64>,
    /// When it was last written or found up to date.
    #[serde(default)]
    pub reached: Option<i64>,
    /// When it was last read back, and how much of it in percent.
    #[serde(default)]
    pub verified: Option<(i64, u8)>,
    /// Why it could not be written or was not sound, the last time.
    #[serde(default)]
    pub trouble: Option<String>,
}

/// How a trouble begins that only a sound read, or healing, ends.
const DAMAGED: &str = "damaged";

impl SiteState {
    /// Whether something was found there that does not come back.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.trouble.as_ref().is_some_and(|why| why.starts_with(DAMAGED))
    }

    /// Notes that it was written, or why not. That does not heal what is damaged.
    pub(super) fn written(&mut self, trouble: Option<String>, now: i64) {
        if trouble.is_none() {
            self.reached = Some(now);
        }
        if !self.is_damaged() {
            self.trouble = trouble;
        }
    }

    /// Notes what a read found; nothing where all is sound.
    pub(super) fn read(&mut self, first: Option<&str>) {
        self.trouble = first.map(|first| format!("{DAMAGED}: {first}"));
    }
}

/// What is remembered between two works.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// By site.
    #[serde(default)]
    pub sites: BTreeMap<String, SiteState>,
    /// The last drill of each asset.
    #[serde(default)]
    pub drills: BTreeMap<String, Drilled>,
    /// Why the whole stack cannot be drilled beside the living one, where that is so.
    #[serde(default)]
    pub unfit: Option<String>,
    /// Why the last backup of an asset failed; gone when one works.
    #[serde(default)]
    pub failed: BTreeMap<String, String>,
    /// Services that are held still while their volume is read: who was killed meanwhile left them so.
    #[serde(default)]
    pub paused: BTreeSet<String>,
    /// Services that are stopped while what they have mounted is exchanged, to be started again.
    #[serde(default)]
    pub stopped: BTreeSet<String>,
    /// Directories whose successors are being made beside them.
    #[serde(default)]
    pub exchanging: BTreeSet<PathBuf>,
    /// Databases over which a backup is being played, and the backup of what was there before: who was
    /// killed meanwhile left them neither as they were nor as they shall be.
    #[serde(default)]
    pub half: BTreeMap<String, String>,
    /// Since when the schedule is followed, in milliseconds since 1970: nothing was due before.
    #[serde(default)]
    pub since: Option<i64>,
    /// Assets that the first site has no backup of, and since when they are known, in milliseconds since 1970.
    #[serde(default)]
    pub unkept: BTreeMap<String, i64>,
    /// When each kind of work was last begun by the schedule.
    #[serde(default)]
    pub begun: BTreeMap<String, i64>,
}

/// This host's knowledge.
#[derive(Debug, Clone)]
pub struct Catalog {
    directory: PathBuf,
    /// Whose backups it knows.
    stack: String,
}

impl Catalog {
    /// Opens it, and makes it where it is not there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn open(config: &Config) -> Result<Self, BackupError> {
        let directory = config.state_directory().join("backup");
        let made = std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory.join(MANIFESTS));
        made.map_err(|error| BackupError::File(directory.clone(), error))?;
        Ok(Self { directory, stack: config.stack.name.clone() })
    }

    /// Whether the site that is written first is known to have a backup of the asset `name`.
    #[must_use]
    pub(super) fn has(config: &Config, name: &str) -> bool {
        let first = config.file.backup.as_ref().and_then(BackupConfig::primary).unwrap_or_default();
        let state: Option<State> = read(&config.state_directory().join("backup/state.json"));
        let state = state.unwrap_or_default();
        state.sites.get(first).is_some_and(|site| site.newest.contains_key(name))
    }

    /// Its directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Held while something is written; nobody else of this host writes then.
    ///
    /// # Errors
    /// When somebody else has it.
    pub fn lock(&self) -> Result<File, BackupError> {
        self.locked("lock")
    }

    fn locked(&self, name: &str) -> Result<File, BackupError> {
        let path = self.directory.join(name);
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        let lock = options.open(&path).map_err(|error| BackupError::File(path, error))?;
        lock.try_lock().map_err(|_| BackupError::Busy)?;
        Ok(lock)
    }

    /// Held during drills; what a killed one left can be removed then.
    ///
    /// # Errors
    /// When there is a drill.
    pub(super) fn drill_lock(&self) -> Result<File, BackupError> {
        self.locked("drill.lock")
    }

    /// Removes the directories that killed works left; their names begin with `prefix`, and nobody else
    /// makes such ones meanwhile.
    pub(super) fn sweep(&self, prefix: &str) -> Result<(), BackupError> {
        sweep_in(&self.directory, prefix)
    }

    /// What is remembered; nothing where it does not read.
    #[must_use]
    pub fn state(&self) -> State {
        read(&self.directory.join("state.json")).unwrap_or_default()
    }

    /// Changes what is remembered.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn remember(&self, change: impl FnOnce(&mut State)) -> Result<(), BackupError> {
        let _lock = self.state_lock()?;
        let mut state = self.state();
        change(&mut state);
        self.write("state.json", &state)
    }

    /// Removes what killed ones had half written here; whoever is writing just now is waited for.
    pub(super) fn sweep_parts(&self) -> Result<(), BackupError> {
        let _lock = self.state_lock()?;
        for at in [self.directory.clone(), self.directory.join(MANIFESTS)] {
            sweep_in(&at, PART)?;
        }
        Ok(())
    }

    fn state_lock(&self) -> Result<File, BackupError> {
        let path = self.directory.join("state.lock");
        let failed = |error| BackupError::File(path.clone(), error);
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(failed)?;
        lock.lock().map_err(failed)?;
        Ok(lock)
    }

    /// Every whole backup of this stack at a site, oldest first. Manifests are read from the site once.
    ///
    /// # Errors
    /// When the site cannot be read.
    pub fn backups(&self, sites: &Sites<'_>, site: &str) -> Result<Vec<Manifest>, BackupError> {
        self.backups_in(&sites.open(site)?, site)
    }

    /// The same of a repository that is open.
    pub(super) fn backups_in(
        &self,
        repository: &Repository,
        site: &str,
    ) -> Result<Vec<Manifest>, BackupError> {
        let found = self.everybodys_in(repository, site)?.into_iter().map(|(_, one)| one);
        Ok(found.filter(|one| one.stack == self.stack).collect())
    }

    /// Every whole backup in a repository, other stacks' that use it as well, and the snapshots of their
    /// manifests. A manifest that does not read is told and passed over: it must not take the others with
    /// it.
    pub(super) fn everybodys_in(
        &self,
        repository: &Repository,
        site: &str,
    ) -> Result<Vec<(SnapshotId, Manifest)>, BackupError> {
        let failed = |error| BackupError::Site(site.to_owned(), error);
        let (mut found, mut listed) = (Vec::new(), BTreeSet::new());
        for (id, label, tags) in repository.snapshots().map_err(failed)? {
            if !Manifest::is_one(&tags) {
                continue;
            }
            let name = format!("{site}.{id}.json");
            let known = format!("{MANIFESTS}/{name}");
            listed.insert(name);
            if let Some(manifest) = read(&self.directory.join(&known)) {
                found.push((id, manifest));
                continue;
            }
            let manifest = match read_manifest(repository, &id).map_err(failed)? {
                Ok(manifest) => manifest,
                Err(why) => {
                    let told = format!(
                        "site {site}: the manifest of {label} in {id} does not read and is passed over: \
                         {why}; an older vigie may not know what it says, and what is damaged is told by: \
                         vigie backup verify {site}"
                    );
                    tracing::error!("{}", printable(&told));
                    continue;
                }
            };
            let lock = self.state_lock()?;
            self.write(&known, &manifest)?;
            drop(lock);
            found.push((id, manifest));
        }
        self.drop_unlisted(site, &listed)?;
        found.sort_by(|(_, one), (_, other)| (one.at, &one.asset).cmp(&(other.at, &other.asset)));
        Ok(found)
    }

    /// Removes what was read once of manifests that the site does not list any more, and of those that do
    /// not say which site they are of.
    fn drop_unlisted(&self, site: &str, listed: &BTreeSet<String>) -> Result<(), BackupError> {
        let _lock = self.state_lock()?;
        let at = self.directory.join(MANIFESTS);
        let failed = |error| BackupError::File(at.clone(), error);
        for entry in std::fs::read_dir(&at).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(stem) = name.strip_suffix(".json") else { continue };
            let is_of_it = stem.rsplit_once('.').is_none_or(|(of, _)| of == site);
            if is_of_it && !listed.contains(&name) {
                exchange::remove(&entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// The snapshot with the data of a backup.
    ///
    /// # Errors
    /// When the site does not have it.
    pub fn snapshot(
        repository: &Repository,
        site: &str,
        asset: &Asset,
        at: i64,
    ) -> Result<String, BackupError> {
        let failed = |error| BackupError::Site(site.to_owned(), error);
        let (label, tag) = (asset.name(), Manifest::tag(at));
        let all = repository.snapshots().map_err(failed)?;
        let found = all.into_iter().find(|(_, name, tags)| {
            *name == label && tags.contains(&tag) && !Manifest::is_one(tags)
        });
        let (id, ..) = found.ok_or_else(|| {
            BackupError::Damaged(format!(
                "site {site} has the manifest of {label} and not its data"
            ))
        })?;
        Ok(id)
    }

    /// The caller has the state's lock.
    fn write(&self, name: &str, value: &impl Serialize) -> Result<(), BackupError> {
        let path = self.directory.join(name);
        let text = serde_json::to_vec_pretty(value).unwrap_or_default();
        let write = || {
            let at = path.parent().unwrap_or(&self.directory);
            let mut fresh = tempfile::Builder::new().prefix(PART).tempfile_in(at)?;
            std::io::Write::write_all(&mut fresh, &text)?;
            fresh.as_file().sync_all()?;
            fresh.persist(&path).map(drop).map_err(|error| error.error)
        };
        write().map_err(|error: std::io::Error| BackupError::File(path.clone(), error))
    }
}

/// Removes what is in `at` and called `prefix` and something.
fn sweep_in(at: &Path, prefix: &str) -> Result<(), BackupError> {
    let failed = |error| BackupError::File(at.to_owned(), error);
    for entry in std::fs::read_dir(at).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            exchange::remove(&entry.path()).map_err(failed)?;
        }
    }
    Ok(())
}

/// Reads the manifest in the snapshot `id`; or says why not, where it is only this one that does not read.
///
/// # Errors
/// The site.
pub(super) fn read_manifest(
    repository: &Repository,
    id: &str,
) -> Result<Result<Manifest, String>, RepositoryError> {
    let mut text = Limited::new(MANIFEST);
    match repository.get_file(id, manifest::FILE, &mut text) {
        Ok(()) => {}
        Err(_) if text.is_over() => return Ok(Err(text.why())),
        Err(error @ (RepositoryError::NotThere(..) | RepositoryError::Repository(..))) => {
            return Ok(Err(error.to_string()));
        }
        Err(error) => return Err(error),
    }
    Ok(serde_json::from_slice(text.bytes()).map_err(|error| error.to_string()))
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// How a site does, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteGlance {
    /// The site.
    pub site: String,
    /// When the oldest of the newest backups there was begun, in milliseconds since 1970: how far it is
    /// behind.
    pub oldest: Option<i64>,
    /// What is wrong with it.
    pub trouble: Option<String>,
    /// Whether something was found there that does not come back.
    pub damaged: bool,
}

/// How backups do, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Glance {
    /// By site.
    pub sites: Vec<SiteGlance>,
    /// When the last drill that worked was begun, in milliseconds since 1970.
    pub drilled: Option<i64>,
}

/// How backups do, from what this host remembers; nothing where none are configured.
#[must_use]
pub fn glance(config: &Config) -> Option<Glance> {
    let backup = config.file.backup.as_ref()?;
    let state: State =
        read(&config.state_directory().join("backup/state.json")).unwrap_or_default();
    let sites = backup.site.keys().map(|name| {
        let known = state.sites.get(name);
        SiteGlance {
            site: name.clone(),
            oldest: known.and_then(|known| {
                // A log is only kept again when something is new in it.
                let dated = known.newest.iter().filter(|(name, _)| !name.starts_with("binlog:"));
                dated.map(|(_, at)| *at).min()
            }),
            trouble: known.and_then(|known| known.trouble.clone()),
            damaged: known.is_some_and(SiteState::is_damaged),
        }
    });
    let worked = state.drills.values().filter(|drill| drill.failed.is_none());
    Some(Glance { sites: sites.collect(), drilled: worked.map(|drill| drill.at).max() })
}

#[cfg(test)]
pub(super) mod tests {
    use vigie_core::backup::Kind;

    use super::*;

    /// A manifest of the directory `what` of the stack `x`.
    pub(in crate::backup) fn manifest(what: &str, at: i64) -> Manifest {
        let asset = Asset { kind: Kind::Files, service: Some("a".into()), what: what.into() };
        let text = serde_json::json!({
            "asset": asset, "at": at, "took_ms": 0, "files": 0, "bytes": 0, "added": 0, "stack": "x",
            "version": "0",
        });
        serde_json::from_value(text).unwrap()
    }

    /// Puts `text` where the manifest of `one` is; the snapshot that has it.
    pub(in crate::backup) fn put(
        repository: &Repository,
        one: &Manifest,
        text: impl std::io::Read + Send + 'static,
    ) -> SnapshotId {
        let (label, tags) = (one.asset.name(), Manifest::tags(one.at));
        repository.put_stream(&label, &tags, manifest::FILE, text, || Ok(())).unwrap().id
    }

    /// What is written into it.
    pub(in crate::backup) fn text(one: &Manifest) -> std::io::Cursor<Vec<u8>> {
        std::io::Cursor::new(serde_json::to_vec(one).unwrap())
    }

    /// More than a manifest may be.
    pub(in crate::backup) fn endless() -> std::io::Take<std::io::Repeat> {
        std::io::Read::take(std::io::repeat(b' '), u64::try_from(MANIFEST).unwrap() + 1)
    }

    fn catalog(at: &Path) -> Catalog {
        let text = "[stack]\nname = \"x\"\n[service.a]\nrole = \"other\"\n";
        Catalog::open(&Config::parse(&at.join("vigie.toml"), text).unwrap()).unwrap()
    }

    #[test]
    fn what_a_killed_work_left_is_swept_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let catalog = catalog(directory.path());
        for name in [".drill-a", ".drill-b", ".project-c"] {
            std::fs::create_dir_all(catalog.directory().join(name).join("deep")).unwrap();
        }
        catalog.remember(|state| state.since = Some(1)).unwrap();
        catalog.sweep(".drill-").unwrap();
        let left = |name: &str| catalog.directory().join(name).exists();
        assert_eq!([".drill-a", ".drill-b", ".project-c"].map(left), [false, false, true]);
        std::fs::write(catalog.directory().join("manifests/.vigie-x"), "half").unwrap();
        catalog.sweep_parts().unwrap();
        assert!(!left("manifests/.vigie-x"));
        assert_eq!(catalog.state().since, Some(1));
    }

    #[test]
    fn one_writes_and_one_drills_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let catalog = catalog(directory.path());
        let held = catalog.lock().unwrap();
        assert!(matches!(catalog.lock(), Err(BackupError::Busy)));
        let _drill = catalog.drill_lock().unwrap();
        assert!(matches!(catalog.drill_lock(), Err(BackupError::Busy)));
        drop(held);
        catalog.lock().unwrap();
    }

    #[test]
    fn damage_is_forgotten_by_a_sound_read_and_not_by_a_write() {
        let mut site = SiteState::default();
        site.read(Some("data 00"));
        site.written(None, 5);
        assert!(site.is_damaged() && site.reached == Some(5));
        site.written(Some(String::from("unreachable")), 6);
        assert!(site.is_damaged() && site.reached == Some(5));
        site.read(None);
        assert_eq!(site.trouble, None);
    }

    #[test]
    fn a_manifest_that_does_not_read_does_not_take_the_others_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let (catalog, place) = (catalog(directory.path()), directory.path().join("repo"));
        let repository = Repository::create(&place, "p").unwrap();
        let sound = manifest("sound", 1);
        let id = put(&repository, &sound, text(&sound));
        put(&repository, &manifest("large", 2), endless());
        put(&repository, &manifest("newer", 3), &b"{\"asset\":{\"kind\":\"dream\"}}"[..]);
        for _ in 0..2 {
            let found = catalog.everybodys_in(&repository, "near").unwrap();
            let found = found.iter().map(|(id, one)| (id.as_str(), one.asset.name()));
            assert_eq!(found.collect::<Vec<_>>(), [(id.as_str(), "files:sound".to_owned())]);
        }
        // A site that is away is no site without backups.
        std::fs::remove_dir_all(&place).unwrap();
        let away = catalog.backups_in(&repository, "near").unwrap_err();
        assert!(matches!(away, BackupError::Site(..)), "{away}");
    }

    #[test]
    fn what_no_site_lists_any_more_is_not_remembered() {
        let directory = tempfile::tempdir().unwrap();
        let catalog = catalog(directory.path());
        let repository = Repository::create(&directory.path().join("repo"), "p").unwrap();
        let [old, new] = [1, 2].map(|at| {
            let one = manifest("a", at);
            put(&repository, &one, text(&one))
        });
        let at = catalog.directory().join(MANIFESTS);
        std::fs::write(at.join("0123.json"), "{}").unwrap();
        std::fs::write(at.join(".vigie-x"), "half").unwrap();
        let left = |site: &str| {
            catalog.everybodys_in(&repository, site).unwrap();
            let all = std::fs::read_dir(&at).unwrap();
            let all = all.map(|one| one.unwrap().file_name().into_string().unwrap());
            all.collect::<BTreeSet<_>>()
        };
        let names = |all: &[(&str, &str)]| {
            let all = all.iter().map(|(site, id)| format!("{site}.{id}.json"));
            all.chain([String::from(".vigie-x")]).collect::<BTreeSet<_>>()
        };
        let (old, new) = (old.as_str(), new.as_str());
        assert_eq!(left("near"), names(&[("near", old), ("near", new)]));
        let all = [("near", old), ("near", new), ("far", old), ("far", new)];
        assert_eq!(left("far"), names(&all));
        repository.forget(&[old.to_owned()]).unwrap();
        assert_eq!(left("near"), names(&all[1..]), "the other site may have it still");
        assert_eq!(left("far"), names(&[all[1], all[3]]));
    }
}
