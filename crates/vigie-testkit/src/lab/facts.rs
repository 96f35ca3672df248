//! Where the lab is: what xtask made ready, passed to tests through the environment.

use std::env;
use std::path::PathBuf;

/// What `cargo xtask test` and `cargo xtask lab env` make known. Each field is one variable
/// `VIGIE_LAB_…`; a missing one means that this part is not available.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// `VIGIE_LAB_DOCKER`: the engine's address, `unix:///…`.
    pub docker: Option<String>,
    /// `VIGIE_LAB_DOCKER_CLI`: the `docker` client that goes with it.
    pub docker_cli: Option<PathBuf>,
    /// `VIGIE_LAB_DOCKER_CONFIG`: a `DOCKER_CONFIG` directory with the compose v2 plugin.
    pub docker_config: Option<PathBuf>,
    /// `VIGIE_LAB_COMPOSE_V1`: the old `docker-compose` program (1.29).
    pub compose_v1: Option<PathBuf>,
    /// `VIGIE_LAB_DOCKERD`: the engine program, to start more of them.
    pub dockerd: Option<PathBuf>,
    /// `VIGIE_LAB_DOCKERD_NEW`: a newer engine program (26.1), to test against both.
    pub dockerd_new: Option<PathBuf>,
    /// `VIGIE_LAB_PRACTICE_IMAGE`: image of the practice game server.
    pub practice_image: Option<String>,
    /// `VIGIE_LAB_PRACTICE_BIN`: the same server as a static program.
    pub practice_bin: Option<PathBuf>,
    /// `VIGIE_LAB_MARIADB_IMAGE`: image of the database.
    pub mariadb_image: Option<String>,
    /// `VIGIE_LAB_MARIADBD`: the database server as a program of this machine.
    pub mariadbd: Option<PathBuf>,
    /// `VIGIE_LAB_RESTIC_NEW`: a newer restic (0.18) than the machine's own, to test against both.
    pub restic_new: Option<PathBuf>,
    /// `VIGIE_LAB_S3S_FS`: a server that speaks S3 over a directory.
    pub s3s_fs: Option<PathBuf>,
    /// `VIGIE_LAB_MARIADB_NEW`: a directory with the programs of a newer release (11.8).
    pub mariadb_new: Option<PathBuf>,
}

impl Facts {
    /// Reads the environment of this process.
    #[must_use]
    pub fn from_env() -> Self {
        Self::from_lookup(|key| env::var(key).ok().filter(|v| !v.is_empty()))
    }

    fn from_lookup(get: impl Fn(&str) -> Option<String>) -> Self {
        let path = |key: &str| get(key).map(PathBuf::from);
        Self {
            docker: get("VIGIE_LAB_DOCKER"),
            docker_cli: path("VIGIE_LAB_DOCKER_CLI"),
            docker_config: path("VIGIE_LAB_DOCKER_CONFIG"),
            compose_v1: path("VIGIE_LAB_COMPOSE_V1"),
            dockerd: path("VIGIE_LAB_DOCKERD"),
            dockerd_new: path("VIGIE_LAB_DOCKERD_NEW"),
            practice_image: get("VIGIE_LAB_PRACTICE_IMAGE"),
            practice_bin: path("VIGIE_LAB_PRACTICE_BIN"),
            mariadb_image: get("VIGIE_LAB_MARIADB_IMAGE"),
            mariadbd: path("VIGIE_LAB_MARIADBD"),
            restic_new: path("VIGIE_LAB_RESTIC_NEW"),
            s3s_fs: path("VIGIE_LAB_S3S_FS"),
            mariadb_new: path("VIGIE_LAB_MARIADB_NEW"),
        }
    }

    /// The variables to give to a test process; what is not available is left out.
    #[must_use]
    pub fn to_env(&self) -> Vec<(&'static str, String)> {
        let path = |p: &Option<PathBuf>| p.as_ref().map(|p| p.to_string_lossy().into_owned());
        let all = [
            ("VIGIE_LAB_DOCKER", self.docker.clone()),
            ("VIGIE_LAB_DOCKER_CLI", path(&self.docker_cli)),
            ("VIGIE_LAB_DOCKER_CONFIG", path(&self.docker_config)),
            ("VIGIE_LAB_COMPOSE_V1", path(&self.compose_v1)),
            ("VIGIE_LAB_DOCKERD", path(&self.dockerd)),
            ("VIGIE_LAB_DOCKERD_NEW", path(&self.dockerd_new)),
            ("VIGIE_LAB_PRACTICE_IMAGE", self.practice_image.clone()),
            ("VIGIE_LAB_PRACTICE_BIN", path(&self.practice_bin)),
            ("VIGIE_LAB_MARIADB_IMAGE", self.mariadb_image.clone()),
            ("VIGIE_LAB_MARIADBD", path(&self.mariadbd)),
            ("VIGIE_LAB_RESTIC_NEW", path(&self.restic_new)),
            ("VIGIE_LAB_S3S_FS", path(&self.s3s_fs)),
            ("VIGIE_LAB_MARIADB_NEW", path(&self.mariadb_new)),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let facts = Facts {
            docker: Some("unix:///run/lab.sock".into()),
            docker_cli: Some("/usr/bin/docker".into()),
            mariadb_image: Some("lab/mariadb:10.11".into()),
            ..Facts::default()
        };
        let env = facts.to_env();
        assert_eq!(env.len(), 3);
        let read = Facts::from_lookup(|key| {
            env.iter().find(|(k, _)| *k == key).map(|(_, value)| value.clone())
        });
        assert_eq!(read, facts);
    }
}
