//! Does: `vigie backup restore database@MOMENT`: says what brings a database to a moment between two
//! dumps, asks, and has it done by a worker.

use std::path::Path;
use std::time::Duration;

use vigie_core::backup::Kind;
use vigie_core::binlog::Target;

use super::{asked, held, look, pick, strange, when, work};
use crate::backup::{Catalog, Done, Job, Moment, Sites, Way};
use crate::cli::args::RestoreArgs;
use crate::cli::{Exit, Failure};
use crate::config::Config;
use crate::report::{ago, rfc3339};

/// A database, and what it shall be brought to.
pub(super) struct Wish {
    asset: String,
    target: Target,
}

/// What is wished for when it needs a log; nothing when a backup as it is was meant.
pub(super) fn wish(
    config: &Config,
    sites: &Sites<'_>,
    site: &str,
    args: &RestoreArgs,
) -> Result<Option<Wish>, Failure> {
    let keeps = config.keeps_log();
    let Some(text) = args.wanted.at.as_deref().filter(|_| keeps && !args.dump_only) else {
        return Ok(None);
    };
    let target = when::target(text).map_err(|why| Failure::say(Exit::Usage, why))?;
    let known = Catalog::open(config)?.backups(sites, site)?;
    let mine = known.iter().filter(|one| one.asset.is_called(&args.wanted.asset));
    let exact = when::until(text).ok();
    let mine: Vec<_> = mine.collect();
    let is_backup = mine.iter().any(|one| Some(one.at) == exact);
    let is_database = mine.iter().any(|one| one.asset.kind == Kind::Database);
    if is_backup || !is_database {
        return Ok(None);
    }
    let mut newest = args.wanted.clone();
    newest.at = None;
    let asset = pick(config, sites, site, &newest)?.asset.name();
    Ok(Some(Wish { asset, target }))
}

/// Asks a worker how, says it, asks a person, and has it done.
pub(super) async fn restore(
    path: &Path,
    config: &Config,
    args: &RestoreArgs,
    site: &str,
    wish: Wish,
) -> Result<Exit, Failure> {
    let Wish { asset, target } = wish;
    let job = |way| Job::Moment {
        asset: asset.clone(),
        target: target.clone(),
        site: site.to_owned(),
        way,
    };
    let Done::Moment(plan) = work(path, &job(None)).await? else { return Err(strange()) };
    println!("{}", told(&asset, site, &plan));
    let way = match &args.to {
        Some(directory) => Way::To(std::path::absolute(directory)?),
        None => Way::InPlace,
    };
    if way == Way::InPlace {
        println!(
            "the games are stopped, what is there now is dumped, then it is replaced: players lose what \
             they did since then"
        );
    }
    if args.dry_run {
        return Ok(Exit::Fine);
    }
    if way == Way::InPlace && !args.yes && !asked("replace it?")? {
        let why = "nothing was changed; say yes, or give --yes where nobody can be asked";
        return Err(Failure::say(Exit::Refused, why));
    }
    let replaces = way == Way::InPlace;
    let Done::Moment(done) = held(path, config, &job(Some(way.clone())), replaces).await? else {
        return Err(strange());
    };
    let restored = done.restored.ok_or_else(strange)?;
    let took = ago(Duration::from_millis(restored.took_ms));
    let kept = if done.physical { "copy" } else { "dump" };
    println!(
        "{asset} is in {}, {} transactions after its {kept}, after {took}",
        restored.place, done.groups
    );
    if way != Way::InPlace {
        // The files of a server have every schema, and so has what is played behind them.
        let only = if done.physical {
            println!("to have a server of its own on it: mariadbd --datadir={}", restored.place);
            String::new()
        } else {
            println!("to play it into a server of its own: mariadb < dump.sql");
            let schema = asset.split_once(':').map_or(asset.as_str(), |(_, schema)| schema);
            format!(" --database={schema}")
        };
        if done.groups > 0 {
            println!(
                "then: mariadb-binlog --disable-log-bin{only} log.binlog | mariadb --binary-mode"
            );
        }
    }
    if let Some(before) = restored.before {
        println!("to undo it: vigie backup restore {before} --in-place");
    }
    Ok(Exit::Fine)
}

/// What brings it there, for people.
fn told(asset: &str, site: &str, plan: &Moment) -> String {
    let dump = rfc3339(plan.dump);
    let kept = if plan.physical { "copy" } else { "dump" };
    let Some(ends) = &plan.ends else {
        return format!(
            "{asset} from {site}: the {kept} of {dump}; nothing was committed after it"
        );
    };
    let last = plan
        .last
        .map_or_else(String::new, |last| format!(", the last of them of {}", look::local(last)));
    format!(
        "{asset} from {site}: the {kept} of {dump}, then {} pieces of the log up to {ends}: {} \
         transactions{last}",
        plan.pieces, plan.groups
    )
}
