//! Does: `vigie backup …`: backups made, copied, read back, brought back and pruned. The work is done by
//! a worker process; this shows how it goes and says what came of it.

mod drill;
mod look;
mod moment;
mod sheet;
pub(super) mod when;
mod words;

pub(super) use look::utc;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use vigie_core::backup::{Kind, Wanted};

use super::args::{BackupCommand, RestoreArgs};
use super::bar::{Bar, Silent};
use super::held::Held;
use super::{Exit, Failure, Paint};
use crate::app::docker_runtime;
use crate::backup::{
    self, BackupError, Catalog, Done, Job, Limits, Manifest, Outside, Sites, There, Way,
};
use crate::config::{Config, RuntimeKind};
use crate::report::{ago, rfc3339};
use crate::runtime::docker::Docker;
use crate::text::size;

/// A person may wait as long as they like; what hangs all day does not come back.
const LIMIT: Duration = Duration::from_secs(24 * 3600);

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let exit = error.class().into();
        Self::new(exit, error)
    }
}

pub(super) async fn run(path: &Path, command: BackupCommand) -> Result<Exit, Failure> {
    let config = Config::read(path)?;
    match command {
        BackupCommand::Init { dry_run, sheet } => init(path, &config, dry_run, sheet).await,
        BackupCommand::Run { asset, dry_run } => keep(path, &config, asset, dry_run).await,
        BackupCommand::List { asset, site, json } => {
            look::list(&config, asset.as_deref(), site.as_deref(), json)
        }
        BackupCommand::Show { wanted, site, json } => {
            look::show(&config, &wanted, site.as_deref(), json)
        }
        BackupCommand::Ls { wanted, path, site, json } => {
            look::ls(&config, &wanted, path.as_deref(), site.as_deref(), json)
        }
        BackupCommand::Cat { wanted, path, site } => {
            look::cat(&config, &wanted, &path, site.as_deref())
        }
        BackupCommand::Diff { one, other, site, json } => {
            look::diff(&config, &one, &other, site.as_deref(), json)
        }
        BackupCommand::Verify { site, read_data, json } => {
            verify(path, &config, site, read_data, json).await
        }
        BackupCommand::Repair { site, from, dry_run } => {
            repair(path, &config, site, from, dry_run).await
        }
        BackupCommand::Restore(args) => restore(path, &config, &args).await,
        BackupCommand::Copy { from, to, dry_run } => copy(path, &config, from, to, dry_run).await,
        BackupCommand::Prune { site, dry_run } => prune(path, &config, site, dry_run).await,
        BackupCommand::Drill { asset, dry_run, json } => {
            drill(path, &config, asset, dry_run, json).await
        }
        BackupCommand::Work { idle } => {
            // What went wrong was said to whoever gave the work.
            let done = backup::serve(&config, idle).await;
            Ok(if done.is_ok() { Exit::Fine } else { Exit::Finding })
        }
    }
}

/// Has a worker do a work, and says nothing of how it goes.
async fn silently(path: &Path, job: &Job) -> Result<Done, Failure> {
    let limits = Limits { time: LIMIT, idle: false };
    Ok(backup::run(path, job, limits, &Silent, &Silent).await?)
}

/// Has a worker do a work, and shows how it goes.
async fn work(path: &Path, job: &Job) -> Result<Done, Failure> {
    let bar = Bar::new();
    let limits = Limits { time: LIMIT, idle: false };
    let done = backup::run(path, job, limits, &bar, &bar).await;
    drop(bar);
    Ok(done?)
}

/// The same; where something is replaced, the watch is told that a person is at it.
async fn held(path: &Path, config: &Config, job: &Job, replaces: bool) -> Result<Done, Failure> {
    if !replaces {
        return work(path, job).await;
    }
    let held = Held::begin(config, "vigie backup restore").await;
    let done = work(path, job).await;
    held.end(config).await;
    done
}

fn strange() -> Failure {
    Failure::say(Exit::Finding, "the worker did something else; this is a fault of vigie")
}

fn docker(config: &Config) -> Result<Option<Docker>, Failure> {
    match config.file.stack.runtime {
        RuntimeKind::Docker => Ok(Some(docker_runtime(config)?)),
        RuntimeKind::Process => Ok(None),
    }
}

async fn init(path: &Path, config: &Config, dry_run: bool, sheet: bool) -> Result<Exit, Failure> {
    let sites = Sites::of(config)?;
    if dry_run {
        for name in sites.names() {
            println!(
                "would make a repository at {name} ({}) where there is none",
                sites.shown(name)?
            );
        }
        return Ok(Exit::Fine);
    }
    let Done::Made(made) = work(path, &Job::Init).await? else { return Err(strange()) };
    for name in sites.names() {
        let new = if made.iter().any(|one| one == name) { "made" } else { "was there" };
        println!("{name}: {} ({new})", sites.shown(name)?);
    }
    if sheet || !made.is_empty() {
        print!("\n{}", sheet::write(config, &sites)?);
    } else {
        println!("the recovery sheet once more: vigie backup init --sheet");
    }
    Ok(Exit::Fine)
}

async fn keep(
    path: &Path,
    config: &Config,
    names: Vec<String>,
    dry_run: bool,
) -> Result<Exit, Failure> {
    if dry_run {
        let sites = Sites::of(config)?;
        let all = backup::assets(config, docker(config)?.as_ref()).await?;
        let is_wanted = |name: &str| {
            names.is_empty()
                || all.iter().any(|one| {
                    one.name() == name && names.iter().any(|wanted| one.is_called(wanted))
                })
        };
        for asset in all.iter().filter(|asset| is_wanted(&asset.name())) {
            let what = asset.service.as_ref().map_or_else(String::new, |one| format!(" of {one}"));
            println!("would back up {}{what}", asset.name());
        }
        println!(
            "to {}, then copied to: {}",
            sites.primary()?,
            sites.others().collect::<Vec<_>>().join(", ")
        );
        return Ok(Exit::Fine);
    }
    let Done::Kept { kept, failed } = work(path, &Job::Run { names, known: false }).await? else {
        return Err(strange());
    };
    for one in &kept {
        let took = ago(Duration::from_millis(one.took_ms));
        let (name, bytes, added) = (one.asset.name(), size(one.bytes), size(one.added));
        println!("{}", words::kept(&name, &bytes, &added, &took, config.file.stack.lang));
    }
    for (what, why) in &failed {
        eprintln!("vigie: {what}: {why}");
    }
    Ok(if failed.is_empty() { Exit::Fine } else { Exit::Finding })
}

async fn verify(
    path: &Path,
    config: &Config,
    site: Option<String>,
    read_data: u8,
    json: bool,
) -> Result<Exit, Failure> {
    let sites = Sites::of(config)?;
    let names: Vec<String> = match site {
        Some(site) => vec![sites.site(&site).map(|_| site.clone())?],
        None => sites.names().map(ToOwned::to_owned).collect(),
    };
    let mut found = serde_json::Map::new();
    let mut sound = true;
    for site in names {
        let job = Job::Verify { site: site.clone(), read_data };
        let done = if json { silently(path, &job).await? } else { work(path, &job).await? };
        let Done::Verified { bytes, damaged } = done else { return Err(strange()) };
        sound &= damaged.is_empty();
        if json {
            let told = serde_json::json!({ "read": bytes, "damaged": damaged });
            found.insert(site, told);
        } else if damaged.is_empty() {
            println!("{site} is sound; {} of its data were read", size(bytes));
        } else {
            println!("{}", Paint::for_stdout().bad(&format!("{site} is damaged:")));
            damaged.iter().for_each(|line| println!("  {line}"));
            println!("to heal it from another site: vigie backup repair {site} --from SITE");
        }
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    }
    Ok(if sound { Exit::Fine } else { Exit::Finding })
}

async fn repair(
    path: &Path,
    config: &Config,
    site: String,
    from: String,
    dry_run: bool,
) -> Result<Exit, Failure> {
    if dry_run {
        return verify(path, config, Some(site), 100, false).await;
    }
    let job = Job::Repair { site: site.clone(), from };
    let Done::Repaired { healed, left } = work(path, &job).await? else { return Err(strange()) };
    println!("{site}: {healed} pieces healed");
    left.iter().for_each(|one| println!("  still damaged: {one}"));
    Ok(if left.is_empty() { Exit::Fine } else { Exit::Finding })
}

async fn restore(path: &Path, config: &Config, args: &RestoreArgs) -> Result<Exit, Failure> {
    let sites = Sites::of(config)?;
    let site = args.site.as_deref().map_or_else(|| sites.primary(), Ok)?;
    sites.site(site)?;
    if let Some(wish) = moment::wish(config, &sites, site, args)? {
        return moment::restore(path, config, args, site, wish).await;
    }
    let manifest = pick(config, &sites, site, &args.wanted)?;
    let name = manifest.asset.name();
    println!("{name} of {} from {site}: {}", rfc3339(manifest.at), size(manifest.bytes));
    let way = match &args.to {
        Some(directory) => Way::To(std::path::absolute(directory)?),
        None => Way::InPlace,
    };
    if way == Way::InPlace && manifest.asset.kind == Kind::Points {
        let names = manifest.points.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let names = args.wanted.point.as_ref().unwrap_or(&names);
        println!("it brings back, beside the restore points that are there: {names}");
    } else if way == Way::InPlace {
        println!("what is there now is backed up first, then it is exchanged");
    }
    if args.dry_run {
        return Ok(Exit::Fine);
    }
    let replaces = manifest.asset.kind != Kind::Points;
    let question = if replaces { "replace it?" } else { "bring it back?" };
    if way == Way::InPlace && !args.yes && !asked(question)? {
        let why = "nothing was changed; say yes, or give --yes where nobody can be asked";
        return Err(Failure::say(Exit::Refused, why));
    }
    let (at, point, site) = (manifest.at, args.wanted.point.clone(), site.to_owned());
    let job = Job::Restore { asset: name, at, point, site, way };
    let Done::Restored(restored) = held(path, config, &job, args.in_place).await? else {
        return Err(strange());
    };
    let (took, lang) = (ago(Duration::from_millis(restored.took_ms)), config.file.stack.lang);
    if args.in_place && manifest.asset.kind == Kind::Points {
        println!("{}", words::points(&restored.place, &took, lang));
    } else {
        println!("{}", words::restored(&restored.asset, &restored.place, &took, lang));
    }
    for one in &restored.outside {
        println!("{}", elsewhere(one));
    }
    if let Some(before) = restored.before {
        println!("{}", words::undo(&before, lang));
    }
    Ok(Exit::Fine)
}

/// Where a file is that belongs somewhere else on the host.
fn elsewhere(one: &Outside) -> String {
    let there = match one.there {
        There::Nothing => "where nothing is now",
        There::Same => "where it is as it was",
        There::Other => "where another one is now",
    };
    format!(
        "{} belongs outside of the project, to {}, {there}",
        one.kept.display(),
        one.belongs.display()
    )
}

fn asked(question: &str) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    print!("{question} [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "o" | "oui"))
}

/// The backup that is meant.
fn pick(
    config: &Config,
    sites: &Sites<'_>,
    site: &str,
    wanted: &Wanted,
) -> Result<Manifest, Failure> {
    let until = wanted.at.as_deref().map(when::until).transpose();
    let until = until.map_err(|why| Failure::say(Exit::Usage, why))?;
    let known = Catalog::open(config)?.backups(sites, site)?;
    let names: std::collections::BTreeSet<String> = known
        .iter()
        .map(|one| &one.asset)
        .filter(|asset| asset.is_called(&wanted.asset))
        .map(vigie_core::backup::Asset::name)
        .collect();
    if names.len() > 1 {
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        let why = format!("`{}` may be several: {names}; say which", wanted.asset);
        return Err(Failure::say(Exit::Usage, why));
    }
    let found = backup::newest(&known, wanted, until).cloned();
    let when = wanted.at.as_deref().map_or_else(String::new, |at| format!(" until {at}"));
    Ok(found.ok_or_else(|| BackupError::NoBackup(wanted.asset.clone(), when))?)
}

async fn copy(
    path: &Path,
    config: &Config,
    from: String,
    to: String,
    dry_run: bool,
) -> Result<Exit, Failure> {
    if dry_run {
        let sites = Sites::of(config)?;
        let catalog = Catalog::open(config)?;
        let theirs = catalog.backups(&sites, &to).unwrap_or_default();
        let ours = catalog.backups(&sites, &from)?;
        let is_there = |one: &Manifest| {
            theirs.iter().any(|other| other.at == one.at && other.asset == one.asset)
        };
        for one in ours.iter().filter(|one| !is_there(one)) {
            println!("would copy {} of {}", one.asset.name(), rfc3339(one.at));
        }
        return Ok(Exit::Fine);
    }
    let Done::Copied { copied, known } = work(path, &Job::Copy { from, to: to.clone() }).await?
    else {
        return Err(strange());
    };
    println!("{to}: {copied} snapshots copied, {known} were there");
    Ok(Exit::Fine)
}

async fn prune(
    path: &Path,
    config: &Config,
    site: Option<String>,
    dry_run: bool,
) -> Result<Exit, Failure> {
    let sites = Sites::of(config)?;
    let names: Vec<String> = match site {
        Some(site) => vec![site],
        None => {
            let may = |name: &&str| sites.site(name).is_ok_and(|site| !site.append_only);
            sites.names().filter(may).map(ToOwned::to_owned).collect()
        }
    };
    for site in names {
        let job = Job::Prune { site: site.clone(), dry_run };
        let Done::Pruned { gone, freed } = work(path, &job).await? else { return Err(strange()) };
        let word = if dry_run { "would go" } else { "gone" };
        for (asset, at) in &gone {
            println!("{site}: {asset} of {} {word}", rfc3339(*at));
        }
        if !dry_run {
            println!("{site}: {} backups gone, {} free", gone.len(), size(freed));
        }
    }
    Ok(Exit::Fine)
}

async fn drill(
    path: &Path,
    config: &Config,
    names: Vec<String>,
    dry_run: bool,
    json: bool,
) -> Result<Exit, Failure> {
    let all = names.iter().any(|name| name == "all");
    let names = if all { Vec::new() } else { names };
    if dry_run {
        return drill::plan(config, &names);
    }
    let job = Job::Drill { names };
    let done = if json { silently(path, &job).await? } else { work(path, &job).await? };
    let Done::Drilled(drills) = done else { return Err(strange()) };
    drill::tell(config, drills, json)
}
