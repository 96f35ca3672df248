//! `cargo xtask bench binlog`: how long a commit waits until the piece of the log that has it is on the
//! disk, with a quiet server and a busy one, and how fast a log is read after a long pause. The server is
//! this machine's MariaDB, in a directory of its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use vigie_testkit::lab::run;

use super::figures::machine;
use crate::place::{Place, program};

const SECONDS: u32 = 30;
/// How long the server may take to start.
const START: Duration = Duration::from_secs(60);

pub(super) fn run(place: &Place) -> Result<()> {
    let mariadbd = program(&["/usr/sbin/mariadbd", "mariadbd"]);
    let mariadbd = mariadbd.context("no mariadbd; `cargo xtask test` installs it")?;
    let mut cargo = place.cargo();
    cargo.args(["build", "--release", "--quiet", "--package", "vigie"]);
    run::streamed(cargo.args(["--example", "binlog_speed"]))?;
    println!("machine: {}", machine());
    let example = place.target().join("release/examples/binlog_speed");
    for writers in ["0", "1", "8"] {
        let dir = tempfile::tempdir()?;
        let _server = Server::start(&mariadbd, dir.path())?;
        let mut measure = Command::new(&example);
        measure.arg(dir.path().join("s")).arg(dir.path()).arg(writers).arg(SECONDS.to_string());
        run::streamed(&mut measure)?;
    }
    Ok(())
}

/// A server that ends with the measurement.
struct Server(Child);

impl Server {
    fn start(mariadbd: &Path, dir: &Path) -> Result<Self> {
        let data = format!("--datadir={}", dir.join("data").display());
        let mut install = Command::new("mariadb-install-db");
        install.args(["--no-defaults", "--user=root", "--skip-test-db", &data]);
        run::quiet(install.arg("--auth-root-authentication-method=normal"))?;
        let socket = dir.join("s");
        let mut command = Command::new(mariadbd);
        command.args(["--no-defaults", "--user=root", "--skip-networking", &data]);
        command.arg(format!("--socket={}", socket.display()));
        command.arg(format!("--pid-file={}", dir.join("pid").display()));
        command.args(["--server-id=7", "--log-bin=log-bin", "--binlog-format=ROW"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().with_context(|| format!("cannot start {mariadbd:?}"))?;
        let begun = Instant::now();
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            ensure!(child.try_wait()?.is_none(), "the server ended by itself");
            ensure!(begun.elapsed() < START, "the server does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Self(child))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
