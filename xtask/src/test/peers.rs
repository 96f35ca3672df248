//! Lets clients that others wrote talk to the practice server: packages of PyPI and npm, each in an
//! environment of its own in the cache.

use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context as _, Result, bail};
use vigie_testkit::lab::{Facts, free_port, run};

use crate::place::{Place, is_ci, is_root, program};
use crate::setup;
use crate::stage::End;

const SCRIPTS: &str = "crates/vigie-practice/tests/peers";
const PASSWORD: &str = "peers-check";
const PYTHON_PACKAGES: [&str; 2] = ["python-a2s", "rcon"];
const NODE_PACKAGE: &str = "gamedig";

/// `peers.py`: an A2S and an RCON client.
pub(super) fn python(place: &Place, facts: &Facts) -> Result<End> {
    let Some(python) = program(&["python3"]) else {
        return Ok(End::Skipped("python3 is not installed".into()));
    };
    check(place, facts, "peers.py", |script, port| {
        let mut command = Command::new(python_environment(place, &python)?);
        command.arg(script).args(["127.0.0.1", port, PASSWORD]);
        Ok(command)
    })
}

/// `peers.mjs`: the A2S client that most server lists use.
pub(super) fn node(place: &Place, facts: &Facts) -> Result<End> {
    let (Some(node), Some(npm)) = (program(&["node"]), program(&["npm"])) else {
        return Ok(End::Skipped("node and npm are not installed".into()));
    };
    check(place, facts, "peers.mjs", |script, port| {
        let mut command = Command::new(&node);
        command.current_dir(node_environment(place, &npm)?);
        command.arg(script).args(["127.0.0.1", port]);
        Ok(command)
    })
}

/// Runs one script against a server of its own.
fn check(
    place: &Place,
    facts: &Facts,
    name: &str,
    command: impl FnOnce(&Path, &str) -> Result<Command>,
) -> Result<End> {
    let script = place.root.join(SCRIPTS).join(name);
    if !script.is_file() {
        return Ok(End::Skipped(format!("{SCRIPTS}/{name} does not exist")));
    }
    let Some(server) = &facts.practice_bin else {
        return Ok(End::Skipped("the practice server was not built".into()));
    };
    let port = free_port()?;
    let mut command = match command(&script, &port.to_string()) {
        Ok(command) => command,
        Err(error) if is_ci() => return Err(error),
        Err(error) => return Ok(End::Skipped(format!("{error:#}"))),
    };
    let _server = Server::start(server, port)?;
    run::streamed(&mut command).map(|()| End::Done(String::new()))
}

/// The python of a virtual environment that has the packages.
fn python_environment(place: &Place, python: &Path) -> Result<PathBuf> {
    let dir = place.cache.join("peers-python");
    let inside = dir.join("bin/python");
    if run::succeeds(Command::new(&inside).args(["-c", "import a2s, rcon"])) {
        return Ok(inside);
    }
    let _ = fs::remove_dir_all(&dir);
    let make = || run::quiet(Command::new(python).args(["-m", "venv"]).arg(&dir));
    if let Err(error) = make() {
        // Debian keeps venv in a package of its own.
        if !is_root() {
            return Err(error);
        }
        setup::install(&["python3-venv"])?;
        make()?;
    }
    let mut pip = Command::new(&inside);
    pip.args(["-m", "pip", "install", "--quiet"]).args(PYTHON_PACKAGES);
    run::quiet(&mut pip).context("cannot install the peers from PyPI")?;
    Ok(inside)
}

/// A directory where node finds the package.
fn node_environment(place: &Place, npm: &Path) -> Result<PathBuf> {
    let dir = place.cache.join("peers-node");
    if dir.join("node_modules").join(NODE_PACKAGE).join("package.json").is_file() {
        return Ok(dir);
    }
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {dir:?}"))?;
    let mut install = Command::new(npm);
    install.current_dir(&dir).args(["install", "--silent", "--no-audit", "--no-fund"]);
    install.args(["--ignore-scripts", "--prefix", "."]);
    run::quiet(install.arg(NODE_PACKAGE)).context("cannot install the peer from npm")?;
    Ok(dir)
}

/// The practice server, ended when dropped.
struct Server {
    child: Child,
}

impl Server {
    fn start(program: &Path, port: u16) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--players", "3"]);
        command.env("RCON_PASSWORD", PASSWORD).env("PRACTICE_BOOT", "0s").env("NAME", "Peers");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().with_context(|| format!("cannot start {program:?}"))?;
        let server = Self { child };
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if start.elapsed() > Duration::from_secs(10) {
                bail!("the practice server did not listen on port {port} within 10 s");
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
