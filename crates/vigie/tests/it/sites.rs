//! A lost host back from a site that is no directory: the very command that the recovery sheet has, in a
//! shell, with its secrets in the environment, from a real S3 server and a real SSH server.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use vigie_testkit::lab::{docker_or_skip, facts_or_skip, free_port, run, skip};

use crate::recover::{PASSWORD, Town, ended, town_at};

/// A server process, which ends with its owner.
struct Server(Child);

impl Server {
    /// Starts it, and waits until something listens on its port.
    fn start(command: &mut Command, port: u16) -> Self {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = quiet.spawn().unwrap();
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "{command:?} ended");
            assert!(Instant::now() < until, "{command:?} does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The command on the sheet as a person types it, and a yes.
fn typed(town: &Town, secret: Option<&str>) -> Command {
    let mut lines = town.sheet.lines().map(str::trim);
    let line = lines.find(|line| line.starts_with("vigie recover")).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_vigie"));
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", program.parent().unwrap().display());
    let mut command = Command::new("sh");
    town.docker().point(&mut command);
    command.args(["-c", &format!("{line} --yes")]).current_dir("/").stdin(Stdio::null());
    command.env("PATH", path).env("NO_COLOR", "1").env_remove("BACKUP_PASSWORD");
    command.env("VIGIE_BACKUP_PASSWORD", PASSWORD);
    if let Some(secret) = secret {
        command.env("VIGIE_SITE_SECRET", secret);
    }
    command
}

const KEY: &str = "AKEXAMPLE";
const SECRET: &str = "a-secret-of-s3";

#[test]
fn a_lost_host_comes_back_from_s3() {
    let what = "a lost host from S3";
    let Some(lab) = docker_or_skip(what) else { return };
    let Some(program) = facts_or_skip("s3s-fs", what, |facts| facts.s3s_fs) else { return };
    let room = tempfile::tempdir().unwrap();
    std::fs::create_dir(room.path().join("bucket")).unwrap();
    let port = free_port().unwrap();
    let mut command = Command::new(program);
    command.args(["--access-key", KEY, "--secret-key", SECRET, "--host", "127.0.0.1"]);
    command.args(["--port", &port.to_string()]).arg(room.path());
    let _server = Server::start(&mut command, port);
    let town = town_at(&lab, "it-s3", |_, at| {
        let secret = at.join("s3-secret");
        std::fs::write(&secret, SECRET).unwrap();
        let secret = secret.display();
        format!(
            "[backup.site.off]\n[backup.site.off.s3]\nbucket = \"bucket\"\n\
             endpoint = \"http://127.0.0.1:{port}\"\nregion = \"us-east-1\"\nprefix = \"town/one\"\n\
             access_key = \"{KEY}\"\nsecret_key = {{ file = \"{secret}\" }}\n"
        )
    });
    assert!(!town.sheet.contains(SECRET), "{}", town.sheet);
    town.lose();
    // Without the site's secret, or with another one, it says which is missing.
    let (code, text) = ended(typed(&town, None));
    assert_eq!((code, text.contains("set VIGIE_SITE_SECRET")), (Some(2), true), "{text}");
    let (code, text) = ended(typed(&town, Some("another-secret")));
    assert_ne!(code, Some(0), "{text}");
    assert!(!town.stack.dir().exists(), "{text}");
    let (code, text) = ended(typed(&town, Some(SECRET)));
    assert_eq!(code, Some(0), "{text}");
    assert!(!text.contains(SECRET), "{text}");
    assert!(text.contains("answers as players see it: RTO "), "{text}");
    town.is_back();
}

/// The program of this name, or nothing after saying that the test is skipped.
fn program(name: &str, what: &str) -> Option<PathBuf> {
    let places = ["/usr/bin", "/usr/sbin"].map(|place| Path::new(place).join(name));
    let found = places.into_iter().find(|path| path.is_file());
    if found.is_none() {
        skip(name, what, "it is not installed");
    }
    found
}

/// An SSH server that lets in one key; its files are in `room`.
fn sshd(room: &Path, what: &str) -> Option<(Server, u16)> {
    let (_, keygen, sshd) =
        (program("ssh", what)?, program("ssh-keygen", what)?, program("sshd", what)?);
    for name in ["host", "user"] {
        let mut command = Command::new(&keygen);
        command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(room.join(name));
        run::quiet(&mut command).unwrap();
    }
    std::fs::copy(room.join("user.pub"), room.join("authorized")).unwrap();
    let port = free_port().unwrap();
    let host = std::fs::read_to_string(room.join("host.pub")).unwrap();
    std::fs::write(room.join("known_hosts"), format!("[127.0.0.1]:{port} {host}")).unwrap();
    // The machine's own service makes this when it starts; ours is not that service.
    let _ = std::fs::create_dir("/run/sshd");
    let at = room.display();
    let config = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/authorized\n\
         StrictModes no\nPidFile none\nUsePAM no\nPasswordAuthentication no\n\
         PermitRootLogin prohibit-password\nMaxStartups 100\nSubsystem sftp internal-sftp\n"
    );
    std::fs::write(room.join("config"), config).unwrap();
    let mut command = Command::new(sshd);
    command.arg("-D").arg("-f").arg(room.join("config"));
    Some((Server::start(&mut command, port), port))
}

#[test]
fn a_lost_host_comes_back_over_sftp() {
    let what = "a lost host over SFTP";
    let Some(lab) = docker_or_skip(what) else { return };
    let room = tempfile::tempdir().unwrap();
    let Some((_server, port)) = sshd(room.path(), what) else { return };
    let me = run::text(Command::new("id").arg("-un")).unwrap();
    let at = room.path().display();
    let town = town_at(&lab, "it-sftp", |_, _| {
        format!(
            "[backup.site.off]\n[backup.site.off.sftp]\nhost = \"127.0.0.1\"\nport = {port}\n\
             user = \"{me}\"\nkey_file = \"{at}/user\"\nknown_hosts = \"{at}/known_hosts\"\n\
             path = \"{at}/below/repo\"\n"
        )
    });
    town.lose();
    let (code, text) = ended(typed(&town, None));
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("answers as players see it: RTO "), "{text}");
    town.is_back();
}
