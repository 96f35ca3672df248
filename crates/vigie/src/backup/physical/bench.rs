//! Does: unpacks a copy and makes it a directory that a server can start with, by the tools of the service's
//! own image, in a container that has nothing else to do; or by those of this machine.

use std::path::{Path, PathBuf};

use vigie_backup::Repository;

use super::{COPY, TOOL, UNPACK};
use crate::backup::BackupError;
use crate::backup::database::{Tools, bare};
use crate::runtime::docker::{Docker, Program, Scratch};

/// Where the directory is in the container.
pub(super) const INSIDE: &str = "/vigie-copy";

/// A place with the tools.
pub(in crate::backup) struct Bench<'a> {
    /// The container; none on this machine.
    scratch: Option<Scratch<'a>>,
    /// The directory as the tools see it.
    directory: PathBuf,
}

impl<'a> Bench<'a> {
    /// A container from the image that `service` runs, with the directory `at` of this host; without one,
    /// what is unpacked goes when the container goes.
    ///
    /// # Errors
    /// What the engine says.
    pub(in crate::backup) async fn of(
        docker: &'a Docker,
        service: &str,
        at: Option<&Path>,
    ) -> Result<Self, BackupError> {
        let mount = at.map(|at| (at, INSIDE));
        let scratch = Scratch::idle(docker, service, mount).await?;
        Ok(Self { scratch: Some(scratch), directory: PathBuf::from(INSIDE) })
    }

    /// The programs of this machine.
    pub(in crate::backup) fn here(at: &Path) -> Self {
        Self { scratch: None, directory: at.to_owned() }
    }

    pub(super) fn tools(&self) -> Tools<'_> {
        match &self.scratch {
            Some(scratch) => Tools::Scratch(scratch),
            None => Tools::Local { first: None },
        }
    }

    /// Unpacks the copy of the snapshot `id`, and prepares it.
    ///
    /// # Errors
    /// When the site does not give it, or a tool fails.
    pub(in crate::backup) async fn fill(
        &self,
        repository: &Repository,
        site: &str,
        id: &str,
    ) -> Result<(), BackupError> {
        let directory = self.directory.display().to_string();
        self.sh("mkdir -p \"$1\" && chmod 700 \"$1\"", &[&directory]).await?;
        let (read, write) = tokio::io::duplex(1 << 20);
        let (repository, id) = (repository.clone(), id.to_owned());
        let give = tokio::task::spawn_blocking(move || {
            let mut write = tokio_util::io::SyncIoBridge::new(write);
            repository.get_file(&id, COPY, &mut write)
        });
        let unpack = bare(UNPACK, &["-x", "-C", &directory]);
        let tools = self.tools();
        let (taken, given) =
            tokio::join!(tools.run(UNPACK[0], &unpack, Some(Box::new(read)), None), give);
        let given = given.map_err(|error| BackupError::Worker(error.to_string()))?;
        match (taken, given) {
            // It takes no more when it has failed, and says why.
            (Err(taken), Err(vigie_backup::Error::File(..))) => return Err(taken.into()),
            (taken, given) => {
                given.map_err(|error| BackupError::Site(site.to_owned(), error))?;
                taken?;
            }
        }
        let target = format!("--target-dir={directory}");
        let prepare = bare(TOOL, &["--prepare", &target]);
        Ok(tools.run(TOOL[0], &prepare, None, None).await?)
    }

    /// Gives everything to its server.
    ///
    /// # Errors
    /// When it cannot be given away.
    pub(in crate::backup) async fn own(&self, uid: u32, gid: u32) -> Result<(), BackupError> {
        let directory = self.directory.display().to_string();
        self.sh("chown -R \"$2\" \"$1\"", &[&directory, &format!("{uid}:{gid}")]).await
    }

    pub(super) async fn sh(&self, script: &str, words: &[&str]) -> Result<(), BackupError> {
        let first = ["sh", "-c", script, "vigie"];
        let arguments = first.iter().chain(words).map(|word| (*word).to_owned()).collect();
        let program = Program { arguments, env: Vec::new() };
        Ok(self.tools().run("sh", &program, None, None).await?)
    }

    /// Removes the container.
    ///
    /// # Errors
    /// What the engine says.
    pub(in crate::backup) async fn remove(self) -> Result<(), BackupError> {
        match self.scratch {
            Some(scratch) => Ok(scratch.remove().await?),
            None => Ok(()),
        }
    }
}
