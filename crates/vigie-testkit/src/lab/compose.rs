//! Both generations of Compose behind one call, since operators have either.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{Docker, run};

/// Which Compose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ComposeVersion {
    /// The Python program `docker-compose` 1.29.
    V1,
    /// The plugin `docker compose` 2.x.
    V2,
}

impl fmt::Display for ComposeVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        })
    }
}

/// A Compose pointed at one engine.
#[derive(Debug, Clone)]
pub struct Compose {
    docker: Docker,
    old: Option<PathBuf>,
}

impl Compose {
    /// The v2 plugin, found in the client's configuration directory or where Docker looks.
    #[must_use]
    pub fn v2(docker: &Docker) -> Self {
        Self { docker: docker.clone(), old: None }
    }

    /// The v1 program.
    #[must_use]
    pub fn v1(docker: &Docker, program: impl Into<PathBuf>) -> Self {
        Self { docker: docker.clone(), old: Some(program.into()) }
    }

    /// Which generation this is.
    #[must_use]
    pub fn version(&self) -> ComposeVersion {
        if self.old.is_some() { ComposeVersion::V1 } else { ComposeVersion::V2 }
    }

    /// The same Compose for another engine.
    #[must_use]
    pub fn at(&self, docker: &Docker) -> Self {
        Self { docker: docker.clone(), old: self.old.clone() }
    }

    /// The words to type before the arguments: `docker-compose`, or `docker compose`.
    #[must_use]
    pub fn command(&self, dir: &Path) -> Command {
        let mut command = match &self.old {
            Some(program) => {
                let mut command = Command::new(program);
                self.docker.point(&mut command);
                // It hangs for ever on a daemon that is gone.
                command.env("COMPOSE_HTTP_TIMEOUT", "120");
                command
            }
            None => {
                let mut command = self.docker.command();
                command.arg("compose");
                command
            }
        };
        command.current_dir(dir);
        command
    }

    /// Runs in the project directory `dir` and returns what it printed.
    ///
    /// # Errors
    /// When it fails, with its last lines.
    pub fn text<S: AsRef<OsStr>>(
        &self,
        dir: &Path,
        args: impl IntoIterator<Item = S>,
    ) -> Result<String> {
        run::text(self.command(dir).args(args))
    }
}
