//! Does: the drill of the whole stack: from a site's backups alone it is brought up once more, beside the
//! living one, until players could play on it; then all of it is removed. It has containers, volumes,
//! networks and a directory of its own, no port of the host, and no way out of its own networks.

mod clean;
mod images;
mod parts;
mod scene;

use std::path::Path;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use vigie_backup::Repository;
use vigie_core::backup::missed;

pub(super) use clean::sweep;
use parts::Parts;
use scene::Scene;

use super::drill::STAGE;
use super::work::Tell;
use super::{BackupError, Catalog, Drilled, Manifest};
use crate::clock::wall_ms;
use crate::config::Config;
use crate::respond::Redactor;
use crate::runtime::RuntimeError;
use crate::runtime::docker::Docker;

/// What the drill of the whole stack is called among those of its parts.
pub const NAME: &str = "stack";

/// What came of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It was tried.
    Drilled(Drilled),
    /// It cannot be tried beside the living stack, and why.
    Unfit(String),
}

/// Why it did not come to its end.
#[derive(Debug)]
enum Stopped {
    /// This stack cannot be brought up beside itself.
    Unfit(String),
    /// It did not come back.
    Failed(BackupError),
}

impl From<BackupError> for Stopped {
    fn from(error: BackupError) -> Self {
        Self::Failed(error)
    }
}

impl From<RuntimeError> for Stopped {
    fn from(error: RuntimeError) -> Self {
        Self::Failed(error.into())
    }
}

/// What the whole stack is drilled with.
pub(super) struct Rehearsal<'a> {
    pub(super) config: &'a Config,
    pub(super) docker: &'a Docker,
    pub(super) catalog: &'a Catalog,
    pub(super) repository: Repository,
    pub(super) site: &'a str,
    pub(super) tell: &'a dyn Tell,
    /// The stack's backups at the site.
    pub(super) backups: &'a [Manifest],
}

impl Rehearsal<'_> {
    /// Brings the stack up beside the living one, and removes it again.
    ///
    /// # Errors
    /// When it could not even be begun.
    pub(super) async fn run(&self) -> Result<Outcome, BackupError> {
        let (at, began) = (wall_ms(), Instant::now());
        let name = project(self.config);
        let parts = Parts::of(self.repository.clone(), self.site, self.backups).await?;
        let directory = self.catalog.directory();
        let stage = tempfile::Builder::new().prefix(STAGE).tempdir_in(directory);
        let stage = stage.map_err(|error| BackupError::File(directory.to_owned(), error))?;
        let done = self.rehearsed(&name, stage.path(), &parts).await;
        let took = began.elapsed();
        self.tell.step("remove it all again");
        let gone = clean::everything(self.docker, &name).await;
        let path = stage.path().to_owned();
        let emptied = stage.close().map_err(|error| BackupError::File(path, error));
        let done = match (done, gone.and(emptied)) {
            (Err(Stopped::Unfit(why)), _) => return Ok(Outcome::Unfit(why)),
            (Err(Stopped::Failed(error)), _) | (Ok(_), Err(error)) => Err(error),
            (Ok(proved), Ok(())) => Ok(proved),
        };
        let targets = self.config.file.backup.as_ref();
        let ages = targets.map(|targets| parts.ages(at, targets)).unwrap_or_default();
        let rto = targets.map_or(Duration::MAX, |targets| targets.rto);
        let redactor = Redactor::of(self.config);
        let (proved, failed) = match done {
            Ok(mut proved) => {
                proved.extend(parts.told(at));
                (proved, None)
            }
            Err(error) => (Vec::new(), Some(redactor.clean(&error.to_string()))),
        };
        let missed = if failed.is_none() { missed(took, rto, &ages) } else { Vec::new() };
        Ok(Outcome::Drilled(Drilled {
            at,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            age_ms: parts.age(at),
            proved,
            missed,
            failed,
        }))
    }

    async fn rehearsed(
        &self,
        name: &str,
        stage: &Path,
        parts: &Parts,
    ) -> Result<Vec<String>, Stopped> {
        let ground = self.docker.ground().await?;
        if ground.rootless {
            return Err(Stopped::Unfit(String::from(
                "the engine runs without root, and its networks cannot be reached from the host: the whole \
                 stack cannot be asked beside the living one; its parts are drilled one by one",
            )));
        }
        parts.room(stage, self.config.file.snapshot.reserve)?;
        parts.room(&ground.root, self.config.file.snapshot.reserve)?;
        let scene = Scene::set(self, name, stage, parts).await?;
        scene.play().await
    }
}

/// The name of the scratch project: always the same for a stack, so that what a killed drill left is found.
fn project(config: &Config) -> String {
    let name = config.stack.name.to_lowercase();
    let known = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let name: String = name.chars().map(known).take(24).collect();
    // Two stacks of one name on one engine are not each other's.
    let place = config.state_directory();
    let hash = Sha256::digest(place.as_os_str().as_encoded_bytes());
    let hash: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("vigie-drill-{}-{hash}", name.trim_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_has_one_scratch_project_and_two_stacks_have_two() {
        let config = |at: &str, name: &str| {
            let text = format!("[stack]\nname = \"{name}\"\n[service.a]\nrole = \"other\"\n");
            Config::parse(&Path::new(at).join("vigie.toml"), &text).unwrap()
        };
        let one = project(&config("/srv/x", "Ma Ville é!"));
        assert!(one.starts_with("vigie-drill-ma-ville-"), "{one}");
        assert_eq!(one, project(&config("/srv/x", "Ma Ville é!")));
        assert_ne!(one, project(&config("/srv/y", "Ma Ville é!")));
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(one.chars().all(is_name) && !one.contains("---"), "{one}");
    }
}
