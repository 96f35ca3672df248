//! A watch that runs: the binary, its directory, and questions to it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use vigie_testkit::lab::{Docker, Signal, Stack, send_signal};

/// The binary under test.
pub(crate) fn vigie() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
    command.env_remove("VIGIE_CONFIG").env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// A running `vigie watch`.
pub(crate) struct Watch {
    child: Child,
    directory: PathBuf,
    docker: Option<Docker>,
    log: PathBuf,
    env: Vec<(String, PathBuf)>,
    closed: bool,
}

impl Watch {
    /// `vigie init` in the stack's directory, `extra` appended to what it wrote, and `vigie watch`.
    pub(crate) fn on(stack: &Stack, extra: &str) -> Self {
        let directory = stack.dir().to_owned();
        let docker = stack.docker().clone();
        let mut init = vigie();
        docker.point(&mut init);
        let output = init.arg("init").current_dir(&directory).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let path = directory.join("vigie.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, merged(&text, extra)).unwrap();
        let mut watch = Self {
            child: start(&directory, Some(&docker), &directory.join("watch.log"), &[], false),
            log: directory.join("watch.log"),
            directory,
            docker: Some(docker),
            env: Vec::new(),
            closed: false,
        };
        watch.wait_well();
        watch
    }

    /// `vigie watch` in a stack's directory that has its `vigie.toml`.
    pub(crate) fn of(stack: &Stack) -> Self {
        let mut watch = Self::of_paused(stack);
        watch.wait_well();
        watch
    }

    /// The same; nobody waits until all is well.
    pub(crate) fn of_paused(stack: &Stack) -> Self {
        let (directory, docker) = (stack.dir().to_owned(), stack.docker().clone());
        let log = directory.join("watch.log");
        let child = start(&directory, Some(&docker), &log, &[], false);
        let docker = Some(docker);
        Self { child, directory, docker, log, env: Vec::new(), closed: false }
    }

    /// `vigie watch` in a directory that has its `vigie.toml`, without Docker.
    pub(crate) fn beside(directory: &Path) -> Self {
        let log = directory.join("watch.log");
        Self {
            child: start(directory, None, &log, &[], false),
            log,
            directory: directory.to_owned(),
            docker: None,
            env: Vec::new(),
            closed: false,
        }
    }

    /// The same daemon with these variables, started anew.
    pub(crate) fn with_env(mut self, env: &[(&str, &Path)]) -> Self {
        self.kill();
        self.start_with(env);
        self.wait_well();
        self
    }

    /// The same daemon, started anew with a standard output that nobody reads any more.
    pub(crate) fn with_closed_output(mut self) -> Self {
        self.kill();
        self.closed = true;
        self.start_again();
        self.wait_well();
        self
    }

    /// Kills the daemon as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts the daemon again, with other variables.
    pub(crate) fn start_with(&mut self, env: &[(&str, &Path)]) {
        self.env = env.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        self.start_again();
    }

    /// Asks the daemon to end, as a service manager would, and waits until it has; how long that took.
    pub(crate) fn stop(&mut self) -> Duration {
        let began = Instant::now();
        send_signal(self.child.id().try_into().unwrap(), Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success(), "{}", self.log());
        began.elapsed()
    }

    /// Starts the daemon again.
    pub(crate) fn start_again(&mut self) {
        self.child =
            start(&self.directory, self.docker.as_ref(), &self.log, &self.env, self.closed);
    }

    pub(crate) fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What it has printed so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Runs a command of vigie's in its directory.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = vigie();
        if let Some(docker) = &self.docker {
            docker.point(&mut command);
        }
        command.args(arguments).current_dir(&self.directory).output().unwrap()
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!(
                "{arguments:?}: {error}: {}\n{}",
                String::from_utf8_lossy(&output.stderr),
                self.log()
            )
        })
    }

    pub(crate) fn incidents(&self) -> Vec<Value> {
        self.json(&["incident", "list", "--json"]).as_array().unwrap().clone()
    }

    /// Waits until `done` says so of the incidents, newest first.
    pub(crate) fn wait_for(
        &self,
        what: &str,
        limit: u64,
        done: impl Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        let end = Instant::now() + Duration::from_secs(limit);
        loop {
            let incidents = self.incidents();
            if done(&incidents) {
                return incidents;
            }
            assert!(Instant::now() < end, "no {what}: {incidents:#?}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until every service is well.
    pub(crate) fn wait_well(&mut self) {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            assert!(self.lives(), "the watch has ended: {}", self.log());
            let output = self.run(&["status", "--json"]);
            if let Ok(status) = serde_json::from_slice::<Value>(&output.stdout) {
                let services = status["services"].as_array().unwrap();
                if services.iter().all(|service| service["health"] == "healthy") {
                    return;
                }
            }
            assert!(Instant::now() < end, "not well: {}", self.log());
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

fn start(
    directory: &Path,
    docker: Option<&Docker>,
    log: &Path,
    env: &[(String, PathBuf)],
    closed: bool,
) -> Child {
    let mut command = vigie();
    command.envs(env.iter().map(|(key, value)| (key, value)));
    if let Some(docker) = docker {
        docker.point(&mut command);
    }
    let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
    let errors = log.try_clone().unwrap();
    command.arg("watch").current_dir(directory).stderr(errors);
    if closed {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        return child;
    }
    command.stdout(log).spawn().unwrap()
}

/// Puts keys into sections that the written file has already.
fn merged(text: &str, extra: &str) -> String {
    let mut text = text.to_owned();
    let mut section = String::new();
    for line in extra.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with('[') {
            section = format!("{line}\n");
            assert!(text.contains(&section), "the file has no {line}");
        } else {
            text = text.replacen(&section, &format!("{section}{line}\n"), 1);
        }
    }
    text
}

pub(crate) fn millis(text: &Value) -> i64 {
    text.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

pub(crate) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
