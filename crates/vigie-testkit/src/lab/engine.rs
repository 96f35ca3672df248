//! One private Docker engine: started on its own directories and socket, stopped by its pid.
//!
//! It touches no firewall chain of the host (`--iptables=false`, published ports go through the
//! user-space proxy) and has no default bridge, so that it can live beside other engines, the
//! machine's own included.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use anyhow::{Context as _, Result, bail};

use super::process::{Signal, is_alive, send_signal};
use super::{Docker, run};

/// How long an engine may take to answer after its start, and to end after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where an engine lives and how it is started.
#[derive(Debug, Clone)]
pub struct EngineSpec {
    root: PathBuf,
    socket: PathBuf,
    program: PathBuf,
    flags: Vec<String>,
}

impl EngineSpec {
    /// An engine with all its files under `root`, its socket included.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, program: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let socket = root.join("docker.sock");
        Self { root, socket, program: program.into(), flags: Vec::new() }
    }

    /// Listens at another socket.
    #[must_use]
    pub fn socket(mut self, socket: impl Into<PathBuf>) -> Self {
        self.socket = socket.into();
        self
    }

    /// Adds a flag for `dockerd`, such as `--live-restore`.
    #[must_use]
    pub fn flag(mut self, flag: impl Into<String>) -> Self {
        self.flags.push(flag.into());
        self
    }

    /// The address for `DOCKER_HOST`.
    #[must_use]
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    fn pidfile(&self) -> PathBuf {
        self.root.join("dockerd.pid")
    }

    fn log(&self) -> PathBuf {
        self.root.join("dockerd.log")
    }

    /// A /16 of its own for the networks that compose makes, from the place the engine lives in.
    fn pool(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.root.hash(&mut hasher);
        format!("10.{}.0.0/16", 180 + hasher.finish() % 60)
    }

    /// The pid of this engine when it runs, from its pidfile; a recycled pid is not taken for it.
    #[must_use]
    pub fn running_pid(&self) -> Option<i32> {
        let pid: i32 = fs::read_to_string(self.pidfile()).ok()?.trim().parse().ok()?;
        let words = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let pidfile = self.pidfile();
        let ours = words.split(|b| *b == 0).any(|w| w == pidfile.as_os_str().as_encoded_bytes());
        (ours && is_alive(pid)).then_some(pid)
    }

    /// The engine believes that the containerd of its last life still runs while its pid exists, and
    /// a zombie that nobody reaps exists for ever.
    fn forget_dead_helper(&self) {
        let pidfile = self.root.join("exec/containerd/containerd.pid");
        let pid = fs::read_to_string(&pidfile).ok().and_then(|pid| pid.trim().parse().ok());
        if pid.is_some_and(|pid: i32| !is_alive(pid)) {
            let _ = fs::remove_file(pidfile);
        }
    }

    fn command(&self) -> Result<Command> {
        let config = self.root.join("daemon.json");
        // Without its own file the engine would read the machine's /etc/docker/daemon.json.
        fs::write(&config, "{}\n").with_context(|| format!("cannot write {config:?}"))?;
        let log = self.log();
        let log = File::create(&log).with_context(|| format!("cannot write {log:?}"))?;
        let mut command = Command::new(&self.program);
        command.env("PATH", self.path()).env_remove("DOCKER_HOST").process_group(0);
        command.arg("--config-file").arg(config);
        command.arg("--data-root").arg(self.root.join("data"));
        command.arg("--exec-root").arg(self.root.join("exec"));
        command.arg("--pidfile").arg(self.pidfile());
        command.arg("--host").arg(self.host());
        command.args(["--bridge=none", "--iptables=false", "--ip-masq=false"]);
        command.args(["--log-level=warn", "--shutdown-timeout=5"]);
        command.arg(format!("--default-address-pool=base={},size=24", self.pool()));
        command.args(&self.flags);
        let both = log.try_clone().context("cannot share the engine's log")?;
        command.stdin(Stdio::null()).stdout(log).stderr(both);
        Ok(command)
    }

    /// The engine starts its helpers (`docker-proxy`, `containerd`, `runc`) by name; those next to
    /// it come first.
    fn path(&self) -> String {
        let beside = self.program.parent().unwrap_or(Path::new("/usr/sbin"));
        let rest = env::var("PATH").unwrap_or_default();
        format!("{}:/usr/sbin:/usr/bin:/sbin:/bin:{rest}", beside.display())
    }
}

/// A running private engine. Dropping it leaves it running; call [`Engine::stop`].
#[derive(Debug)]
pub struct Engine {
    spec: EngineSpec,
    docker: Docker,
    child: Option<Child>,
}

impl Engine {
    /// Starts the engine, or takes over the one that already runs in the same place, and waits
    /// until it answers. `client` gives the `docker` program to use with it.
    ///
    /// # Errors
    /// When the program is missing, is not allowed to run (root is needed) or does not answer.
    pub fn start(spec: EngineSpec, client: &Docker) -> Result<Self> {
        fs::create_dir_all(&spec.root).with_context(|| format!("cannot make {:?}", spec.root))?;
        let docker = client.at(spec.host());
        let mut engine = Self { spec, docker, child: None };
        if engine.spec.running_pid().is_none() {
            engine.spawn()?;
        }
        engine.wait_until_it_answers()?;
        Ok(engine)
    }

    /// Whether [`Engine::start`] of this value started it, rather than found it running.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.child.is_some()
    }

    /// The client for this engine.
    #[must_use]
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Its pid, when it runs.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.spec.running_pid()
    }

    /// Ends the engine with SIGTERM; its containers stop with it (unless `--live-restore`).
    ///
    /// # Errors
    /// When it does not end within a minute.
    pub fn stop(&mut self) -> Result<()> {
        self.end(Signal::TERM)?;
        accept_bridged(&self.spec.pool(), "-D");
        // Left by an engine that was killed in an earlier life; not there after a clean one.
        let data = self.spec.root.join("data");
        let _ = run::succeeds(Command::new("umount").arg("--quiet").arg(data));
        Ok(())
    }

    /// Ends the engine with SIGKILL, as a crash would; containers live on without it.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn kill(&mut self) -> Result<()> {
        self.end(Signal::KILL)
    }

    /// Starts it again on the same data after [`Engine::stop`] or [`Engine::kill`].
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub fn start_again(&mut self) -> Result<()> {
        if self.pid().is_none() {
            self.spawn()?;
        }
        self.wait_until_it_answers()
    }

    fn spawn(&mut self) -> Result<()> {
        // A pidfile left by a kill stops dockerd when the number has been given to another process.
        let _ = fs::remove_file(self.spec.pidfile());
        self.spec.forget_dead_helper();
        accept_bridged(&self.spec.pool(), "-I");
        let mut command = self.spec.command()?;
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {:?}; install docker.io", self.spec.program))?;
        self.child = Some(child);
        Ok(())
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let start = Instant::now();
        while !self.docker.answers() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            if ended.is_some() || start.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.spec.log()).unwrap_or_default();
                let lines: Vec<&str> = log.lines().collect();
                let tail = lines[lines.len().saturating_sub(8)..].join("\n");
                bail!("the engine at {} does not answer; its log ends:\n{tail}", self.spec.host());
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn end(&mut self, signal: Signal) -> Result<()> {
        let Some(pid) = self.pid() else { return Ok(()) };
        send_signal(pid, signal)?;
        let start = Instant::now();
        while is_alive(pid) {
            if start.elapsed() > PATIENCE {
                bail!("the engine with pid {pid} did not end within {PATIENCE:?}");
            }
            thread::sleep(Duration::from_millis(50));
        }
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
        Ok(())
    }
}

/// Where another engine set the host to drop forwarded packets, containers of one bridge could not
/// talk to each other; this rule (`-I`, later `-D`) lets the pool of this engine through. Best
/// effort: most machines do not need it.
fn accept_bridged(pool: &str, action: &str) {
    let rule = |verb: &str| {
        let mut command = Command::new("iptables");
        command.args(["-w", "5", verb, "FORWARD", "-s", pool, "-d", pool, "-j", "ACCEPT"]);
        run::succeeds(&mut command)
    };
    if rule("-C") != (action == "-I") {
        rule(action);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_that_is_not_this_engine_is_not_taken_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let spec = EngineSpec::new(dir.path(), "dockerd");
        assert_eq!(spec.running_pid(), None);
        fs::write(spec.pidfile(), std::process::id().to_string()).unwrap();
        assert_eq!(spec.running_pid(), None);
    }

    #[test]
    fn the_pool_is_private_and_stays_the_same() {
        let spec = EngineSpec::new("/somewhere", "dockerd");
        assert!(spec.pool().starts_with("10."));
        assert_eq!(spec.pool(), EngineSpec::new("/somewhere", "dockerd").pool());
    }
}
