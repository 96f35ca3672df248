//! Does: backups looked at: `vigie backup list`, `show`, `ls`, `cat` and `diff`. Changes nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Serialize;
use vigie_backup::{Entry, Kind as Inside, Repository};
use vigie_core::backup::{Kind, Wanted};

use super::{pick, words};
use crate::backup::{BackupError, Catalog, Manifest, Physical, Sites};
use crate::cli::{Exit, Failure, table};
use crate::config::Config;
use crate::report::{ago, rfc3339};
use crate::text::{printable, size};

#[derive(Debug, Serialize)]
struct BackupJson {
    asset: String,
    at: String,
    took_ms: u64,
    files: u64,
    bytes: u64,
    added: u64,
    image: Option<String>,
    points: Vec<String>,
    tables: BTreeMap<String, u64>,
    physical: Option<Physical>,
    binlog: Option<String>,
    moments: BTreeMap<String, [String; 2]>,
    version: String,
}

fn shape(one: &Manifest) -> BackupJson {
    BackupJson {
        asset: one.asset.name(),
        at: rfc3339(one.at),
        took_ms: one.took_ms,
        files: one.files,
        bytes: one.bytes,
        added: one.added,
        image: one.image.clone(),
        points: one.points.iter().map(ToString::to_string).collect(),
        tables: one.tables.iter().map(|(name, count)| (name.clone(), count.rows)).collect(),
        physical: one.physical.clone(),
        binlog: one.place.as_ref().map(|place| place.at.to_string()),
        moments: one
            .moments
            .iter()
            .map(|(name, span)| {
                (name.clone(), [span.since, span.until].map(|at| rfc3339(at * 1_000)))
            })
            .collect(),
        version: one.version.clone(),
    }
}

pub(super) fn list(
    config: &Config,
    asset: Option<&str>,
    site: Option<&str>,
    json: bool,
) -> Result<Exit, Failure> {
    let sites = Sites::of(config)?;
    let site = site.map_or_else(|| sites.primary(), Ok)?;
    let mut known = Catalog::open(config)?.backups(&sites, site)?;
    let newest = newest_logs(&known);
    let is_old = |one: &Manifest| {
        one.asset.kind == Kind::Binlog && newest.get(&one.asset.name()) != Some(&one.at)
    };
    known.retain(|one| !is_old(one));
    let moments: BTreeMap<_, _> = known.iter().flat_map(|one| one.moments.clone()).collect();
    known.retain(|one| asset.is_none_or(|name| one.asset.is_called(name)));
    known.reverse();
    if json {
        println!("{}", serde_json::to_string_pretty(&known.iter().map(shape).collect::<Vec<_>>())?);
        return Ok(Exit::Fine);
    }
    let lang = config.file.stack.lang;
    if known.is_empty() {
        println!("{}", words::none(site, lang));
        return Ok(Exit::Fine);
    }
    let rows: Vec<Vec<String>> = known
        .iter()
        .map(|one| {
            vec![
                one.asset.name(),
                utc(one.at),
                since(one.at),
                one.files.to_string(),
                size(one.bytes),
                size(one.added),
            ]
        })
        .collect();
    table::print(&words::head(lang), &rows);
    let shown = |name: &str| known.iter().any(|one| one.asset.name() == name);
    for (name, span) in moments.iter().filter(|(name, _)| shown(name)) {
        let (since, until) = (local(span.since), local(span.until));
        println!("{}", words::span(name, &since, &until, lang));
    }
    Ok(Exit::Fine)
}

/// When the newest backup of each log was begun: it has everything that those before it have.
fn newest_logs(known: &[Manifest]) -> BTreeMap<String, i64> {
    let logs = known.iter().filter(|one| one.asset.kind == Kind::Binlog);
    // Oldest first, so that the newest stays.
    logs.map(|one| (one.asset.name(), one.at)).collect()
}

/// A moment in milliseconds since 1970 in UTC, as it is written behind an `@`.
pub(in crate::cli) fn utc(at: i64) -> String {
    format!("{}Z", rfc3339(at)[..19].replace('T', " "))
}

/// A second since 1970 in this host's time zone, as it is written behind an `@`.
pub(super) fn local(second: i64) -> String {
    match jiff::Timestamp::from_second(second) {
        Ok(at) => at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => format!("second {second}"),
    }
}

fn since(at: i64) -> String {
    let gone = jiff::Timestamp::now().as_millisecond().saturating_sub(at);
    ago(Duration::from_millis(u64::try_from(gone).unwrap_or(0)))
}

pub(super) fn show(
    config: &Config,
    wanted: &Wanted,
    site: Option<&str>,
    json: bool,
) -> Result<Exit, Failure> {
    let sites = Sites::of(config)?;
    let site = site.map_or_else(|| sites.primary(), Ok)?;
    let one = pick(config, &sites, site, wanted)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&shape(&one))?);
        return Ok(Exit::Fine);
    }
    println!("{} of {}, {} old, at {site}", one.asset.name(), rfc3339(one.at), since(one.at));
    println!("  {} files, {}, of which {} new", one.files, size(one.bytes), size(one.added));
    println!("  made in {} by vigie {}", ago(Duration::from_millis(one.took_ms)), one.version);
    if let Some(image) = &one.image {
        println!("  image {image}");
    }
    for name in &one.points {
        println!("  restore point {name}");
    }
    for (service, at) in &one.mounted {
        println!("  mounted at {at} of {service}");
    }
    if let Some(copy) = &one.physical {
        let rows = if copy.exact { "" } else { "; rows were written meanwhile" };
        println!("  the files of a server {}, by {}{rows}", copy.server, copy.tool);
    }
    for (name, count) in &one.tables {
        println!("  table {name}: {} rows", count.rows);
    }
    if let Some(place) = &one.place {
        println!("  the binary log goes on at {}", place.at);
    }
    Ok(Exit::Fine)
}

/// A backup opened, to look inside.
fn opened(
    config: &Config,
    wanted: &Wanted,
    site: Option<&str>,
) -> Result<(Repository, String, Manifest), Failure> {
    let sites = Sites::of(config)?;
    let site = site.map_or_else(|| sites.primary(), Ok)?;
    let one = pick(config, &sites, site, wanted)?;
    let repository = sites.open(site)?;
    let id = Catalog::snapshot(&repository, site, &one.asset, one.at)?;
    Ok((repository, id, one))
}

fn entries(config: &Config, wanted: &Wanted, site: Option<&str>) -> Result<Vec<Entry>, Failure> {
    let (repository, id, _) = opened(config, wanted, site)?;
    let read = repository.entries(&id);
    let failed = |error| BackupError::Site(site.unwrap_or("").to_owned(), error);
    Ok(read.map_err(failed)?)
}

pub(super) fn ls(
    config: &Config,
    wanted: &Wanted,
    below: Option<&Path>,
    site: Option<&str>,
    json: bool,
) -> Result<Exit, Failure> {
    let mut found = entries(config, wanted, site)?;
    found.retain(|entry| below.is_none_or(|below| entry.path.starts_with(below)));
    if json {
        let shapes: Vec<_> = found
            .iter()
            .map(|one| {
                serde_json::json!({
                    "path": one.path, "kind": word(one.kind), "bytes": one.size,
                    "mode": one.mode.map(|(mode, ..)| format!("{:o}", mode & 0o7777)),
                })
            })
            .collect();
        println!("{}", serde_json::to_string_pretty(&shapes)?);
        return Ok(Exit::Fine);
    }
    if found.is_empty() {
        return Err(Failure::say(Exit::Usage, "there is nothing below that path in it"));
    }
    for one in &found {
        let mode = one.mode.map_or(0, |(mode, ..)| mode & 0o7777);
        let path = printable(&one.path.display().to_string());
        println!("{} {mode:04o} {:>9}  {path}", letter(one.kind), size(one.size));
    }
    Ok(Exit::Fine)
}

const fn word(kind: Inside) -> &'static str {
    match kind {
        Inside::File => "file",
        Inside::Directory => "directory",
        Inside::Link => "link",
        Inside::Other => "other",
    }
}

const fn letter(kind: Inside) -> char {
    match kind {
        Inside::File => '-',
        Inside::Directory => 'd',
        Inside::Link => 'l',
        Inside::Other => '?',
    }
}

pub(super) fn cat(
    config: &Config,
    wanted: &Wanted,
    path: &Path,
    site: Option<&str>,
) -> Result<Exit, Failure> {
    let (repository, id, _) = opened(config, wanted, site)?;
    let path = path.strip_prefix("/").unwrap_or(path);
    let mut out = std::io::stdout().lock();
    let given = repository.get_file(&id, &path.to_string_lossy(), &mut out);
    let failed = |error| BackupError::Site(site.unwrap_or("").to_owned(), error);
    given.map_err(failed)?;
    Ok(Exit::Fine)
}

#[derive(Debug, Serialize)]
struct DiffJson {
    added: Vec<PathBuf>,
    removed: Vec<PathBuf>,
    changed: Vec<PathBuf>,
}

pub(super) fn diff(
    config: &Config,
    one: &Wanted,
    other: &Wanted,
    site: Option<&str>,
    json: bool,
) -> Result<Exit, Failure> {
    let by_path = |entries: Vec<Entry>| -> BTreeMap<PathBuf, Entry> {
        entries.into_iter().map(|entry| (entry.path.clone(), entry)).collect()
    };
    let before = by_path(entries(config, one, site)?);
    let after = by_path(entries(config, other, site)?);
    let differs = |path: &PathBuf, entry: &Entry| before.get(path).is_some_and(|old| old != entry);
    let told = DiffJson {
        added: after.keys().filter(|path| !before.contains_key(*path)).cloned().collect(),
        removed: before.keys().filter(|path| !after.contains_key(*path)).cloned().collect(),
        changed: after
            .iter()
            .filter(|(path, entry)| differs(path, entry))
            .map(|(path, _)| path.clone())
            .collect(),
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&told)?);
        return Ok(Exit::Fine);
    }
    for (sign, paths) in [('+', &told.added), ('-', &told.removed), ('~', &told.changed)] {
        for path in paths {
            println!("{sign} {}", printable(&path.display().to_string()));
        }
    }
    if told.added.is_empty() && told.removed.is_empty() && told.changed.is_empty() {
        println!("nothing differs");
    }
    Ok(Exit::Fine)
}
