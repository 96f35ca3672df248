//! Does: reads sites back, heals them, and forgets what expired.

use std::collections::BTreeSet;

use vigie_backup::{Repository, SnapshotId};
use vigie_core::backup::{Kind, Retention, expire};

use super::{Done, Work};
use crate::backup::{BackupError, Manifest, image, points};
use crate::report::rfc3339;
use crate::text::printable;

/// What is this old is not being made any more.
const DAY: i64 = 24 * 3_600_000;

impl Work<'_> {
    pub(super) fn verify(&self, site: &str, read_data: u8) -> Result<Done, BackupError> {
        self.sites.site(site)?;
        self.tell.step(&format!("read {site} back"));
        let repository = self.sites.open(site)?;
        let found = repository.verify(read_data);
        let found = found.map_err(|error| BackupError::Site(site.to_owned(), error))?;
        let mut damaged = Vec::new();
        for one in &found.damaged {
            let how = if one.missing { "missing" } else { "damaged" };
            damaged.push(format!("{how}: {} {}", part(one.part), one.name));
        }
        for one in &found.concerned {
            let when = when(&one.tags);
            let paths = one.paths.iter().take(5).map(|path| path.display().to_string());
            let paths = paths.collect::<Vec<_>>().join(", ");
            damaged.push(format!("concerns {}{when}: {paths}", shown(&one.label, &one.tags)));
        }
        let now = jiff::Timestamp::now().as_millisecond();
        self.catalog.remember(|state| {
            let site = state.sites.entry(site.to_owned()).or_default();
            // A part that is sound says nothing of the rest.
            if damaged.is_empty() && (read_data == 100 || !site.is_damaged()) {
                site.read(None);
            } else if let Some(first) = damaged.first() {
                site.read(Some(first));
            }
            if damaged.is_empty() {
                site.verified = Some((now, read_data));
            }
        })?;
        Ok(Done::Verified { bytes: found.bytes_read, damaged })
    }

    pub(super) fn repair(&self, site: &str, from: &str) -> Result<Done, BackupError> {
        let _lock = self.lock()?;
        self.tell.step(&format!("heal {site} from {from}"));
        let (sick, sound) = (self.sites.open(site)?, self.sites.open(from)?);
        let done = sick.repair_from(&sound, self.sites.password());
        let done = done.map_err(|error| BackupError::Site(site.to_owned(), error))?;
        let left = done.after.damaged.iter();
        let mut left: Vec<_> = left.map(|one| format!("{} {}", part(one.part), one.name)).collect();
        // What nobody has any more is gone from the list of the damaged, and not from the snapshots.
        left.extend(done.after.concerned.iter().map(|one| {
            let when = when(&one.tags);
            format!("{}{when} does not come back whole", shown(&one.label, &one.tags))
        }));
        if done.lost > 0 {
            left.push(format!("{} backups that no site has any more", done.lost));
        }
        let sound = done.after.is_sound();
        self.catalog.remember(|state| {
            let site = state.sites.entry(site.to_owned()).or_default();
            if sound {
                site.read(None);
            }
        })?;
        Ok(Done::Repaired { healed: done.brought + done.saved, left })
    }

    pub(super) fn prune(&self, site: &str, dry_run: bool) -> Result<Done, BackupError> {
        let _lock = self.lock()?;
        let known = self.sites.site(site)?;
        if known.append_only {
            return Err(BackupError::Refused(format!(
                "the site {site} only grows (append_only): nothing is forgotten there from here"
            )));
        }
        let repository = self.sites.open(site)?;
        let failed = |error| BackupError::Site(site.to_owned(), error);
        let rules = self.sites.backup().keep;
        // Another stack may use the same repository: its backups are not ours to forget.
        let backups = self.catalog.everybodys_in(&repository, site)?;
        let mut gone: Vec<(String, i64)> = Vec::new();
        let all = || backups.iter().map(|(_, one)| one);
        let ours = || all().filter(|one| one.stack == self.config.stack.name);
        let mut names: Vec<String> = ours().map(|one| one.asset.name()).collect();
        names.sort();
        names.dedup();
        // The newest log has everything that is needed.
        let only_newest = Retention { hourly: 0, daily: 0, monthly: 0 };
        let is_log = |name: &str| {
            all().any(|one| one.asset.kind == Kind::Binlog && one.asset.name() == name)
        };
        for name in names {
            let mine: Vec<i64> =
                ours().filter(|one| one.asset.name() == name).map(|one| one.at).collect();
            let rules = if is_log(&name) { &only_newest } else { &rules };
            gone.extend(expire(rules, &mine).into_iter().map(|index| (name.clone(), mine[index])));
        }
        gone.sort();
        if dry_run {
            let freed = repository.would_prune(vigie_backup::Writers::Locking).map_err(failed)?;
            return Ok(Done::Pruned { gone, freed: freed.bytes });
        }
        let is_gone = |one: &Manifest| gone.contains(&(one.asset.name(), one.at));
        let sieve = Sieve {
            backups: &backups,
            gone: &gone,
            needed: all().filter(|one| !is_gone(one)).flat_map(Manifest::shared).collect(),
            yesterday: jiff::Timestamp::now().as_millisecond() - DAY,
        };
        let unread = sieve.forget(&repository).map_err(failed)?;
        drop(sieve);
        for told in unread {
            self.tell.step(&format!("{told}, so {site} keeps every layer of an image and every part of a restore point this time"));
        }
        self.tell.step(&format!("free the space at {site}"));
        let freed = repository.prune_with(vigie_backup::Writers::Locking).map_err(failed)?;
        Ok(Done::Pruned { gone, freed: freed.bytes })
    }
}

/// A snapshot as a repository tells it: its name, its label and its tags.
type Told = (SnapshotId, String, Vec<String>);

/// Decides what goes.
struct Sieve<'a> {
    /// Whole backups, and the snapshots of their manifests.
    backups: &'a [(SnapshotId, Manifest)],
    /// What expired: assets and moments.
    gone: &'a [(String, i64)],
    /// The labels of what backups share that stay.
    needed: BTreeSet<String>,
    /// What is older is not being made any more.
    yesterday: i64,
}

impl Sieve<'_> {
    /// Forgets what goes; a line for each manifest because of which something stays.
    fn forget(&self, repository: &Repository) -> Result<Vec<String>, vigie_backup::Error> {
        // A backup counts while its manifest is there: whoever is killed in between has left none that
        // counts and has no data.
        repository.forget_chosen(|all| self.going(all, true))?;
        // Chosen from what is there then: somebody may have sealed a backup meanwhile.
        let mut told = Vec::new();
        repository.forget_chosen(|all| {
            told.extend(self.unread(all).into_iter().map(|(_, label, tags)| {
                printable(&format!("the manifest of {label}{} was not read", when(tags)))
            }));
            self.going(all, false)
        })?;
        Ok(told)
    }

    /// Manifests of which nobody knows what they need: they do not read, or were not there when the others
    /// were read.
    fn unread<'s>(&self, snapshots: &'s [Told]) -> Vec<&'s Told> {
        let is_read = |id: &SnapshotId| self.backups.iter().any(|(read, _)| read == id);
        let all = snapshots.iter();
        all.filter(|(id, _, tags)| Manifest::is_one(tags) && !is_read(id)).collect()
    }

    /// Those of `snapshots` that go: manifests, or else data.
    fn going(&self, snapshots: &[Told], manifests: bool) -> Vec<SnapshotId> {
        let unread = self.unread(snapshots);
        let goes = |label: &str, tags: &[String]| {
            if image::is_layer(label) || points::is_part(label) {
                return unread.is_empty() && !self.needed.contains(label);
            }
            let Some(at) = Manifest::moment(tags) else { return false };
            let same =
                |name: &str, tags: &[String]| name == label && Manifest::moment(tags) == Some(at);
            if unread.iter().any(|(_, name, tags)| same(name, tags)) {
                return false;
            }
            let whole =
                || self.backups.iter().any(|(_, one)| one.at == at && one.asset.name() == label);
            // Data without a manifest is what a killed work left, or what another stack is just making.
            self.gone.contains(&(label.to_owned(), at)) || (at < self.yesterday && !whole())
        };
        let mine = snapshots.iter().filter(|(_, _, tags)| Manifest::is_one(tags) == manifests);
        mine.filter(|(_, label, tags)| goes(label, tags)).map(|(id, ..)| id.clone()).collect()
    }
}

/// What a snapshot with this label and these tags is of, for people.
fn shown(label: &str, tags: &[String]) -> String {
    if points::is_part(label) { points::shown(tags) } else { label.to_owned() }
}

/// Of when a snapshot with these tags is, for people.
fn when(tags: &[String]) -> String {
    Manifest::moment(tags).map_or_else(String::new, |at| format!(" of {}", rfc3339(at)))
}

const fn part(part: vigie_backup::Part) -> &'static str {
    match part {
        vigie_backup::Part::Config => "the repository's",
        vigie_backup::Part::Key => "key",
        vigie_backup::Part::Snapshot => "snapshot",
        vigie_backup::Part::Index => "index",
        vigie_backup::Part::Pack => "data",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::backup::catalog::tests::{manifest, put, text};
    use crate::backup::{Catalog, Sites, Tell};
    use crate::config::Config;

    fn snapshot(id: &str, label: &str, tags: &str) -> Told {
        (id.to_owned(), label.to_owned(), tags.split(',').map(str::to_owned).collect())
    }

    #[test]
    fn what_a_manifest_may_need_that_nobody_has_read_stays() {
        let read = [("m2", manifest("a", 2)), ("m3", manifest("a", 3))];
        let backups = read.map(|(id, one)| (id.to_owned(), one));
        let gone = [(String::from("files:a"), 2)];
        let needed = BTreeSet::from(["layer:kept", "part:kept"].map(String::from));
        let sieve = Sieve { backups: &backups, gone: &gone, needed, yesterday: 100 };
        let mut all = vec![
            snapshot("d1", "files:a", "at-1"),
            snapshot("d2", "files:a", "at-2"),
            snapshot("m2", "files:a", "manifest,at-2"),
            snapshot("d3", "files:a", "at-3"),
            snapshot("m3", "files:a", "manifest,at-3"),
            snapshot("l1", "layer:kept", "layer-tree"),
            snapshot("l2", "layer:free", "layer-tree"),
            snapshot("p1", "part:kept", "v1.0-a,volume:data"),
            snapshot("p2", "part:free", "v1.0-a,volume:data"),
            snapshot("d4", "files:a", "at-200"),
        ];
        assert_eq!(sieve.going(&all, true), ["m2"]);
        assert_eq!(sieve.going(&all, false), ["d1", "d2", "l2", "p2"]);
        // Damaged, of a newer vigie, or sealed by another host since.
        all.push(snapshot("m1", "files:a", "manifest,at-1"));
        assert_eq!(sieve.going(&all, true), ["m2"]);
        assert_eq!(sieve.going(&all, false), ["d2"]);
    }

    struct Heard(Mutex<Vec<String>>);

    impl Tell for Heard {
        fn step(&self, text: &str) {
            self.0.lock().unwrap().push(text.to_owned());
        }
    }

    #[test]
    fn a_site_with_a_manifest_that_does_not_read_is_pruned_and_loses_nothing_of_it() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("password"), "p").unwrap();
        let config = "[stack]\nname = \"x\"\n[service.a]\nrole = \"other\"\n[backup]\n\
                      password = { file = \"password\" }\n[backup.site.disk]\nlocal = \"repo\"\n\
                      [backup.keep]\nhourly = 0\ndaily = 0\nmonthly = 0\n";
        let config = Config::parse(&directory.path().join("vigie.toml"), config).unwrap();
        let repository = Repository::create(&directory.path().join("repo"), "p").unwrap();
        let keep = |label: &str, tags: &str| {
            repository.put_stream(label, tags, "data", &b"data"[..], || Ok(())).unwrap();
        };
        for at in [1, 2] {
            let one = manifest("a", at);
            keep(&one.asset.name(), &Manifest::tag(at));
            put(&repository, &one, text(&one));
        }
        let odd = manifest("odd", 1);
        keep(&odd.asset.name(), &Manifest::tag(1));
        let odd = put(&repository, &odd, &b"{}"[..]);
        keep("layer:free", "layer-tree");
        let (sites, catalog) = (Sites::of(&config).unwrap(), Catalog::open(&config).unwrap());
        let heard = Heard(Mutex::default());
        let work = Work {
            config: &config,
            docker: None,
            sites: &sites,
            catalog: &catalog,
            tell: &heard,
            held: Mutex::default(),
        };
        let left = || {
            let all = repository.snapshots().unwrap().into_iter();
            let mut all: Vec<_> = all
                .map(|(_, label, mut tags)| {
                    tags.sort();
                    format!("{label} {}", tags.join(","))
                })
                .collect();
            all.sort();
            all
        };
        let Done::Pruned { gone, .. } = work.prune("disk", false).unwrap() else { panic!() };
        assert_eq!(gone, [(String::from("files:a"), 1)]);
        let sound = ["files:a at-2", "files:a at-2,manifest"];
        let others = ["files:odd at-1", "files:odd at-1,manifest", "layer:free layer-tree"];
        let all = [&sound[..], &others[..]].concat();
        assert_eq!(left(), all);
        let said = heard.0.lock().unwrap().join("; ");
        assert!(said.contains("the manifest of files:odd of 1970-01-01"), "{said}");
        // Without it, what it had is what a killed work left, and the layer is nobody's.
        repository.forget(&[odd]).unwrap();
        work.prune("disk", false).unwrap();
        assert_eq!(left(), sound);
    }
}
