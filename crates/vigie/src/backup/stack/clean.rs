//! Does: removes a scratch project with everything that is its own: what a drill made, and what a killed one
//! has left. Never touches what has another name.

use std::path::Path;
use std::time::{Duration, Instant};

use super::project;
use crate::backup::BackupError;
use crate::config::Config;
use crate::runtime::docker::Docker;

/// How long the Compose of a killed drill may still be at work.
const PATIENCE: Duration = Duration::from_secs(180);
const BETWEEN: Duration = Duration::from_millis(200);

/// Removes what a killed drill of this stack has left. Nobody else drills it meanwhile.
///
/// # Errors
/// What the engine says, or what could not be removed.
pub(in crate::backup) async fn sweep(config: &Config, docker: &Docker) -> Result<(), BackupError> {
    let name = project(config);
    let began = Instant::now();
    // It outlives a worker that was killed, and would make what was just removed.
    while is_at_work(Path::new("/proc"), &name) && began.elapsed() < PATIENCE {
        tokio::time::sleep(BETWEEN).await;
    }
    everything(docker, &name).await
}

/// Removes the project `name`: its containers, networks, volumes, and the names of its images.
///
/// # Errors
/// What the engine says, or what could not be removed.
pub(super) async fn everything(docker: &Docker, name: &str) -> Result<(), BackupError> {
    let left = docker.remove_project(name).await?;
    for tag in docker.tags(name).await? {
        docker.remove_image(&format!("{name}:{tag}")).await?;
    }
    if left.is_empty() {
        return Ok(());
    }
    Err(BackupError::Damaged(format!(
        "a drill's own stack could not be removed: {}; look: docker ps -a --filter \
         label=com.docker.compose.project={name}",
        left.join(", ")
    )))
}

/// Whether a process was called with this project's name.
fn is_at_work(processes: &Path, name: &str) -> bool {
    let all = std::fs::read_dir(processes).into_iter().flatten().flatten();
    all.map(|process| process.path().join("cmdline")).any(|path| {
        let words = std::fs::read(path).unwrap_or_default();
        let mut words = words.split(|byte| *byte == 0);
        words.any(|word| word == b"-p") && words.next() == Some(name.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compose_that_outlived_its_drill_is_seen() {
        let processes = tempfile::tempdir().unwrap();
        let at_work = || is_at_work(processes.path(), "vigie-drill-x-1");
        let process = |pid: &str, words: &str| {
            std::fs::create_dir_all(processes.path().join(pid)).unwrap();
            std::fs::write(processes.path().join(pid).join("cmdline"), words).unwrap();
        };
        process("1", "docker\0compose\0-p\0vigie-drill-x-12\0up\0");
        process("2", "vi\0vigie-drill-x-1\0");
        std::fs::create_dir(processes.path().join("self")).unwrap();
        assert!(!at_work());
        process("3", "docker\0compose\0-f\0c.json\0-p\0vigie-drill-x-1\0up\0-d\0");
        assert!(at_work());
    }
}
