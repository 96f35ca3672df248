//! A MariaDB of the benchmark's own: its directory, its port, statements to it, and its end.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use vigie_testkit::lab::{free_port, run};

/// How long a server may take to start.
const START: Duration = Duration::from_secs(120);
/// Who keeps and brings back, over TCP.
pub(super) const USER: &str = "bench";
pub(super) const PASSWORD: &str = "bench-pass";
/// The schema.
pub(super) const SCHEMA: &str = "town";

/// A server; it ends with its owner.
pub(super) struct Server {
    at: PathBuf,
    program: PathBuf,
    /// Where it listens on 127.0.0.1.
    pub(super) port: u16,
    child: Option<Child>,
}

impl Server {
    /// An empty one in `at`, which is made; it does not run yet.
    pub(super) fn make(program: &Path, at: &Path) -> Result<Self> {
        std::fs::create_dir_all(at).with_context(|| format!("cannot make {at:?}"))?;
        let mut install = Command::new("mariadb-install-db");
        install.args(["--no-defaults", "--user=root", "--skip-test-db"]);
        install.arg("--auth-root-authentication-method=normal");
        run::quiet(install.arg(format!("--datadir={}", at.join("data").display())))?;
        Self::over(program, at)
    }

    /// One over the files in `at/data`.
    pub(super) fn over(program: &Path, at: &Path) -> Result<Self> {
        let port = free_port()?;
        Ok(Self { at: at.to_owned(), program: program.to_owned(), port, child: None })
    }

    /// How it is started.
    pub(super) fn words(&self) -> Vec<String> {
        let at = |name: &str| self.at.join(name).display().to_string();
        vec![
            self.program.display().to_string(),
            String::from("--no-defaults"),
            String::from("--user=root"),
            format!("--datadir={}", at("data")),
            format!("--socket={}", at("s")),
            format!("--pid-file={}", at("pid")),
            format!("--port={}", self.port),
            String::from("--bind-address=127.0.0.1"),
            String::from("--skip-name-resolve"),
            String::from("--server-id=7"),
            format!("--log-bin={}", at("data/log-bin")),
            String::from("--binlog-format=ROW"),
            String::from("--innodb-buffer-pool-size=256M"),
            String::from("--innodb-log-file-size=128M"),
        ]
    }

    /// Starts it, and waits until it answers; how long that took.
    pub(super) fn begin(&mut self) -> Result<Duration> {
        let begun = Instant::now();
        let words = self.words();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().with_context(|| format!("cannot start {}", words[0]))?);
        self.answers(begun)
    }

    /// Waits until it answers, whoever started it.
    pub(super) fn answers(&mut self, begun: Instant) -> Result<Duration> {
        while self.say("SELECT 1").is_err() {
            if let Some(child) = &mut self.child {
                ensure!(child.try_wait()?.is_none(), "the server ended by itself");
            }
            ensure!(begun.elapsed() < START, "the server does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(begun.elapsed())
    }

    /// The account that works with it, and the schema, empty.
    pub(super) fn settle(&self) -> Result<()> {
        self.say(&format!(
            "CREATE OR REPLACE USER {USER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON *.* TO \
             {USER}@'127.0.0.1'; DROP DATABASE IF EXISTS {SCHEMA}; CREATE DATABASE {SCHEMA}"
        ))
        .map(drop)
    }

    /// Puts so many MiB into it, half of them incompressible.
    pub(super) fn fill(&self, mib: u32) -> Result<()> {
        // A row is 104 bytes of noise written as text, 90 that say the same, and its head.
        let rows = u64::from(mib) * 1_048_576 / 230;
        self.say(&format!(
            "CREATE TABLE {SCHEMA}.words (id INT PRIMARY KEY, noise VARCHAR(120), word VARCHAR(100)); \
             INSERT INTO {SCHEMA}.words SELECT seq, HEX(RANDOM_BYTES(52)), REPEAT('construct ', 9) \
             FROM {SCHEMA}.seq_1_to_{rows}; CREATE TABLE {SCHEMA}.played (id INT AUTO_INCREMENT PRIMARY KEY, \
             at DATETIME(6), noise CHAR(64))"
        ))
        .map(drop)
    }

    /// Makes one row in a hundred another one.
    pub(super) fn change(&self) -> Result<()> {
        let sql = "UPDATE town.words SET noise = HEX(RANDOM_BYTES(52)) WHERE id % 100 = 7";
        self.say(sql).map(drop)
    }

    /// Rows in it.
    pub(super) fn rows(&self) -> Result<u64> {
        let told = self.say(&format!("SELECT COUNT(*) FROM {SCHEMA}.words"))?;
        told.parse().with_context(|| format!("`{told}` is no number of rows"))
    }

    /// Says statements as its administrator.
    pub(super) fn say(&self, sql: &str) -> Result<String> {
        run::text(self.client().args(["--execute", sql]))
    }

    /// Writes so many transactions of one row, as fast as one connection can; stops early when `stop` says.
    pub(super) fn write(&self, transactions: u32, stop: impl Fn() -> bool) -> Result<()> {
        let mut client = self.client();
        let mut child = client.stdin(Stdio::piped()).spawn().context("no mariadb client")?;
        let mut pipe = child.stdin.take().context("the client has no input")?;
        for number in 0..transactions {
            if number % 16 == 0 && stop() {
                break;
            }
            let sql = "INSERT INTO town.played (at, noise) VALUES (SYSDATE(6), SHA2(RAND(), 256));";
            writeln!(pipe, "{sql}")?;
        }
        drop(pipe);
        ensure!(child.wait()?.success(), "the writer failed");
        Ok(())
    }

    fn client(&self) -> Command {
        let mut command = Command::new("mariadb");
        command.args(["--no-defaults", "--user=root", "--batch", "--skip-column-names"]);
        command.arg(format!("--socket={}", self.at.join("s").display()));
        command
    }

    /// Its files.
    pub(super) fn data(&self) -> PathBuf {
        self.at.join("data")
    }

    /// Ends it at once.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
