//! Does: collects the facts: which files Compose reads, what they bind, what git and the engine say.
//! What cannot be asked is left out; no rule guesses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use vigie_core::compose::{Document, Dotenv, references, template};
use vigie_core::doctor::{ComposeText, Facts, GitFacts, Project, Source, SourceText};

use super::{DoctorError, bound};
use crate::respond::{ignored, tracks};
use crate::runtime::docker::{files, images};

/// Files that include files; more go round in circles.
const MOST: usize = 32;
const DOTENV: &str = ".env";

/// What was collected, and where the files really are.
#[derive(Debug, Clone)]
pub struct Looked {
    /// For the rules.
    pub facts: Facts,
    /// The compose files, in the order of `facts.files`.
    pub paths: Vec<PathBuf>,
    /// The project's directory.
    pub directory: PathBuf,
    /// Why the engine said nothing, where it did not.
    pub engine: Option<String>,
}

/// Whether Compose would find a project in `directory`.
#[must_use]
pub fn is_project(directory: &Path) -> bool {
    !files::read_in(directory, |name| std::env::var(name).ok()).is_empty()
}

/// Looks at the project in `path`, a directory or a compose file. `docker_host` is where the engine is,
/// where that is not the usual place.
///
/// # Errors
/// When there is no compose file, or one that cannot be read.
pub async fn look(path: &Path, docker_host: Option<&str>) -> Result<Looked, DoctorError> {
    let env = |name: &str| std::env::var(name).ok();
    let (directory, named) = if path.is_dir() {
        (path.to_owned(), files::read_in(path, env))
    } else {
        let directory = path.parent().filter(|parent| *parent != Path::new(""));
        let directory = directory.unwrap_or(Path::new(".")).to_owned();
        // With the others that Compose would merge, when it finds this one by itself.
        let all = files::read_in(&directory, env);
        let is_it = |one: &PathBuf| one.canonicalize().ok() == path.canonicalize().ok();
        let found = path.exists() && all.iter().any(is_it);
        (directory, if found { all } else { vec![path.to_owned()] })
    };
    if named.is_empty() {
        return Err(DoctorError::NoFile(directory));
    }
    let mut looked = Looked {
        facts: Facts { today: today(), ..Facts::default() },
        paths: Vec::new(),
        directory,
        engine: None,
    };
    for path in named {
        looked.take(&path)?;
    }
    looked.variables()?;
    looked.bound();
    looked.git().await;
    looked.images(docker_host).await;
    Ok(looked)
}

/// A path as it is shown: as short as it is from here.
pub(super) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let here = here.and_then(|here| path.strip_prefix(here).ok());
    here.or_else(|| path.strip_prefix(".").ok()).unwrap_or(path).display().to_string()
}

fn today() -> (i16, i8) {
    let now = jiff::Zoned::now();
    (now.year(), now.month())
}

pub(super) fn read(path: &Path) -> Result<String, DoctorError> {
    std::fs::read_to_string(path).map_err(|error| DoctorError::Unreadable(path.to_owned(), error))
}

fn parsed(path: &Path) -> Result<ComposeText, DoctorError> {
    let name = shown(path);
    match Document::parse(&read(path)?) {
        Ok(document) => Ok(ComposeText { path: name, document }),
        Err(refusal) => Err(DoctorError::Malformed(name, refusal)),
    }
}

impl Looked {
    /// Reads a compose file, those that it includes, and those that its services extend.
    fn take(&mut self, path: &Path) -> Result<(), DoctorError> {
        if self.paths.iter().any(|known| known == path) || self.paths.len() >= MOST {
            return Ok(());
        }
        let file = parsed(path)?;
        let beside = path.parent().unwrap_or(Path::new("")).to_owned();
        let included = references::included(&file.document);
        let extended = references::extended(&file.document);
        self.paths.push(path.to_owned());
        self.facts.files.push(file);
        let included = included.iter().flat_map(|one| &one.paths);
        for name in included.filter(|name| !name.contains('$')) {
            self.take(&beside.join(name))?;
        }
        for name in extended.iter().filter(|name| !name.contains('$')) {
            self.take_extended(&beside.join(name));
        }
        Ok(())
    }

    /// What only services are taken from; without it there is less to see, not nothing.
    fn take_extended(&mut self, path: &Path) {
        let known = self.facts.extended.iter().any(|known| known.path == shown(path));
        if known || self.facts.extended.len() >= MOST {
            return;
        }
        let Ok(file) = parsed(path) else { return };
        let more = references::extended(&file.document);
        self.facts.extended.push(file);
        for name in more {
            self.take_extended(&path.parent().unwrap_or(Path::new("")).join(name));
        }
    }

    fn variables(&mut self) -> Result<(), DoctorError> {
        let path = self.directory.join(DOTENV);
        let mut variables = BTreeMap::new();
        if path.is_file() {
            let source = SourceText { path: shown(&path), text: read(&path)? };
            let file = Dotenv::parse(&source.text)
                .map_err(|refusal| DoctorError::Malformed(source.path.clone(), refusal))?;
            variables
                .extend(file.variables().iter().map(|one| (one.name.clone(), one.value.clone())));
            self.facts.dotenv = Some(source);
        }
        let used =
            self.facts.files.iter().flat_map(|file| template::variables(file.document.text()));
        let names: BTreeSet<String> = used.chain(variables.keys().cloned()).collect();
        for name in names {
            if let Ok(value) = std::env::var(&name) {
                variables.insert(name, value);
            }
        }
        self.facts.variables = variables;
        Ok(())
    }

    /// The bind mounts of each service: its name, the source as written, the target.
    fn binds(&self) -> Vec<(String, String, String)> {
        let project = Project::read(&self.facts);
        let mut binds = Vec::new();
        for service in &project.services {
            for mount in service.mounts() {
                if let Source::Bind(path) = mount.source {
                    binds.push((service.name.to_owned(), path, mount.target));
                }
            }
        }
        binds
    }

    fn bound(&mut self) {
        let mut texts = Vec::new();
        for (service, source, target) in self.binds() {
            bound::read(&self.directory.join(&source), &service, &target, &mut texts);
        }
        self.facts.bound = texts;
    }

    async fn git(&mut self) {
        let relative = |source: &String| !source.starts_with(['/', '~']);
        let sources: BTreeSet<String> =
            self.binds().into_iter().map(|(_, source, _)| source).filter(relative).collect();
        let asked: Vec<String> = sources.into_iter().chain([DOTENV.to_owned()]).collect();
        let Some(mut told) = ignored(&self.directory, &asked).await else { return };
        let ignores_dotenv = told.remove(DOTENV);
        let tracks_dotenv = tracks(&self.directory, DOTENV).await;
        self.facts.git = Some(GitFacts { ignored: told, ignores_dotenv, tracks_dotenv });
    }

    async fn images(&mut self, docker_host: Option<&str>) {
        let project = Project::read(&self.facts);
        let names: BTreeSet<String> = project
            .services
            .iter()
            .map(|service| service.image.clone())
            .filter(|name| !name.is_empty())
            .collect();
        match images(docker_host, names).await {
            Ok(known) => self.facts.images = known,
            Err(error) => self.engine = Some(error.to_string()),
        }
    }
}
