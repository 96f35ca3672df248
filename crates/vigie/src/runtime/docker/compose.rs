//! Does: runs Compose, whichever is there: `docker compose` (v2) or `docker-compose` (v1), on the files
//! that a person's own `docker compose up` would take. Never waits for ever and never leaves a child
//! behind.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use bollard::models::ContainerInspectResponse;
use tokio::sync::{Mutex, OnceCell};
use vigie_core::drift::{Form, Generation, Hash, Layout, layout, wanted};

use super::find::PROJECT;
use super::{DockerService, files, says_no};
use crate::runner;
use crate::runtime::RuntimeError;

const LIMIT: Duration = Duration::from_secs(170);
const SHORT: Duration = Duration::from_secs(20);
const READING: &str = "reading the compose file for";
const HASH: &str = "com.docker.compose.config-hash";
const DEPENDS_ON: &str = "com.docker.compose.depends_on";
const VERSION: &str = "com.docker.compose.version";

/// Compose for one project.
pub(super) struct Compose {
    file: PathBuf,
    project: Option<String>,
    directory: PathBuf,
    host: String,
    program: OnceCell<(Vec<String>, String)>,
    /// What the compose file said of a service, with its hash.
    read: Mutex<HashMap<String, (String, Option<Form>)>>,
}

impl std::fmt::Debug for Compose {
    /// Without what was read: passwords are among it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compose").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Compose {
    pub(super) fn new(
        file: PathBuf,
        project: Option<String>,
        directory: PathBuf,
        host: String,
    ) -> Self {
        Self { file, project, directory, host, program: OnceCell::new(), read: Mutex::default() }
    }

    pub(super) async fn up(&self, service: &str, recreate: bool) -> Result<(), RuntimeError> {
        // Without `--no-recreate`, Compose v2 makes the container afresh: `--no-deps` alone changes
        // the hash by which it decides.
        let how = if recreate { "--force-recreate" } else { "--no-recreate" };
        let arguments = ["up", "-d", "--no-deps", how, service];
        self.run("bringing up", service, &arguments, LIMIT).await.map(drop)
    }

    pub(super) async fn down_up(&self) -> Result<(), RuntimeError> {
        self.run("taking down", "the stack", &["down"], LIMIT).await?;
        self.run("bringing up", "the stack", &["up", "-d"], LIMIT).await.map(drop)
    }

    /// Brings up what does not run yet, and leaves alone what does.
    pub(super) async fn up_rest(&self) -> Result<(), RuntimeError> {
        let arguments = ["up", "-d", "--no-recreate"];
        self.run("bringing up", "the stack", &arguments, LIMIT).await.map(drop)
    }

    /// What the whole project needs. `named` is its name where Compose does not print it.
    pub(super) async fn layout(&self, named: &str) -> Result<Layout, RuntimeError> {
        let (printed, generation) = self.printed().await?;
        let project = self.project.as_deref().unwrap_or(named);
        layout(&printed, generation, project)
            .map_err(|error| says_no(READING, "the stack", format!("what Compose prints: {error}")))
    }

    /// The whole project, with everything put in, and which Compose says so.
    pub(super) async fn printed(&self) -> Result<(String, Generation), RuntimeError> {
        let (_, version) = self.program().await?;
        let (generation, arguments) = match major(version) {
            "1" => (Generation::One, &["config"][..]),
            _ => (Generation::Two, &["config", "--format", "json"][..]),
        };
        let printed = self.run(READING, "the stack", arguments, SHORT).await?;
        Ok((printed, generation))
    }

    /// What the compose file says of a service, and whether Compose's own hash says that the container
    /// was made from it. `None` when Compose did not make the container.
    pub(super) async fn wanted(
        &self,
        service: &DockerService,
        seen: &ContainerInspectResponse,
    ) -> Result<Option<(Option<Form>, Hash)>, RuntimeError> {
        let labels = seen.config.as_ref().and_then(|config| config.labels.as_ref());
        let label = |name: &str| labels.and_then(|labels| labels.get(name));
        let (Some(runs), Some(made_by)) = (label(HASH), label(VERSION)) else { return Ok(None) };
        let (_, version) = self.program().await?;
        let now = self.hash(&service.name).await?;
        // The two generations count differently, and in the second `--no-deps` counts other than a whole `up`:
        // only what was made the same way can be compared.
        let made_without_dependencies = major(version) != "1"
            && service.has_dependencies
            && label(DEPENDS_ON).is_none_or(|names| names.is_empty());
        let alike = major(made_by) == major(version) && !made_without_dependencies;
        let hash = match &now {
            Some(now) if alike && now == runs => Hash::Same,
            Some(_) if alike => Hash::Other,
            _ => Hash::Unknown,
        };
        let project = label(PROJECT).map_or("", String::as_str);
        Ok(Some((self.form(&service.name, project, now).await?, hash)))
    }

    /// Compose's hash of what it would make now.
    async fn hash(&self, service: &str) -> Result<Option<String>, RuntimeError> {
        let output = self.run(READING, service, &["config", "--hash", service], SHORT).await?;
        let mut lines = output.lines();
        Ok(lines
            .find_map(|line| line.strip_prefix(service)?.split_whitespace().next())
            .map(str::to_owned))
    }

    /// What the compose file says of `service`. Asked again when its hash, `now`, is another one: Compose
    /// takes up to a second to answer.
    async fn form(
        &self,
        service: &str,
        project: &str,
        now: Option<String>,
    ) -> Result<Option<Form>, RuntimeError> {
        let mut read = self.read.lock().await;
        if let (Some((hash, form)), Some(now)) = (read.get(service), &now)
            && hash == now
        {
            return Ok(form.clone());
        }
        let (_, version) = self.program().await?;
        let (generation, arguments) = match major(version) {
            "1" => (Generation::One, vec!["config"]),
            _ => (Generation::Two, vec!["config", "--format", "json", service]),
        };
        let printed = self.run(READING, service, &arguments, SHORT).await?;
        let form = wanted(&printed, generation, project, service)
            .map_err(|error| says_no(READING, service, format!("what Compose prints: {error}")))?;
        if let Some(now) = now {
            read.insert(service.to_owned(), (now, form.clone()));
        }
        Ok(form)
    }

    /// The program and its version, found once.
    async fn program(&self) -> Result<&(Vec<String>, String), RuntimeError> {
        let find = async || {
            for program in [&["docker", "compose"][..], &["docker-compose"][..]] {
                let mut command = runner::program(program[0]);
                command.args(&program[1..]).args(["version", "--short"]);
                if let Ok(Some(output)) = runner::run(&mut command, SHORT).await
                    && output.status.success()
                {
                    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
                    let program = program.iter().map(|word| (*word).to_owned()).collect();
                    return Ok((program, version));
                }
            }
            Err(says_no(
                "running",
                "Compose",
                "neither `docker compose` nor `docker-compose` works; install one of them",
            ))
        };
        self.program.get_or_try_init(find).await
    }

    /// The directory in which this Compose finds the file without being told, looked up every time:
    /// files come and go.
    async fn found_by_itself(&self, version: &str) -> Option<PathBuf> {
        let (file, major) = (self.file.clone(), major(version).to_owned());
        let look = move || files::found_in(&file, &major, |name| std::env::var(name).ok());
        tokio::task::spawn_blocking(look).await.ok().flatten()
    }

    async fn run(
        &self,
        what: &'static str,
        service: &str,
        arguments: &[&str],
        limit: Duration,
    ) -> Result<String, RuntimeError> {
        let (program, version) = self.program().await?;
        let mut command = runner::program(&program[0]);
        command.args(&program[1..]);
        match self.found_by_itself(version).await {
            // `PWD` too: a directory has the name by which the user calls it, and so has the project.
            Some(directory) => command.current_dir(&directory).env("PWD", directory),
            None => command.arg("-f").arg(&self.file).current_dir(&self.directory),
        };
        if let Some(project) = &self.project {
            command.arg("-p").arg(project);
        }
        command.args(arguments).env("DOCKER_HOST", &self.host).env("COMPOSE_ANSI", "never");
        let output = match runner::run(&mut command, limit).await {
            Ok(Some(output)) => output,
            Ok(None) => {
                return Err(RuntimeError::Timeout { what, service: service.to_owned(), limit });
            }
            Err(error) => return Err(says_no(what, service, error)),
        };
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        let last: Vec<_> = errors.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = last[last.len().saturating_sub(3)..].join(" / ");
        Err(says_no(what, service, format!("{} says: {last}", program.join(" "))))
    }
}

fn major(version: &str) -> &str {
    version.trim_start_matches('v').split('.').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    /// A Compose that only writes down where it was called and how.
    fn compose(directory: &Path, file: &str) -> Compose {
        let script = directory.join("docker");
        std::fs::write(&script, "#!/bin/sh\nprintf '%s\\n' \"$(pwd)\" \"$@\"\n").unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let known = (vec![script.display().to_string(), "compose".into()], "2.26.1".into());
        Compose {
            program: OnceCell::new_with(Some(known)),
            ..Compose::new(directory.join(file), None, directory.into(), "unix:///none".into())
        }
    }

    async fn called(directory: &Path, file: &str) -> Vec<String> {
        let compose = compose(directory, file);
        let said = compose.run("bringing up", "gmod", &["up", "-d"], SHORT).await.unwrap();
        said.lines().map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn the_override_beside_the_file_is_left_to_compose() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path().canonicalize().unwrap();
        let stack = directory.join("stack");
        std::fs::create_dir(&stack).unwrap();
        for name in ["docker-compose.yml", "docker-compose.override.yml", "other.yml"] {
            std::fs::write(stack.join(name), "").unwrap();
        }
        let at = |directory: &Path| directory.display().to_string();
        // No `-f`, which would turn the override off.
        let usual = called(&directory, "stack/docker-compose.yml").await;
        assert_eq!(usual, [at(&stack), "compose".into(), "up".into(), "-d".into()]);
        let other = called(&directory, "stack/other.yml").await;
        let named = at(&stack.join("other.yml"));
        let wanted =
            [at(&directory), "compose".into(), "-f".into(), named, "up".into(), "-d".into()];
        assert_eq!(other, wanted);
    }
}
