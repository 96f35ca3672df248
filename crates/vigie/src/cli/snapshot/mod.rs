//! Does: `vigie snapshot …`: restore points made, shown, gone back to and pruned. While it works, the
//! watch is told that a person is at it.

mod adopt;
mod points;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vigie_core::snapshot::{Act, Kept, Parts, Point, PointName, prune};

use super::args::{CreateArgs, RollbackArgs, SnapshotCommand};
use super::bar::Bar;
use super::{Exit, Failure};
use crate::app::docker_runtime;
use crate::config::{Config, RuntimeKind};
use crate::control::{Answer, Client, Request};
use crate::report::ago;
use crate::runtime::docker::Docker;
use crate::snapshot::{self, Journey, Place, Shelf, SnapshotError, Wish};
use crate::text::size;
use points::{last_good, note_good, running};

/// Maintenance that a rollback declares; it is ended as soon as it is over.
const MAINTENANCE: u64 = 60;

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Self {
        let exit = match &error {
            SnapshotError::Name(_)
            | SnapshotError::Unknown(_)
            | SnapshotError::Exists(_)
            | SnapshotError::Taken(_)
            | SnapshotError::Unclear(_) => Exit::Usage,
            SnapshotError::Engine(error) if error.is_lost() => Exit::Unreachable,
            SnapshotError::Full { .. }
            | SnapshotError::Unreadable(_)
            | SnapshotError::Busy
            | SnapshotError::Compose(..) => Exit::Refused,
            _ => Exit::Finding,
        };
        Self::new(exit, error)
    }
}

pub(super) async fn run(path: &Path, command: SnapshotCommand) -> Result<Exit, Failure> {
    let config = Config::read(path)?;
    if config.file.stack.runtime != RuntimeKind::Docker {
        let why = "restore points are of a Docker stack; this one has `runtime = \"process\"`";
        return Err(Failure::say(Exit::Usage, why));
    }
    let docker = docker_runtime(&config)?;
    match command {
        SnapshotCommand::Create(args) => create(&config, &docker, &args).await,
        SnapshotCommand::Adopt(args) => adopt::run(&config, &docker, &args).await,
        SnapshotCommand::List { json } => points::list(&config, &docker, json).await,
        SnapshotCommand::Show { name, json } => points::show(&config, &name, json),
        SnapshotCommand::Diff { one, other, json } => {
            points::diff(&config, &docker, &one, &other, json).await
        }
        SnapshotCommand::Rollback(args) => rollback(&config, &docker, &args).await,
        SnapshotCommand::Prune { dry_run } => discard(&config, &docker, dry_run).await,
        SnapshotCommand::Push { name, to, dry_run } => {
            push(&config, &docker, &name, to.as_deref(), dry_run).await
        }
        SnapshotCommand::Pull { name, dry_run } => pull(&config, &docker, &name, dry_run).await,
    }
}

fn say(text: &str) {
    println!("  {text}");
}

/// Where long works show how far they are.
fn bar() -> Arc<Bar> {
    Arc::new(Bar::new())
}

/// Opens the shelf; what somebody left half done is taken back first.
async fn opened(config: &Config, docker: &Docker) -> Result<Shelf, Failure> {
    let shelf = Shelf::open(config)?;
    if shelf.intent()?.is_some() || shelf.making()?.is_some() {
        let held = Held::begin(config).await;
        let place = Place { config, docker, shelf: &shelf, meter: None, say: &say };
        let resumed = snapshot::resume(&place).await;
        held.end(config).await;
        resumed?;
    }
    Ok(shelf)
}

/// Before the watch begins: what a killed rollback left half done is taken back, or the watch would see
/// faults where somebody only was not finished. When it cannot be, that is said, and the watch begins.
pub(super) async fn finish_what_was_begun(config: &Config) {
    if config.file.stack.runtime != RuntimeKind::Docker || !Shelf::is_interrupted(config) {
        return;
    }
    let resume = async {
        let docker = docker_runtime(config)?;
        let shelf = Shelf::open(config)?;
        let place = Place { config, docker: &docker, shelf: &shelf, meter: None, say: &say };
        snapshot::resume(&place).await?;
        Ok::<_, Failure>(())
    };
    if let Err(error) = resume.await {
        tracing::error!(%error, "AN INTERRUPTED ROLLBACK COULD NOT BE TAKEN BACK; try: vigie snapshot prune");
    }
}

async fn players(config: &Config) -> Option<u32> {
    let mut sum = None;
    for service in config.file.service.values() {
        let Some(a2s) = &service.a2s else { continue };
        if let Ok(seen) = crate::observe::query_a2s(&a2s.address, a2s.timeout).await {
            sum = Some(sum.unwrap_or(0) + u32::from(seen.players));
        }
    }
    sum
}

async fn create(config: &Config, docker: &Docker, args: &CreateArgs) -> Result<Exit, Failure> {
    let known = Shelf::look(config)?;
    let name = match args.bump {
        Some(bump) => {
            // Images that somebody named so by hand count too.
            let named = snapshot::names(config, docker).await?;
            let known = known.iter().map(|one| &one.name).chain(&named);
            PointName::next(known, bump.into(), &args.name)
        }
        None => args.name.parse(),
    };
    let name = name.map_err(SnapshotError::from)?;
    if known.iter().any(|point| point.name == name) {
        return Err(SnapshotError::Exists(name).into());
    }
    if args.dry_run {
        return foretell(config, docker, &name, args).await;
    }
    let shelf = opened(config, docker).await?;
    let bar = bar();
    let step = |text: &str| bar.step(text);
    let place = Place { config, docker, shelf: &shelf, meter: Some(bar.clone()), say: &step };
    println!("{name}");
    let wish = Wish {
        name,
        note: args.note.clone(),
        pause: args.pause,
        services: args.service.clone(),
        safety: false,
        players: players(config).await,
    };
    let point = snapshot::create(&place, &wish).await?;
    let (added, all) = (size(point.added()), size(point.size()));
    println!("kept in {}: {all}, of which {added} new", ago(Duration::from_millis(point.took_ms)));
    warn_of_masks(&point, &place).await?;
    Ok(Exit::Fine)
}

async fn warn_of_masks(point: &Point, place: &Place<'_>) -> Result<(), Failure> {
    for (service, _, container) in place.services().await? {
        let Some(content) = &container.content else { continue };
        for volume in point.masks(&service, content) {
            println!(
                "note: the volume {} hides {content} of the image: going back to the image takes the \
                 volume with it",
                volume.name
            );
        }
    }
    Ok(())
}

async fn foretell(
    config: &Config,
    docker: &Docker,
    name: &PointName,
    args: &CreateArgs,
) -> Result<Exit, Failure> {
    println!("would make {name}");
    for service in config.file.service.keys() {
        let Some(container) = docker.container(service).await? else { continue };
        let id = config.stack.find(service);
        let role = id.map(|id| config.stack.service(id).role);
        let game = role == Some(vigie_core::stack::Role::Game);
        if if args.service.is_empty() { game } else { args.service.contains(service) } {
            println!("  image of {service}, from {}", container.image);
        }
        if role == Some(vigie_core::stack::Role::Database) {
            println!("  dump from {service}");
            continue;
        }
        for volume in &container.volumes {
            println!("  volume {} ({} in {service})", volume.name, volume.target);
        }
        for (from, _) in container.binds.iter().filter(|(from, _)| from.is_dir()) {
            println!("  files in {}", from.display());
        }
    }
    println!("  the project's files");
    Ok(Exit::Fine)
}

async fn rollback(config: &Config, docker: &Docker, args: &RollbackArgs) -> Result<Exit, Failure> {
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
    println!("{}", losses(&to, parts, players));
    if args.dry_run {
        return Ok(Exit::Fine);
    }
    if !args.yes && !asked()? {
        let why = "nothing was changed; say yes, or give --yes where nobody can be asked";
        return Err(Failure::say(Exit::Refused, why));
    }
    let held = Held::begin(config).await;
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

/// What players lose by it.
fn losses(to: &Point, parts: Parts, players: Option<u32>) -> String {
    let mut lost = Vec::new();
    if parts.databases {
        lost.extend(to.databases.iter().map(|one| format!("what was written to {}", one.schema)));
    }
    if parts.volumes || parts.images {
        lost.extend(to.volumes.iter().map(|one| format!("what changed in {}", one.name)));
    }
    let lost = if lost.is_empty() {
        String::from("players lose nothing that they made")
    } else {
        format!("players lose of the last {}: {}", since(to), lost.join(", "))
    };
    match players {
        Some(0) | None => lost,
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
        Act::Verify(service) => format!("look at {service} as players do"),
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

async fn push(
    config: &Config,
    docker: &Docker,
    name: &PointName,
    to: Option<&str>,
    dry_run: bool,
) -> Result<Exit, Failure> {
    if dry_run {
        let point = Shelf::look_at(config, name)?;
        for image in &point.images {
            let repository = to.unwrap_or(&image.repository);
            println!("would push {repository}:{}, {}", image.tag, size(image.size));
        }
        return Ok(Exit::Fine);
    }
    let shelf = opened(config, docker).await?;
    let bar = bar();
    let step = |text: &str| bar.step(text);
    let place = Place { config, docker, shelf: &shelf, meter: Some(bar.clone()), say: &step };
    let point = snapshot::push(&place, name, to).await?;
    for image in point.images.iter().filter_map(|image| image.off_site.as_deref()) {
        println!("off-site: {image}");
    }
    Ok(Exit::Fine)
}

async fn pull(
    config: &Config,
    docker: &Docker,
    name: &PointName,
    dry_run: bool,
) -> Result<Exit, Failure> {
    if dry_run {
        let point = Shelf::look_at(config, name)?;
        for image in &point.images {
            let from = image.off_site.as_deref().unwrap_or("nothing: it was never pushed");
            println!("would pull {from}");
        }
        return Ok(Exit::Fine);
    }
    let shelf = opened(config, docker).await?;
    let bar = bar();
    let step = |text: &str| bar.step(text);
    let place = Place { config, docker, shelf: &shelf, meter: Some(bar.clone()), say: &step };
    snapshot::pull(&place, name).await?;
    println!("the images of {name} are here again");
    Ok(Exit::Fine)
}

async fn discard(config: &Config, docker: &Docker, dry_run: bool) -> Result<Exit, Failure> {
    let shelf = if dry_run { Shelf::open(config)? } else { opened(config, docker).await? };
    let mut points = shelf.points()?;
    let runs = running(docker, &points).await?;
    note_good(config, &shelf, &mut points, runs.as_ref())?;
    let rules = config.file.snapshot.rules();
    let now = jiff::Timestamp::now().as_millisecond();
    let runs = runs.map(|(name, _)| name);
    let verdicts = prune(&points, &rules, runs.as_ref(), last_good(&points), now);
    let mut going = Vec::new();
    for verdict in verdicts {
        let why = match verdict.kept {
            None => {
                going.extend(points.iter().find(|one| one.name == verdict.name).cloned());
                if dry_run { "would go" } else { "goes" }
            }
            Some(Kept::Running) => "stays: it runs",
            Some(Kept::LastGood) => "stays: it is the last known good one",
            Some(Kept::Last) => "stays: it is one of the newest",
            Some(Kept::Tagged) => "stays: its description says so",
            Some(Kept::Young) => "stays: it is young",
        };
        println!("{:<24} {why}", verdict.name.to_string());
    }
    if !dry_run && !going.is_empty() {
        let place = Place { config, docker, shelf: &shelf, meter: None, say: &say };
        snapshot::remove(&place, &going).await?;
        println!("{} removed", going.len());
    }
    Ok(Exit::Fine)
}

/// The watch, told that a person is at work, where one runs.
struct Held(bool);

impl Held {
    async fn begin(config: &Config) -> Self {
        Self(maintenance(config, Some(MAINTENANCE)).await)
    }

    async fn end(self, config: &Config) {
        if self.0 {
            maintenance(config, None).await;
        }
    }
}

async fn maintenance(config: &Config, minutes: Option<u64>) -> bool {
    let by = String::from("vigie snapshot rollback");
    let Ok(mut client) = Client::connect(&config.socket()).await else { return false };
    matches!(client.ask(&Request::Maintenance { minutes, by }).await, Ok(Answer::Done { .. }))
}
