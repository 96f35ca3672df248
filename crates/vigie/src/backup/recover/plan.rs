//! Does: looks at what a recovery would do before it does anything: the backups, the configuration in
//! them, what its compose file needs, and what is on this host already. Leaves nothing behind.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use vigie_backup::{Access, Meter, Repository};
use vigie_core::backup::Kind;
use vigie_core::drift::Layout;
use vigie_core::stack::{Role, ServiceId};

use super::ledger::{Ledger, State};
use super::log::{Follow, When, follow};
use super::picks::{Pick, Picks, choose};
use super::{RecoverError, Source, images, living, volumes};
use crate::backup::outside::{OUTSIDE, lend, outside};
use crate::backup::sites::place;
use crate::backup::{BackupError, Outside, There};
use crate::config::{Config, Lang, RuntimeKind, Secret, Vault};
use crate::report::rfc3339;
use crate::runtime::Runtime as _;
use crate::runtime::docker::Docker;

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wish {
    /// From where.
    pub source: Source,
    /// The directory that the project comes into.
    pub to: PathBuf,
    /// The newest backups until this moment, in milliseconds since 1970; the newest of all without it.
    pub until: Option<i64>,
    /// The second, since 1970, at whose beginning databases are wished for, by their logs; the latest
    /// without it.
    pub second: Option<i64>,
    /// Databases as of their dumps, without their logs.
    pub dump_only: bool,
}

/// Asks a person for a secret, by what it is and by the variable that would have it; nothing where
/// nobody can be asked.
pub type Ask<'a> = &'a (dyn Fn(&str, &str) -> Option<String> + Send + Sync);

/// Something that is done.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// The project's own files.
    Project,
    /// A directory.
    Files(Pick),
    /// An image.
    Image(Pick),
    /// A volume.
    Volume(Pick),
    /// A service is started and answers.
    Start(ServiceId),
    /// A dump is played back, and the log after it.
    Dump(Pick, Option<Follow>),
    /// What the compose file has beside what vigie.toml knows.
    Rest,
    /// Restore points, when everything answers.
    Points(Pick),
}

/// What would be done.
pub struct Plan {
    pub(super) wish: Wish,
    pub(super) repository: Repository,
    pub(super) picks: Picks,
    pub(super) layout: Layout,
    pub(super) steps: Vec<(String, Step)>,
    pub(super) known: Option<State>,
    /// Where in the project something is mounted that is in no backup.
    pub(super) bare: Vec<PathBuf>,
    /// What is worth knowing before it is done, one line each.
    pub notes: Vec<String>,
    /// The stack's language.
    pub lang: Lang,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").field("stack", &self.picks.stack).finish_non_exhaustive()
    }
}

impl Plan {
    /// The stack.
    #[must_use]
    pub fn stack(&self) -> &str {
        &self.picks.stack
    }

    /// The steps that are left.
    #[must_use]
    pub fn left(&self) -> Vec<&str> {
        let done = |step: &str| {
            self.known.iter().any(|state| state.done.iter().any(|one| one.step == step))
        };
        self.steps.iter().map(|(name, _)| name.as_str()).filter(|name| !done(name)).collect()
    }

    /// The backups: names, moments and bytes.
    #[must_use]
    pub fn backups(&self) -> Vec<(String, i64, u64)> {
        let told = |one: &Pick| (one.manifest.asset.name(), one.manifest.at, one.manifest.bytes);
        self.picks.all.iter().map(told).collect()
    }

    /// Whether it was begun before.
    #[must_use]
    pub fn resumes(&self) -> bool {
        self.known.is_some()
    }
}

/// Finds out what would be done, and refuses what must not be.
///
/// # Errors
/// Why it cannot or must not be done; nothing was touched then.
pub async fn plan(wish: Wish, ask: Ask<'_>, meter: Arc<dyn Meter>) -> Result<Plan, RecoverError> {
    let known = Ledger::look(&wish.to)?;
    refuse_target(&wish, known.as_ref())?;
    let repository = open(&wish.source, ask)?.with_meter(meter);
    let chosen = known.as_ref().map(|state| state.picks.clone());
    let (from, site, when) = (repository.clone(), wish.source.name.clone(), when(&wish, &known));
    let dump_only = wish.dump_only || known.as_ref().is_some_and(|state| state.dump_only);
    let found = tokio::task::spawn_blocking(move || {
        let mut picks = choose(&from, &site, when.until, chosen.as_deref())?;
        let mut notes = Vec::new();
        let follows = if dump_only {
            BTreeMap::new()
        } else {
            follow(&from, &site, &mut picks, when, &mut notes)?
        };
        Ok::<_, RecoverError>((picks, follows, notes))
    });
    let found = found.await.map_err(|error| BackupError::Worker(error.to_string()))?;
    let (picks, follows, mut notes) = found?;
    let stage = tempfile::Builder::new().prefix("vigie-recover-").tempdir();
    let stage = stage.map_err(|error| BackupError::File(std::env::temp_dir(), error))?;
    let is_placed =
        known.as_ref().is_some_and(|state| state.done.iter().any(|one| one.step == PROJECT));
    let directory = if is_placed {
        wish.to.clone()
    } else {
        // Compose names a project after its directory where nothing else says so.
        let directory = stage.path().join(wish.to.file_name().unwrap_or_default());
        bring_project(&repository, &wish.source.name, &picks, &directory).await?;
        directory
    };
    let config = read(&directory)?;
    if config.file.stack.runtime != RuntimeKind::Docker {
        return Err(RecoverError::Nothing(String::from(
            "only a Docker stack is recovered whole; bring its parts back one by one: vigie backup restore \
             ASSET --to DIR",
        )));
    }
    let docker = crate::app::docker_runtime(&config)?;
    docker.ping().await?;
    let mut layout = layout(&docker, &directory).await?;
    volumes::move_to(&mut layout, &directory, &wish.to);
    if !is_placed {
        notes.extend(outside(&directory)?.iter().map(|one| beyond(one, &directory, &wish.to)));
    }
    let project = picks.all.iter().find(|one| one.manifest.asset.kind == Kind::Project);
    if let (Some(project), Some(until)) = (project, wish.until)
        && project.manifest.at > until
    {
        let at = rfc3339(project.manifest.at);
        notes.push(format!("the project's files are of {at}: the site has none that are older"));
    }
    for name in &picks.strange {
        notes.push(format!("{name} belongs to another stack than {} and is left out", picks.stack));
    }
    let steps = steps(&config, &layout, &picks, &follows, &mut notes)?;
    let bare = bare(&config, &layout, &steps, &directory, &mut notes);
    let password = config.file.backup.as_ref().map(|backup| &backup.password);
    if let Some(Err(why)) = password.map(|password| config.vault.reveal(password)) {
        notes.push(format!("before the watch is started here, for the backups: {why}"));
    }
    let outside = living::Place { directory: &directory, target: &wish.to };
    living::refuse(&docker, &layout, &steps, known.as_ref(), &outside, &config).await?;
    living::refuse_images(&docker, &layout, &steps).await?;
    notes.extend(images::others(&docker, &steps).await?);
    let lang = config.file.stack.lang;
    Ok(Plan { wish, repository, picks, layout, steps, known, bare, notes, lang })
}

pub(super) const PROJECT: &str = "project";

/// As of when; one that goes on goes on with what it was begun with.
fn when(wish: &Wish, known: &Option<State>) -> When {
    match known {
        Some(state) => When { until: state.until, second: state.second },
        None => When { until: wish.until, second: wish.second },
    }
}

/// Opens the site's repository.
fn open(source: &Source, ask: Ask<'_>) -> Result<Repository, RecoverError> {
    let vault = Vault::open(&source.directory);
    let reveal = |what: &str, variable: &str, secret: &Secret| {
        if let Ok(found) = vault.reveal(secret) {
            return Ok(found);
        }
        let given = std::env::var(variable).ok().or_else(|| ask(what, variable));
        given.filter(|text| !text.is_empty()).ok_or_else(|| {
            let why = format!("nobody can be asked for it here; set {variable}");
            BackupError::Secret(what.to_owned(), why)
        })
    };
    let name = &source.name;
    let of_site =
        |secret: &Secret| reveal(&format!("the site {name}"), super::source::SECRET, secret);
    let site = place(name, &source.site, &source.directory, &of_site)?;
    let password = reveal("the backups", super::source::PASSWORD, &source.password)?;
    Repository::open_at(&site, &Access::default(), &password).map_err(|error| match error {
        vigie_backup::Error::Missing(place) => RecoverError::Nothing(format!(
            "there is no repository at {place}; is its disk mounted, and is that the place on the recovery \
             sheet?"
        )),
        error => BackupError::Site(name.clone(), error).into(),
    })
}

/// The directory is empty, is not there, or is one that was begun with the same wish.
fn refuse_target(wish: &Wish, known: Option<&State>) -> Result<(), RecoverError> {
    let to = wish.to.display();
    if let Some(state) = known {
        if let Some(at) = state.finished {
            return Err(RecoverError::Living(format!(
                "{} was recovered into {to} on {}; look at it: vigie --config {to}/vigie.toml status",
                state.stack,
                rfc3339(at)
            )));
        }
        if wish.until.is_some() && wish.until != state.until {
            return Err(RecoverError::Refused(format!(
                "the recovery in {to} was begun for another moment; go on without --at, or begin anew in \
                 another directory: --to DIR"
            )));
        }
        return Ok(());
    }
    if living::is_empty(&wish.to)? {
        return Ok(());
    }
    Err(RecoverError::Living(format!(
        "{to} has files in it; look: ls -la {to}; and name a directory that is empty or new: --to DIR"
    )))
}

/// Brings the project's files into `directory`.
pub(super) async fn bring_project(
    repository: &Repository,
    site: &str,
    picks: &Picks,
    directory: &Path,
) -> Result<(), RecoverError> {
    let Some(project) = picks.of(Kind::Project).next() else { return Ok(()) };
    let (repository, id, to) = (repository.clone(), project.id.clone(), directory.to_owned());
    let done = tokio::task::spawn_blocking(move || repository.get_tree(&id, &to)).await;
    done.map_err(|error| BackupError::Worker(error.to_string()))?
        .map_err(|error| BackupError::Site(site.to_owned(), error).into())
}

/// The configuration in `directory`.
pub(super) fn read(directory: &Path) -> Result<Config, RecoverError> {
    let usual = directory.join("vigie.toml");
    if usual.is_file() {
        return Ok(Config::read(&usual)?);
    }
    let inside = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let tables =
        inside.map(|one| one.path()).filter(|one| one.extension().is_some_and(|e| e == "toml"));
    let mut found = tables.filter_map(|path| Config::read(&path).ok());
    found.next().ok_or_else(|| {
        RecoverError::Nothing(String::from(
            "the backup of the project has no vigie.toml, so what belongs to it is not known; bring its \
             files back alone: vigie backup restore project --to DIR",
        ))
    })
}

/// What the compose file in `directory` needs. One that names files outside of the project reads only where
/// they are.
async fn layout(docker: &Docker, directory: &Path) -> Result<Layout, RecoverError> {
    let named = named(directory);
    let error = match docker.layout(&named).await {
        Ok(layout) => return Ok(layout),
        Err(error) => error,
    };
    let Some(_lent) = lend(directory)? else { return Err(error.into()) };
    Ok(docker.layout(&named).await?)
}

/// What becomes of a file that belongs outside of the project.
fn beyond(one: &Outside, directory: &Path, to: &Path) -> String {
    let belongs = one.belongs.display();
    match one.there {
        There::Nothing => format!("{belongs} is outside of the project, and comes back there"),
        There::Same => format!("{belongs} is outside of the project, and is as it was"),
        There::Other => {
            let kept = to.join(one.kept.strip_prefix(directory).unwrap_or(&one.kept));
            format!(
                "{belongs} is outside of the project, and another one is there, which is left alone; the \
                 one in the backup comes to {}",
                kept.display()
            )
        }
    }
}

/// What Compose calls a project in `directory` where nothing else names it.
pub(in crate::backup) fn named(directory: &Path) -> String {
    let dotenv = std::fs::read_to_string(directory.join(".env")).unwrap_or_default();
    let set = dotenv.lines().find_map(|line| line.trim().strip_prefix("COMPOSE_PROJECT_NAME="));
    let own = std::env::var("COMPOSE_PROJECT_NAME").ok().or_else(|| set.map(str::to_owned));
    let name = directory.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let is_known =
        |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    own.unwrap_or_else(|| name.chars().filter(is_known).collect())
}

/// What is done, in this order: what containers need, databases and their dumps, everything else.
fn steps(
    config: &Config,
    layout: &Layout,
    picks: &Picks,
    follows: &BTreeMap<String, Follow>,
    notes: &mut Vec<String>,
) -> Result<Vec<(String, Step)>, RecoverError> {
    let mut steps = vec![(PROJECT.to_owned(), Step::Project)];
    let of = |kind: Kind| {
        let mut all: Vec<Pick> = picks.of(kind).cloned().collect();
        // A directory comes before what is mounted below it.
        all.sort_by(|one, other| one.manifest.asset.what.cmp(&other.manifest.asset.what));
        all
    };
    for pick in of(Kind::Files) {
        let what = &pick.manifest.asset.what;
        if Path::new(what).components().any(|part| part == Component::ParentDir) {
            return Err(RecoverError::Nothing(format!(
                "a backup is of `{what}`, which leads out of the project; it is not brought back"
            )));
        }
        steps.push((pick.manifest.asset.name(), Step::Files(pick)));
    }
    let images: Vec<_> = layout.services.keys().flat_map(|name| layout.images(name)).collect();
    for pick in of(Kind::Image) {
        if images.contains(&pick.manifest.asset.what) {
            steps.push((pick.manifest.asset.name(), Step::Image(pick)));
        }
    }
    for pick in of(Kind::Volume) {
        let what = &pick.manifest.asset.what;
        if let Some(declared) = layout.volumes.iter().find(|one| one.name == *what) {
            notes.extend(volumes::note(declared));
            steps.push((pick.manifest.asset.name(), Step::Volume(pick)));
            continue;
        }
        let other = layout.volumes.iter().find(|one| what.ends_with(&format!("_{}", one.key)));
        if let Some(other) = other {
            let was = what.strip_suffix(&format!("_{}", other.key)).unwrap_or(what);
            return Err(RecoverError::Refused(format!(
                "the project was called {was} and here it would be {}, so its volume {what} would not be \
                 found; recover into a directory of that name: --to …/{was}",
                layout.project
            )));
        }
        notes.push(format!("{what} is a volume that the compose file no longer has; left out"));
    }
    let services = || config.stack.services();
    let is_database = |id: &ServiceId| config.stack.service(*id).role == Role::Database;
    let databases: Vec<_> = services().map(|(id, _)| id).filter(is_database).collect();
    let first = config.stack.in_order(&databases);
    let start =
        |id: ServiceId| (format!("start {}", config.stack.service(id).name), Step::Start(id));
    steps.extend(first.iter().map(|id| start(*id)));
    for pick in of(Kind::Database) {
        let service = pick.manifest.asset.service.as_deref().unwrap_or_default();
        if config.stack.find(service).is_some_and(|id| first.contains(&id)) {
            let name = pick.manifest.asset.name();
            let follow = follows.get(&name).cloned();
            steps.push((name, Step::Dump(pick, follow)));
        } else {
            let name = pick.manifest.asset.name();
            notes.push(format!("{name} is of {service}, which is no database any more; left out"));
        }
    }
    for id in &first {
        let name = &config.stack.service(*id).name;
        let is_mine = |pick: &&Pick| pick.manifest.asset.service.as_ref() == Some(name);
        if !picks.of(Kind::Database).any(|pick| is_mine(&pick)) {
            notes.push(format!("{name} is a database, and no dump of it is here; it begins empty"));
        }
    }
    let all: Vec<_> = services().map(|(id, _)| id).collect();
    let rest = config.stack.in_order(&all);
    steps.extend(rest.into_iter().filter(|id| !first.contains(id)).map(start));
    let beside: Vec<_> = layout
        .services
        .keys()
        .filter(|name| config.stack.find(name).is_none())
        .map(String::as_str)
        .collect();
    if !beside.is_empty() {
        steps.push((format!("start {}", beside.join(", ")), Step::Rest));
    }
    // Nobody waits for them.
    steps.extend(
        of(Kind::Points).into_iter().map(|pick| (pick.manifest.asset.name(), Step::Points(pick))),
    );
    Ok(steps)
}

/// What services have mounted from the project in `directory` that comes from no backup, relative to it.
/// That a database's data is among it is right: its dump is played into a new one.
fn bare(
    config: &Config,
    layout: &Layout,
    steps: &[(String, Step)],
    directory: &Path,
    notes: &mut Vec<String>,
) -> Vec<PathBuf> {
    let brought: Vec<PathBuf> = steps
        .iter()
        .filter_map(|(_, step)| match step {
            Step::Files(pick) => Some(directory.join(&pick.manifest.asset.what)),
            _ => None,
        })
        .collect();
    let mut found = Vec::new();
    for (name, needs) in &layout.services {
        let is_database = config
            .stack
            .find(name)
            .is_some_and(|id| config.stack.service(id).role == Role::Database);
        for path in needs.paths.iter().map(PathBuf::from) {
            let kept = directory.join(OUTSIDE).join(path.strip_prefix("/").unwrap_or(&path));
            if path.exists() || kept.exists() || brought.iter().any(|known| path.starts_with(known))
            {
                continue;
            }
            let inside = path.strip_prefix(directory);
            if !is_database {
                let shown = inside.as_ref().map_or(path.as_path(), |inside| *inside).display();
                notes.push(format!(
                    "{shown} of {name} is in no backup; it begins as an empty directory"
                ));
            }
            found.extend(inside.ok().map(Path::to_owned));
        }
    }
    found
}

/// An engine that the plan's steps are done with.
pub(super) fn engine(config: &Config) -> Result<Docker, RecoverError> {
    Ok(crate::app::docker_runtime(config)?)
}
