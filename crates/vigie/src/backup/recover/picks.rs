//! Does: chooses which backups of a site make up a stack: the newest of each asset until a moment that
//! has both its data and its manifest. Of a log it is the newest of all, which has what came before. Only
//! the manifests that are chosen are read, and those of a few older dumps.

use std::collections::BTreeMap;

use vigie_backup::Repository;
use vigie_core::backup::Kind;

use super::RecoverError;
use crate::backup::BackupError;
use crate::backup::catalog::read_manifest;
use crate::backup::manifest::Manifest;
use crate::report::rfc3339;

/// A backup that was chosen.
#[derive(Debug, Clone)]
pub(super) struct Pick {
    pub(super) manifest: Manifest,
    /// The snapshot with its data.
    pub(super) id: String,
}

/// What was chosen, by the assets' names, and the names of what belongs to other stacks.
#[derive(Debug, Clone)]
pub(super) struct Picks {
    pub(super) stack: String,
    pub(super) all: Vec<Pick>,
    /// Dumps before those, the newest first: a log may come further from one of them.
    pub(super) older: Vec<Pick>,
    pub(super) strange: Vec<String>,
}

impl Picks {
    /// Those of a kind.
    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = &Pick> {
        self.all.iter().filter(move |one| one.manifest.asset.kind == kind)
    }

    /// Takes `pick` in place of the one of the same asset.
    pub(super) fn exchange(&mut self, pick: Pick) {
        let mine = self.all.iter_mut().find(|one| one.manifest.asset == pick.manifest.asset);
        if let Some(mine) = mine {
            *mine = pick;
        }
    }
}

/// Dumps before the newest one that are looked at.
const OLDER: usize = 2;

/// One snapshot of a repository: its id, its label and its tags.
type Snapshot = (String, String, Vec<String>);

/// Chooses the newest until `until`; or exactly `known`, where that was chosen before.
pub(super) fn choose(
    repository: &Repository,
    site: &str,
    until: Option<i64>,
    known: Option<&[(String, i64)]>,
) -> Result<Picks, RecoverError> {
    let failed = |error| BackupError::Site(site.to_owned(), error);
    let snapshots = repository.snapshots().map_err(failed)?;
    let (mut all, mut older): (Vec<Pick>, Vec<Pick>) = (Vec::new(), Vec::new());
    for Wanted { at, snapshot, data } in wanted(&snapshots, until, known) {
        let manifest = read_manifest(repository, &snapshot.0).map_err(failed)?.map_err(|why| {
            let (name, at) = (&snapshot.1, rfc3339(at));
            BackupError::Damaged(format!(
                "site {site}: the manifest of {name} of {at} does not read: {why}; an older vigie may \
                 not know what it says"
            ))
        })?;
        let is_newest = all.iter().all(|one| one.manifest.asset.name() != manifest.asset.name());
        let room = if is_newest { &mut all } else { &mut older };
        room.push(Pick { manifest, id: data.to_owned() });
    }
    let gone = known.unwrap_or_default().iter().find(|(name, at)| {
        !is_log(name)
            && !all.iter().any(|one| one.manifest.asset.name() == *name && one.manifest.at == *at)
    });
    if let Some((name, at)) = gone {
        let at = rfc3339(*at);
        return Err(RecoverError::Nothing(format!(
            "this was begun with the backup of {name} of {at}, which the site {site} does not have (any \
             more); go on from a site that has it, or begin anew in another directory: --to DIR"
        )));
    }
    let project = all.iter().find(|one| one.manifest.asset.kind == Kind::Project);
    let stack = project.map(|one| one.manifest.stack.clone()).ok_or_else(|| {
        let when = until.map_or_else(String::new, |until| format!(" until {}", rfc3339(until)));
        RecoverError::Nothing(format!(
            "the site {site} has no backup of a project{when}, so there is nothing to begin with; is it the \
             right site?"
        ))
    })?;
    let is_mine = |one: &Pick| one.manifest.stack == stack;
    let strange = all.iter().filter(|one| !is_mine(one)).map(|one| one.manifest.asset.name());
    let strange = strange.collect();
    all.retain(is_mine);
    older.retain(is_mine);
    Ok(Picks { stack, all, older, strange })
}

/// A manifest to read.
struct Wanted<'a> {
    at: i64,
    snapshot: &'a Snapshot,
    /// The snapshot with the data.
    data: &'a str,
}

/// Whether an asset of this name is of that kind.
fn is_of(name: &str, kind: Kind) -> bool {
    name.split_once(':').map_or(name, |(word, _)| word) == kind.word()
}

/// Whether this is the name of a log.
pub(super) fn is_log(name: &str) -> bool {
    is_of(name, Kind::Binlog)
}

/// The manifests' snapshots to read, in the order of the assets' names, the newest of each first.
fn wanted<'a>(
    snapshots: &'a [Snapshot],
    until: Option<i64>,
    known: Option<&[(String, i64)]>,
) -> Vec<Wanted<'a>> {
    let (manifests, data): (Vec<_>, Vec<_>) =
        snapshots.iter().partition(|(_, _, tags)| Manifest::is_one(tags));
    let key = |(_, label, tags): &'a Snapshot| Some((label.as_str(), Manifest::moment(tags)?));
    let data: BTreeMap<_, _> =
        data.into_iter().filter_map(|one| Some((key(one)?, one.0.as_str()))).collect();
    let mut found: BTreeMap<&str, Vec<Wanted<'_>>> = BTreeMap::new();
    // Without a project there is nothing to begin with: where data is of before the moment, a project that
    // is younger is better than none.
    let mut younger: Option<(&str, Wanted<'_>)> = None;
    for snapshot in manifests {
        let Some((label, at)) = key(snapshot) else { continue };
        let fits = match known {
            // A log has all that an older one had, which is forgotten.
            _ if is_log(label) => true,
            Some(known) => known.iter().any(|(name, moment)| name == label && *moment == at),
            None => until.is_none_or(|until| at <= until),
        };
        let Some(data) = data.get(&(label, at)) else { continue };
        let wanted = Wanted { at, snapshot, data };
        if fits {
            found.entry(label).or_default().push(wanted);
        } else if known.is_none()
            && is_of(label, Kind::Project)
            && younger.as_ref().is_none_or(|(_, one)| at < one.at)
        {
            younger = Some((label, wanted));
        }
    }
    if let Some((label, wanted)) = younger
        && found.keys().any(|label| !is_log(label))
        && !found.keys().any(|label| is_of(label, Kind::Project))
    {
        found.entry(label).or_default().push(wanted);
    }
    for (label, all) in &mut found {
        all.sort_by_key(|one| std::cmp::Reverse(one.at));
        all.truncate(if is_of(label, Kind::Database) { 1 + OLDER } else { 1 });
    }
    found.into_values().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::catalog::tests::{endless, manifest, put};

    fn snapshot(id: &str, label: &str, at: i64, manifest: bool) -> Snapshot {
        let mut tags = vec![Manifest::tag(at)];
        if manifest {
            tags.push(String::from("manifest"));
        }
        (id.to_owned(), label.to_owned(), tags)
    }

    #[test]
    fn the_newest_whole_one_of_each_is_read() {
        let all = [
            snapshot("a", "project", 10, false),
            snapshot("b", "project", 10, true),
            snapshot("c", "project", 20, false),
            snapshot("d", "project", 20, true),
            // Killed before its manifest, and a manifest without its data.
            snapshot("e", "project", 30, false),
            snapshot("f", "project", 40, true),
            snapshot("g", "files:addons", 15, false),
            snapshot("h", "files:addons", 15, true),
            snapshot("i", "database:x", 4, false),
            snapshot("j", "database:x", 4, true),
            snapshot("k", "database:x", 18, false),
            snapshot("l", "database:x", 18, true),
            snapshot("m", "binlog:mysql", 25, false),
            snapshot("n", "binlog:mysql", 25, true),
        ];
        let ids = |until, known: Option<&[(String, i64)]>| -> Vec<String> {
            let found = wanted(&all, until, known).into_iter();
            found.map(|one| format!("{}{}", one.snapshot.0, one.data)).collect()
        };
        assert_eq!(ids(None, None), ["nm", "lk", "ji", "hg", "dc"]);
        assert_eq!(ids(Some(12), None), ["nm", "ji", "ba"], "a log has what came before it");
        assert_eq!(ids(Some(3), None), ["nm"], "before everything there is nothing");
        assert_eq!(ids(Some(5), None), ["nm", "ji", "ba"], "a younger project rather than none");
        let known = [(String::from("project"), 10), (String::from("binlog:mysql"), 9)];
        assert_eq!(ids(None, Some(&known)), ["nm", "ba"]);
    }

    #[test]
    fn a_manifest_without_an_end_is_not_taken_into_memory() {
        let directory = tempfile::tempdir().unwrap();
        let repository = Repository::create(&directory.path().join("repo"), "p").unwrap();
        let one = manifest("a", 1);
        let (label, tag) = (one.asset.name(), Manifest::tag(one.at));
        repository.put_stream(&label, &tag, "data", &b"data"[..], || Ok(())).unwrap();
        put(&repository, &one, endless());
        let told = choose(&repository, "near", None, None).unwrap_err().to_string();
        assert!(told.contains("does not read: it is larger than 16"), "{told}");
    }
}
