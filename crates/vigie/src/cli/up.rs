//! Does: `vigie up`: applies the compose file, and says what it does as plain lines.

use std::path::Path;
use std::time::Instant;

use tokio::signal::unix::{SignalKind, signal};
use vigie_core::stack::ServiceId;

use super::args::UpArgs;
use super::{Exit, Failure, Paint, order};
use crate::config::Config;
use crate::report::{Lang, say, word};
use crate::runtime::Runtime;
use crate::up::{Planned, Todo, Told, UpError, apply, limit, plan, refuse_while_repairing};

pub(super) async fn run(path: &Path, args: &UpArgs) -> Result<Exit, Failure> {
    let config = Config::read(path)?;
    for name in &args.service {
        order::check_names(&config, name, None)?;
    }
    let named = args.service.iter().filter_map(|name| config.stack.find(name)).collect();
    let all = || config.stack.services().map(|(id, _)| id).collect();
    let services: Vec<ServiceId> = if args.service.is_empty() { all() } else { named };
    let runtime = crate::app::runtime(&config)?;
    let planned = plan(&config, runtime.as_ref(), &services).await?;
    if args.deed.dry_run {
        for one in &planned {
            tell(one, true, config.file.stack.lang);
        }
        return Ok(Exit::Fine);
    }
    refuse_while_repairing(&config)?;
    let watch = Told::find(&config, args.deed.who.name()).await?;
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let done = tokio::select! {
        done = all_of(&config, runtime.as_ref(), &planned, watch.as_ref()) => done.map_err(Failure::from),
        _ = terminate.recv() => Err(interrupted()),
        _ = interrupt.recv() => Err(interrupted()),
    };
    // Whatever came of it, the watch repairs again from here on.
    let told = match &watch {
        Some(watch) => watch.end().await,
        None => Ok(()),
    };
    done?;
    told?;
    Ok(Exit::Fine)
}

fn interrupted() -> Failure {
    let text = "interrupted; the services above were applied, the others were not; \
                `vigie up --dry-run` says which";
    Failure::say(Exit::Finding, text)
}

async fn all_of(
    config: &Config,
    runtime: &dyn Runtime,
    planned: &[Planned],
    watch: Option<&Told<'_>>,
) -> Result<(), UpError> {
    let (lang, paint) = (config.file.stack.lang, Paint::for_stdout());
    for one in planned {
        if let Some(watch) = watch {
            watch.declare(limit(config, one.id)).await?;
        }
        tell(one, false, lang);
        let begun = Instant::now();
        let says = apply(config, runtime, one).await?;
        let took = begun.elapsed().as_secs_f64();
        let says: Vec<_> = says.iter().map(|line| proof(line, lang)).collect();
        let (name, says) = (&one.name, says.join(", "));
        let line = match lang {
            Lang::En => format!("{name}: well after {took:.1} s  {says}"),
            Lang::Fr => format!("{name} : sain après {took:.1} s  {says}"),
        };
        println!("{}", paint.good(line.trim_end()));
    }
    let services: Vec<_> = planned.iter().map(|one| one.id).collect();
    let text = match (watch, lang) {
        (Some(watch), _) => {
            watch.sees_well(&services).await?;
            match lang {
                Lang::En => "verified: the watch sees every service well",
                Lang::Fr => "vérifié : la surveillance voit chaque service sain",
            }
        }
        (None, Lang::En) => "verified: every service answers; no watch runs (vigie watch)",
        (None, Lang::Fr) => {
            "vérifié : chaque service répond ; aucune surveillance ne tourne (vigie watch)"
        }
    };
    println!("{}", paint.good(text));
    Ok(())
}

/// `a2s: 3/16 players on gm_construct`, in the reader's language.
fn proof(line: &str, lang: Lang) -> String {
    match line.split_once(": ") {
        Some((probe, says)) => format!("{probe} {}", say(says, lang)),
        None => line.to_owned(),
    }
}

fn tell(planned: &Planned, would: bool, lang: Lang) {
    let name = &planned.name;
    let line = match (planned.todo, would, lang) {
        (Todo::Leave, _, Lang::En) => format!("{name}: is what the compose file says"),
        (Todo::Leave, _, Lang::Fr) => format!("{name} : conforme au fichier compose"),
        (Todo::Start(state), true, Lang::En) => {
            format!("{name}: would be started, it is {}", state.word())
        }
        (Todo::Start(state), false, Lang::En) => {
            format!("{name}: is started, it was {}", state.word())
        }
        (Todo::Start(state), true, Lang::Fr) => {
            format!("{name} : serait démarré, il est {}", word(state.word(), lang))
        }
        (Todo::Start(state), false, Lang::Fr) => {
            format!("{name} : démarrage, il était {}", word(state.word(), lang))
        }
        (Todo::Recreate, true, Lang::En) => format!("{name}: would be made afresh"),
        (Todo::Recreate, false, Lang::En) => format!("{name}: is made afresh"),
        (Todo::Recreate, true, Lang::Fr) => format!("{name} : serait recréé"),
        (Todo::Recreate, false, Lang::Fr) => format!("{name} : recréé"),
    };
    println!("{line}");
    for difference in &planned.differences {
        println!("  {}", say(difference, lang));
    }
}
