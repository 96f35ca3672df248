//! Does: finds where a server's files are on this host, and waits until a server that was started on other
//! files answers.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::count;
use crate::backup::database::{Client, Tools};
use crate::backup::{BackupError, Manifest};
use crate::runtime::docker::{Container, Docker};

/// How long a server may take until it answers.
const BOOT: Duration = Duration::from_secs(120);
/// Between two questions.
const BETWEEN: Duration = Duration::from_millis(300);
/// Where the images have it, for a server that cannot be asked any more.
const USUAL: &str = "/var/lib/mysql";

/// Where the files of `service` are on this host.
///
/// # Errors
/// When they are in no volume or directory of their own, or cannot be exchanged there.
pub(in crate::backup) async fn home(
    docker: &Docker,
    tools: &Tools<'_>,
    client: &Client,
    service: &str,
) -> Result<PathBuf, BackupError> {
    let told = client.ask(tools, "SELECT @@datadir").await;
    let told = told.unwrap_or_else(|_| USUAL.to_owned());
    let container = docker.container(service).await?;
    let container =
        container.ok_or_else(|| BackupError::Refused(format!("{service} has no container")))?;
    mounted(&container, Path::new(&told)).ok_or_else(|| {
        BackupError::Refused(format!(
            "the files of {service} ({told}) are in no volume and no directory of their own: bring the \
             copy back beside: --to DIR"
        ))
    })
}

/// The directory of this host that is mounted just at `inside`.
fn mounted(container: &Container, inside: &Path) -> Option<PathBuf> {
    let volumes = container.volumes.iter().map(|one| (&one.source, &one.target));
    let binds = container.binds.iter().map(|(here, there)| (here, there));
    // A path with and without a slash at its end is the same one.
    let mut mounts = volumes.chain(binds);
    mounts.find(|(_, there)| Path::new(there) == inside).map(|(here, _)| here.clone())
}

/// Waits until the server answers, and compares its rows with those of the manifest; says what it proved.
///
/// # Errors
/// When it does not answer in time, or has other rows than the copy.
pub(in crate::backup) async fn answers(
    tools: &Tools<'_>,
    client: &Client,
    manifest: &Manifest,
) -> Result<String, BackupError> {
    let began = Instant::now();
    while let Err(error) = client.ask(tools, "SELECT 1").await {
        if began.elapsed() > BOOT {
            return Err(error.into());
        }
        tokio::time::sleep(BETWEEN).await;
    }
    let found = count::rows(tools, client, &manifest.asset.what).await?;
    let rows: u64 = found.values().map(|count| count.rows).sum();
    let exact = manifest.physical.as_ref().is_some_and(|physical| physical.exact);
    let mut wrong = Vec::new();
    for (name, kept) in &manifest.tables {
        match found.get(name) {
            None => wrong.push(format!("the table {name} is missing")),
            Some(there) if exact && there.rows != kept.rows => {
                wrong.push(format!("{name} has {} rows, not {}", there.rows, kept.rows));
            }
            Some(_) => {}
        }
    }
    crate::backup::drill::refuse(&wrong)?;
    let how = if exact {
        "counts are those of the backup"
    } else {
        "every one of the backup is there; rows were written while it was made, so their number is not compared"
    };
    Ok(format!("{} tables with {rows} rows: {how}", found.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::docker::Volume;

    #[test]
    fn only_a_mount_of_their_own_is_exchanged() {
        let volume = Volume {
            name: String::from("data"),
            source: PathBuf::from("/volumes/data/_data"),
            target: String::from("/var/lib/mysql"),
        };
        let mut container = Container {
            image: String::new(),
            image_id: String::new(),
            runs: true,
            started: None,
            volumes: vec![volume],
            binds: vec![(PathBuf::from("/srv/x/init"), String::from("/init"))],
            content: None,
        };
        let there = |container: &Container| mounted(container, Path::new("/var/lib/mysql/"));
        assert_eq!(there(&container), Some(PathBuf::from("/volumes/data/_data")));
        container.volumes[0].target = String::from("/var/lib");
        assert_eq!(there(&container), None);
        container.binds.push((PathBuf::from("/srv/x/data"), String::from("/var/lib/mysql")));
        assert_eq!(there(&container), Some(PathBuf::from("/srv/x/data")));
    }
}
