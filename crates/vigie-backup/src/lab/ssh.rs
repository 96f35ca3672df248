//! Does, in tests: an SSH server with its own host key, which lets in one key of the test's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::running::{Running, port};
use super::{Place, program};
use crate::site::{HostKeys, Sftp, Site};

/// An SSH server with its files.
pub(crate) struct Sshd {
    at: PathBuf,
    program: PathBuf,
    pub(crate) port: u16,
}

impl Sshd {
    /// Makes its files below a directory.
    pub(crate) fn new(at: &Path, what: &str) -> Option<Self> {
        program("ssh", what)?;
        let sshd = Self { at: at.into(), program: program("sshd", what)?, port: port() };
        sshd.new_key("host");
        sshd.new_key("user");
        std::fs::copy(at.join("user.pub"), at.join("authorized")).unwrap();
        sshd.know("host.pub");
        // The machine's own service makes this when it starts; ours is not that service.
        let _ = std::fs::create_dir("/run/sshd");
        Some(sshd)
    }

    /// Makes a key pair of this name.
    pub(crate) fn new_key(&self, name: &str) {
        let _ = std::fs::remove_file(self.at.join(name));
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(self.at.join(name));
        vigie_testkit::lab::run::quiet(&mut command).unwrap();
    }

    /// Writes the file of known hosts, with this key for the server.
    pub(crate) fn know(&self, key: &str) {
        let key = std::fs::read_to_string(self.at.join(key)).unwrap();
        let line = format!("[127.0.0.1]:{} {key}", self.port);
        std::fs::write(self.known_hosts(), line).unwrap();
    }

    pub(crate) fn known_hosts(&self) -> PathBuf {
        self.at.join("known hosts")
    }

    /// Starts it.
    pub(crate) fn start(&self) -> Running {
        let at = self.at.display();
        let config = format!(
            "Port {}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/authorized\n\
             StrictModes no\nPidFile none\nUsePAM no\nPasswordAuthentication no\n\
             PermitRootLogin prohibit-password\nMaxStartups 100\nSubsystem sftp internal-sftp\n",
            self.port
        );
        std::fs::write(self.at.join("config"), config).unwrap();
        let mut command = Command::new(&self.program);
        command.arg("-D").arg("-f").arg(self.at.join("config"));
        Running::start(&mut command, self.port)
    }

    /// A site there.
    pub(crate) fn site(&self, files: &Path) -> Sftp {
        Sftp {
            host: "127.0.0.1".into(),
            port: Some(self.port),
            user: whoami(),
            key_file: Some(self.at.join("user")),
            path: files.display().to_string(),
            known_hosts: Some(self.known_hosts()),
            host_keys: HostKeys::Known,
        }
    }
}

fn whoami() -> String {
    vigie_testkit::lab::run::text(Command::new("id").arg("-un")).unwrap()
}

/// A directory behind SSH.
pub(crate) fn start(what: &str) -> Option<Place> {
    let kept = tempfile::tempdir().unwrap();
    let sshd = Sshd::new(kept.path(), what)?;
    let files = kept.path().join("below/repo");
    let site = Site::Sftp(sshd.site(&files));
    let server = Some(sshd.start());
    Some(Place { kind: "sftp", site, files, server, _kept: kept })
}
