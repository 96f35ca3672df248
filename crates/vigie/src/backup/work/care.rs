//! Does: reads sites back, heals them, and forgets what expired.

use vigie_core::backup::{Kind, Retention, expire};

use super::{Done, Work};
use crate::backup::{BackupError, Manifest, image};

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
            let when = Manifest::moment(&one.tags)
                .map_or_else(String::new, |at| format!(" of {}", crate::report::rfc3339(at)));
            let paths = one.paths.iter().take(5).map(|path| path.display().to_string());
            let paths = paths.collect::<Vec<_>>().join(", ");
            damaged.push(format!("concerns {}{when}: {paths}", one.label));
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
            let when = Manifest::moment(&one.tags)
                .map_or_else(String::new, |at| format!(" of {}", crate::report::rfc3339(at)));
            format!("{}{when} does not come back whole", one.label)
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
        let ours = || backups.iter().filter(|one| one.stack == self.config.stack.name);
        let mut names: Vec<String> = ours().map(|one| one.asset.name()).collect();
        names.sort();
        names.dedup();
        // The newest log has everything that is needed.
        let only_newest = Retention { hourly: 0, daily: 0, monthly: 0 };
        let is_log = |name: &str| {
            backups.iter().any(|one| one.asset.kind == Kind::Binlog && one.asset.name() == name)
        };
        for name in names {
            let mine: Vec<i64> =
                ours().filter(|one| one.asset.name() == name).map(|one| one.at).collect();
            let rules = if is_log(&name) { &only_newest } else { &rules };
            gone.extend(expire(rules, &mine).into_iter().map(|index| (name.clone(), mine[index])));
        }
        gone.sort();
        let snapshots = repository.snapshots().map_err(failed)?;
        let whole = |label: &str, at: i64| {
            backups.iter().any(|one| one.at == at && one.asset.name() == label)
        };
        let is_gone = |one: &Manifest| gone.contains(&(one.asset.name(), one.at));
        let needed = image::needed(backups.iter().filter(|one| !is_gone(one)));
        let yesterday = jiff::Timestamp::now().as_millisecond() - DAY;
        let goes = |label: &str, tags: &[String]| {
            if let Some(layer) = image::layer_of(label) {
                return !needed.contains(layer);
            }
            let Some(at) = Manifest::moment(tags) else { return false };
            // Data without a manifest is what a killed work left, or what another stack is just making.
            gone.contains(&(label.to_owned(), at)) || (at < yesterday && !whole(label, at))
        };
        let mut manifests = Vec::new();
        let mut data = Vec::new();
        for (id, label, tags) in snapshots {
            if goes(&label, &tags) {
                let to = if Manifest::is_one(&tags) { &mut manifests } else { &mut data };
                to.push(id);
            }
        }
        if dry_run {
            let freed = repository.would_prune(vigie_backup::Writers::Locking).map_err(failed)?;
            return Ok(Done::Pruned { gone, freed: freed.bytes });
        }
        // A backup counts while its manifest is there: whoever is killed in between has left none that
        // counts and has no data.
        for ids in [manifests, data] {
            repository.forget(&ids).map_err(failed)?;
        }
        self.tell.step(&format!("free the space at {site}"));
        let freed = repository.prune_with(vigie_backup::Writers::Locking).map_err(failed)?;
        Ok(Done::Pruned { gone, freed: freed.bytes })
    }
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
