//! Does: `vigie snapshot rollback`: says what would be done and lost, asks, and goes back.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use vigie_core::snapshot::{Act, Parts, Plan, Point};

use super::{BY, bar, opened, players};
use crate::cli::args::RollbackArgs;
use crate::cli::held::Held;
use crate::cli::{Exit, Failure};
use crate::config::Config;
use crate::report::ago;
use crate::runtime::docker::Docker;
use crate::snapshot::{self, Journey, Place, Shelf};

pub(super) async fn run(
    config: &Config,
    docker: &Docker,
    args: &RollbackArgs,
) -> Result<Exit, Failure> {
    // A dry run changes nothing, not even what somebody left half done.
    let shelf = if args.dry_run { Shelf::open(config)? } else { opened(config, docker).await? };
    let to = shelf.point(&args.name)?;
    let parts = Parts::of(args.only.map(Into::into));
    let bar = bar();
    let step = |text: &str| bar.step(text);
    let place = Place { config, docker, shelf: &shelf, meter: Some(bar.clone()), say: &step };
    let players = players(config).await;
    let plan = snapshot::plan(&place, &to, parts).await?;
    println!("back to {}, made {} ago:", to.name, since(&to));
    for act in &plan.acts {
        println!("  {}", words(act));
    }
    for volume in &plan.masking {
        println!("the volume {volume} hides the image's files, so it goes back with the image");
    }
    for (volume, content) in snapshot::hiding(&place, &to, &plan).await? {
        println!(
            "note: the volume {volume} hides {content} of the image, and {} does not have it: what \
             players see there stays as it is",
            to.name
        );
    }
    println!("{}", losses(&to, &plan, players));
    // Nobody is asked for what would be refused.
    snapshot::check(&place, &to, &plan).await?;
    if args.dry_run {
        return Ok(Exit::Fine);
    }
    if !args.yes && !asked()? {
        let why = "nothing was changed; say yes, or give --yes where nobody can be asked";
        return Err(Failure::say(Exit::Refused, why));
    }
    let held = Held::begin(config, BY).await;
    let journey = Journey { to: to.clone(), parts, players };
    let began = std::time::Instant::now();
    let done = snapshot::rollback(&place, &journey).await;
    held.end(config).await;
    let safety = done?;
    println!("{} runs, verified after {}", to.name, ago(began.elapsed()));
    println!("to undo it: vigie snapshot rollback {safety}");
    Ok(Exit::Fine)
}

fn since(point: &Point) -> String {
    let gone = jiff::Timestamp::now().as_millisecond().saturating_sub(point.made);
    ago(Duration::from_millis(u64::try_from(gone).unwrap_or(0)))
}

/// What is lost by it.
fn losses(to: &Point, plan: &Plan, players: Option<u32>) -> String {
    let mut written = Vec::new();
    let mut changed = Vec::new();
    for act in &plan.acts {
        match act {
            Act::Database(schema) => written.push(schema.as_str()),
            Act::Volume(name) => changed.push(name.as_str()),
            Act::Project => {
                changed.extend(to.binds.iter().map(|bind| bind.name.as_str()));
                changed.push("the project's files");
            }
            _ => {}
        }
    }
    let told = |what: &str, names: &[&str]| {
        (!names.is_empty()).then(|| format!("what {what} {}", names.join(", ")))
    };
    let lost = [told("was written to", &written), told("changed in", &changed)];
    let lost: Vec<_> = lost.into_iter().flatten().collect();
    let lost = if lost.is_empty() {
        String::from("nothing is lost that players made")
    } else {
        format!("lost of the last {}: {}", since(to), lost.join("; "))
    };
    match players {
        Some(0) | None => lost,
        Some(1) => format!("{lost}; 1 player is thrown out now"),
        Some(players) => format!("{lost}; {players} players are thrown out now"),
    }
}

fn words(act: &Act) -> String {
    match act {
        Act::Stop(service) => format!("stop {service}"),
        Act::Project => String::from("put the project's files back"),
        Act::Image(service) => format!("let {service} run the point's image (compose file)"),
        Act::Volume(name) => format!("exchange the volume {name}"),
        Act::Up(service) => format!("start {service} and wait until it answers"),
        Act::Database(schema) => format!("play {schema} back"),
        Act::Verify(service) => format!("verify that {service} answers"),
    }
}

fn asked() -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    print!("go back? [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "o" | "oui"))
}
