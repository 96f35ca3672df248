//! Does: collects the facts of the redundancy table: where each asset has copies, how old they are, and
//! what was proved. Sites are read, git remotes and registries are asked; how redundant that is, is decided
//! in the core.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vigie_core::backup::{Asset, Copied, Facts, Kind, Medium, Row, judge};

use super::assets::{INSTEAD, unkept_project};
use super::catalog::SiteState;
use super::drill::NO_SCRATCH;
use super::log::no_log;
use super::{BackupError, Catalog, Sites, State, assets, stack, unkept};
use crate::config::{BackupConfig, Config};
use crate::respond::{asked_remotes, root};
use crate::runtime::docker::Docker;
use crate::snapshot::Shelf;

/// The table, in the order of its names. What a site has is read from it, and noted; of one that cannot be
/// read now, it is what was noted before.
///
/// # Errors
/// When nothing is configured, or what the engine says.
pub async fn redundancy(config: &Config, docker: Option<&Docker>) -> Result<Vec<Row>, BackupError> {
    let backup = config.file.backup.as_ref().ok_or(BackupError::NotConfigured)?;
    let catalog = Catalog::open(config)?;
    let (ours, theirs) = (config.clone(), catalog.clone());
    let looked = tokio::task::spawn_blocking(move || look(&ours, &theirs)).await;
    let unread = looked.map_err(|error| BackupError::Worker(error.to_string()))??;
    let state = catalog.state();
    let now = jiff::Timestamp::now().as_millisecond();
    let mut rows = Vec::new();
    for asset in assets(config, docker).await? {
        let mut copies = vec![living(config, &asset)];
        copies.extend(at_sites(config, backup, &state, &asset, now));
        if asset.kind == Kind::Image {
            copies.extend(in_registries(config, docker, &asset).await);
        }
        let drill = state.drills.get(&asset.name());
        let is_unfit = docker.is_none() && asset.kind == Kind::Database;
        let mut row = judge(Facts {
            asset: asset.name(),
            copies,
            rpo: backup.rpo_of(asset.kind),
            drilled: drill.filter(|one| one.failed.is_none()).map(|one| gone(now, one.at)),
            drill_every: (!is_unfit).then_some(backup.drill_within),
            drill_failed: drill.is_some_and(|one| one.failed.is_some()),
            out_of_scope: None,
            by_git: false,
        });
        let service = asset.service.as_ref().filter(|_| asset.kind == Kind::Database);
        if let Some(why) = service.and_then(|service| state.failed.get(&no_log(service))) {
            row.raise.push(why.clone());
        }
        row.raise.extend(is_unfit.then(|| format!("no drill: {NO_SCRATCH}")));
        rows.push(row);
    }
    rows.extend(docker.and_then(|_| whole(config, backup, &state, &rows, now)));
    for row in &mut rows {
        row.raise.extend(unread.iter().cloned());
    }
    for service in unkept(config) {
        let asset = Asset { kind: Kind::Database, service: None, what: service.clone() };
        let raise = format!("`schema` in [service.{service}] database: it is in no backup");
        rows.push(nowhere(config, backup, &asset, raise));
    }
    if let Some(asset) = unkept_project(config, docker).await? {
        rows.push(nowhere(config, backup, &asset, INSTEAD.to_owned()));
    }
    rows.extend(code(config, docker, backup).await);
    for (what, why) in &backup.elsewhere {
        rows.push(judge(Facts {
            asset: what.clone(),
            copies: Vec::new(),
            rpo: Duration::ZERO,
            drilled: None,
            drill_every: None,
            drill_failed: false,
            out_of_scope: Some(why.clone()),
            by_git: false,
        }));
    }
    Ok(rows)
}

/// What is in no backup, and what would raise it.
fn nowhere(config: &Config, backup: &BackupConfig, asset: &Asset, raise: String) -> Row {
    let row = judge(Facts {
        asset: asset.name(),
        copies: vec![living(config, asset)],
        rpo: backup.rpo_of(asset.kind),
        drilled: None,
        drill_every: Some(backup.drill_within),
        drill_failed: false,
        out_of_scope: None,
        by_git: false,
    });
    Row { raise: vec![raise], ..row }
}

/// Reads what every site has and notes it; a line for each that cannot be read now. Blocks.
fn look(config: &Config, catalog: &Catalog) -> Result<Vec<String>, BackupError> {
    let names = config.file.backup.iter().flat_map(|backup| backup.site.keys());
    let told = |name: &str, why: &BackupError| {
        format!("{name} cannot be read: {why}; as it was remembered")
    };
    let sites = match Sites::of(config) {
        Ok(sites) => sites,
        Err(error) => return Ok(names.map(|name| told(name, &error)).collect()),
    };
    let before = catalog.state();
    let (mut found, mut unread) = (BTreeMap::new(), Vec::new());
    for name in names {
        match catalog.backups(&sites, name) {
            Ok(backups) => {
                // Oldest first, so that the newest stays.
                let newest = backups.iter().map(|one| (one.asset.name(), one.at));
                found.insert(name, newest.collect::<BTreeMap<_, _>>());
            }
            Err(error) => unread.push(told(name, &error)),
        }
    }
    catalog.remember(|state| {
        for (name, newest) in found {
            // What was noted while the site was read is newer than what was read.
            let noted = state.sites.get(name).map(|one| &one.newest);
            if noted == before.sites.get(name).map(|one| &one.newest) {
                state.sites.entry(name.clone()).or_default().newest = newest;
            }
        }
    })?;
    Ok(unread)
}

/// The stack as a whole: a site has it where it has every part of it, as old as the oldest one.
fn whole(
    config: &Config,
    backup: &BackupConfig,
    state: &State,
    parts: &[Row],
    now: i64,
) -> Option<Row> {
    if backup.exclude.iter().any(|name| name == stack::NAME) {
        return None;
    }
    let project = Asset { kind: Kind::Project, service: None, what: String::new() };
    let mut copies = vec![living(config, &project)];
    // The stack comes back without what it could go back to.
    let points = Kind::Points.word();
    for copy in at_sites(config, backup, state, &project, now) {
        let ages = parts.iter().filter(|row| row.facts.asset != points).map(|row| {
            row.facts.copies.iter().find(|one| one.place == copy.place).map(|one| one.age)
        });
        if let Some(ages) = ages.collect::<Option<Vec<_>>>() {
            copies.push(Copied { age: ages.into_iter().max().unwrap_or_default(), ..copy });
        }
    }
    let drill = state.drills.get(stack::NAME);
    let mut row = judge(Facts {
        asset: stack::NAME.to_owned(),
        copies,
        // What may be older than the rest is older here as well.
        rpo: backup.rpo.database.max(backup.rpo.files).max(backup.rpo.images),
        drilled: drill.filter(|one| one.failed.is_none()).map(|one| gone(now, one.at)),
        drill_every: state.unfit.is_none().then_some(backup.drill_within),
        drill_failed: drill.is_some_and(|one| one.failed.is_some()),
        out_of_scope: None,
        by_git: false,
    });
    row.raise.extend(drill.map(|one| one.missed.clone()).unwrap_or_default());
    row.raise.extend(state.unfit.clone());
    Some(row)
}

fn gone(now: i64, at: i64) -> Duration {
    Duration::from_millis(u64::try_from(now.saturating_sub(at)).unwrap_or(0))
}

/// What lives counts as a copy: it is the one that is lost first.
fn living(config: &Config, asset: &Asset) -> Copied {
    let place = match asset.kind {
        Kind::Files => config.directory().join(&asset.what),
        _ => config.directory(),
    };
    Copied {
        place: String::from("this host"),
        medium: disk(&place),
        off_site: false,
        age: Duration::ZERO,
    }
}

/// The disk that `path` is on, or would be.
fn disk(path: &Path) -> Medium {
    let seen = path.ancestors().find_map(|above| above.metadata().ok());
    Medium::Disk(seen.map_or_else(String::new, |seen| {
        let device = seen.dev();
        format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device))
    }))
}

fn at_sites(
    config: &Config,
    backup: &BackupConfig,
    state: &State,
    asset: &Asset,
    now: i64,
) -> Vec<Copied> {
    let mut copies = Vec::new();
    for (name, site) in &backup.site {
        let known = state.sites.get(name);
        let Some(newest) = known.and_then(|known| known.newest.get(&asset.name())) else {
            continue;
        };
        if known.is_some_and(SiteState::is_damaged) {
            // What does not come back is no copy.
            continue;
        }
        let medium = match &site.local {
            Some(path) => disk(&config.directory().join(path)),
            None => Medium::Remote(name.clone()),
        };
        copies.push(Copied {
            place: name.clone(),
            medium,
            off_site: site.is_off_site(),
            age: gone(now, *newest),
        });
    }
    copies
}

/// Restore points whose image a registry has: the registry is asked whether it still does.
async fn in_registries(config: &Config, docker: Option<&Docker>, asset: &Asset) -> Vec<Copied> {
    let (Some(docker), Some(service)) = (docker, &asset.service) else { return Vec::new() };
    let running = docker.container(service).await.ok().flatten().map(|one| one.image_id);
    let mut copies: Vec<Copied> = Vec::new();
    for point in Shelf::look(config).unwrap_or_default() {
        for image in point.images.iter().filter(|image| &image.service == service) {
            let Some(reference) = &image.off_site else { continue };
            let host = reference.split('/').next().unwrap_or_default().to_owned();
            if Some(&image.id) != running.as_ref() || copies.iter().any(|one| one.place == host) {
                continue;
            }
            if !docker.registry_has(reference).await {
                continue;
            }
            let near = host.starts_with("127.") || host.starts_with("localhost");
            let medium = Medium::Remote(host.clone());
            copies.push(Copied { place: host, medium, off_site: !near, age: Duration::ZERO });
        }
    }
    copies
}

/// Repositories around the project and what services have mounted, compared with their remotes.
async fn code(config: &Config, docker: Option<&Docker>, backup: &BackupConfig) -> Vec<Row> {
    let mut places = vec![config.directory()];
    if let Some(docker) = docker {
        for (_, service) in config.stack.services() {
            let container = docker.container(&service.name).await.ok().flatten();
            let binds = container.map(|one| one.binds).unwrap_or_default();
            places.extend(binds.into_iter().map(|(here, _)| here));
        }
    }
    let mut roots: Vec<PathBuf> = Vec::new();
    for place in places.iter().filter(|place| place.is_dir()) {
        if let Some(root) = root(place).await
            && !roots.contains(&root)
        {
            roots.push(root);
        }
    }
    let mut rows = Vec::new();
    for at in roots {
        let mut copies = vec![Copied {
            place: String::from("this host"),
            medium: disk(&at),
            off_site: false,
            age: Duration::ZERO,
        }];
        // One that does not have HEAD has something else; how old that is, nobody knows.
        for remote in asked_remotes(&at).await.into_iter().filter(|remote| remote.has_head) {
            let (medium, off_site) = match remote.directory {
                Some(directory) => (disk(&directory), false),
                None => (Medium::Remote(remote.name.clone()), true),
            };
            copies.push(Copied { place: remote.name, medium, off_site, age: Duration::ZERO });
        }
        let name =
            at.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        rows.push(judge(Facts {
            asset: format!("code:{name}"),
            copies,
            rpo: backup.rpo.files,
            drilled: None,
            // Its hashes prove it.
            drill_every: None,
            drill_failed: false,
            out_of_scope: None,
            by_git: true,
        }));
    }
    rows
}

#[cfg(test)]
mod tests {
    use vigie_backup::Repository;

    use super::*;
    use crate::backup::Manifest;
    use crate::backup::catalog::tests::{put, text};

    /// What is told of the project: where it has copies, and what would raise it.
    fn project(config: &Config) -> (Vec<String>, String) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let rows = runtime.block_on(redundancy(config, None)).unwrap();
        let row = rows.into_iter().find(|row| row.facts.asset == "project").unwrap();
        let places = row.facts.copies.into_iter().map(|copy| copy.place);
        (places.collect(), row.raise.join("; "))
    }

    #[test]
    fn what_a_site_has_is_what_counts_and_what_is_remembered_while_it_is_away() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("password"), "p").unwrap();
        let config = "[stack]\nname = \"x\"\nruntime = \"process\"\n[service.a]\nrole = \"other\"\n\
                      command = [\"a\"]\n[backup]\npassword = { file = \"password\" }\n\
                      [backup.site.disk]\nlocal = \"repo\"\n";
        let config = Config::parse(&at("vigie.toml"), config).unwrap();
        let repository = Repository::create(&at("repo"), "p").unwrap();
        let manifest = |moment: i64| -> Manifest {
            let project = Asset { kind: Kind::Project, service: None, what: String::new() };
            let text = serde_json::json!({
                "asset": project, "at": moment, "took_ms": 0, "files": 0, "bytes": 0, "added": 0,
                "stack": "x", "version": "0",
            });
            serde_json::from_value(text).unwrap()
        };
        let newest = || {
            let state = Catalog::open(&config).unwrap().state();
            state.sites.get("disk").and_then(|site| site.newest.get("project").copied())
        };
        assert_eq!(project(&config).0, ["this host"]);
        // Another host made them: nothing of this one has noted it.
        let [_, last] = [1, 2].map(|moment| {
            let one = manifest(moment);
            put(&repository, &one, text(&one))
        });
        assert_eq!(project(&config).0, ["this host", "disk"]);
        assert_eq!(newest(), Some(2));
        std::fs::rename(at("repo"), at("away")).unwrap();
        let (places, raise) = project(&config);
        assert_eq!(places, ["this host", "disk"], "as it was remembered");
        assert!(raise.contains("disk cannot be read: ") && raise.contains("remembered"), "{raise}");
        std::fs::rename(at("away"), at("repo")).unwrap();
        repository.forget(&[last]).unwrap();
        let (_, raise) = project(&config);
        assert!(!raise.contains("cannot be read") && newest() == Some(1), "{raise}");
        let all = repository.snapshots().unwrap().into_iter().map(|(id, ..)| id);
        repository.forget(&all.collect::<Vec<_>>()).unwrap();
        assert_eq!(project(&config).0, ["this host"], "what is remembered is no copy");
        assert_eq!(newest(), None);
        // Without its password it cannot be read either.
        std::fs::remove_file(at("password")).unwrap();
        assert!(project(&config).1.contains("disk cannot be read: the secret"));
    }
}
