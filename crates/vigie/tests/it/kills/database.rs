//! The database's server, the command or its worker killed in the middle of a dump and of a restore: what
//! was kept comes back, and a database that is half restored is said to be, with the way back.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use vigie_backup::Repository;
use vigie_testkit::lab::{facts_or_skip, free_port, run};

use super::{Begun, PASSWORD, moment};
use crate::watch::vigie;

const WORD: &str = "a 'pass' word";
const ROWS: u64 = 40_000;

/// A server of the test's own, and the stack that it is.
struct Town {
    at: tempfile::TempDir,
    program: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Town {
    fn start(program: PathBuf) -> Self {
        let at = tempfile::tempdir().unwrap();
        let mut install = Command::new("mariadb-install-db");
        install.args(["--no-defaults", "--user=root", "--skip-test-db"]);
        install.arg("--auth-root-authentication-method=normal").args(Self::small());
        // One that starts removes the temporary tables that are there, those of others too.
        install.env("TMPDIR", at.path());
        run::quiet(install.arg(format!("--datadir={}", at.path().join("data").display()))).unwrap();
        let mut town = Self { at, program, port: free_port().unwrap(), child: None };
        town.begin();
        town.say(&format!(
            "CREATE USER game@'127.0.0.1' IDENTIFIED BY '{}'; GRANT ALL ON *.* TO game@'127.0.0.1'; \
             CREATE DATABASE town",
            WORD.replace('\'', "''")
        ));
        std::fs::write(town.at.path().join("word"), WORD).unwrap();
        let text = format!(
            "[stack]\nname = \"killed\"\nruntime = \"process\"\n[service.db]\nrole = \"database\"\n\
             command = [\"true\"]\ndatabase = {{ address = \"127.0.0.1:{}\", user = \"game\", password = {{ \
             file = \"word\" }}, schema = \"town\" }}\n[backup]\npassword = {{ env = \"BACKUP_PASSWORD\" }}\n\
             binlog = false\n[backup.site.near]\nlocal = \"near\"\n",
            town.port
        );
        std::fs::write(town.at.path().join("vigie.toml"), text).unwrap();
        town
    }

    fn small() -> [&'static str; 3] {
        ["--innodb-log-file-size=16M", "--innodb-buffer-pool-size=32M", "--key-buffer-size=1M"]
    }

    fn socket(&self) -> PathBuf {
        self.at.path().join("s")
    }

    fn begin(&mut self) {
        let at = self.at.path();
        let mut command = Command::new(&self.program);
        command.args(["--no-defaults", "--user=root", "--skip-name-resolve"]).args(Self::small());
        command.arg(format!("--datadir={}", at.join("data").display())).env("TMPDIR", at);
        command.arg(format!("--socket={}", self.socket().display()));
        command.arg(format!("--pid-file={}", at.join("pid").display()));
        command.arg(format!("--port={}", self.port)).arg("--bind-address=127.0.0.1");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        let until = Instant::now() + Duration::from_secs(60);
        while self.asked("SELECT 1").is_none() {
            assert!(Instant::now() < until, "the server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn asked(&self, sql: &str) -> Option<String> {
        let mut command = Command::new("mariadb");
        command.args(["--no-defaults", "--user=root", "--batch", "--skip-column-names"]);
        command.arg(format!("--socket={}", self.socket().display())).args(["--execute", sql]);
        run::text(&mut command).ok()
    }

    fn say(&self, sql: &str) -> String {
        self.asked(sql).unwrap_or_else(|| panic!("the server refuses: {sql}"))
    }

    /// Every row says the version.
    fn write(&self, version: u64) {
        self.say(&format!(
            "CREATE TABLE IF NOT EXISTS town.words (id INT PRIMARY KEY, version INT, word VARCHAR(120)); \
             REPLACE INTO town.words SELECT seq, {version}, SHA2(seq * 7 + {version}, 384) \
             FROM town.seq_1_to_{ROWS}"
        ));
    }

    /// The version that the database has, when all of it is there and nobody is at it any more.
    fn whole(&self) -> Option<u64> {
        let sql = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'game'";
        let until = Instant::now() + Duration::from_secs(60);
        while self.say(sql) != "0" {
            assert!(Instant::now() < until, "somebody is still logged in");
            std::thread::sleep(Duration::from_millis(20));
        }
        let told = self.asked("SELECT COUNT(*), MIN(version), MAX(version) FROM town.words")?;
        let parts: Vec<u64> = told.split('\t').filter_map(|part| part.parse().ok()).collect();
        let [count, least, most] = parts[..] else { return None };
        (count == ROWS && least == most).then_some(least)
    }

    fn command(&self) -> Command {
        let mut command = vigie();
        command.env("BACKUP_PASSWORD", PASSWORD).current_dir(self.at.path());
        command
    }

    fn fine(&self, words: &[&str]) -> String {
        let output = self.command().args(words).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success() && !text.contains("pass' word"), "{words:?}: {text}");
        text
    }

    fn state(&self) -> serde_json::Value {
        let text = std::fs::read(self.at.path().join(".vigie/backup/state.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        self.kill();
    }
}

const ASSET: &str = "database:town";

#[test]
fn a_dump_and_a_restore_that_are_killed_lose_nothing() {
    let what = "a database killed during its dump and its restore";
    let Some(program) = facts_or_skip("mariadbd", what, |facts| facts.mariadbd) else { return };
    let mut town = Town::start(program);
    town.write(1);
    town.fine(&["backup", "init"]);
    let (mut dump, mut restore) = (Duration::ZERO, Duration::ZERO);
    for took in [&mut dump, &mut restore] {
        let began = Instant::now();
        town.fine(&["backup", "run", ASSET]);
        *took = began.elapsed();
    }
    let began = Instant::now();
    town.fine(&["backup", "restore", ASSET, "--in-place", "--yes"]);
    restore = restore.max(began.elapsed());
    let near = Repository::open(&town.at.path().join("near"), PASSWORD).unwrap();
    let mut half = 0;
    for round in 0..2 {
        for fault in ["command", "worker", "server"] {
            let version = 10 + u64::from(round) * 3;
            town.write(version);
            killed(&mut town, &["backup", "run", ASSET], fault, moment(round, dump));
            assert_eq!(town.whole(), Some(version), "a dump changes nothing");
            town.fine(&["backup", "run", ASSET]);
            town.write(version + 1);
            let words = ["backup", "restore", ASSET, "--in-place", "--yes"];
            killed(&mut town, &words, fault, moment(round, restore));
            let state = town.state();
            let said = state["half"][ASSET].as_str().map(str::to_owned);
            match said {
                None => {
                    let found = town.whole();
                    let known = [Some(version), Some(version + 1)];
                    assert!(known.contains(&found), "{fault}: {found:?} {state:#}");
                }
                // It is said, with what was there before.
                Some(before) => {
                    half += 1;
                    town.whole();
                    town.fine(&["backup", "restore", &before, "--in-place", "--yes"]);
                    assert_eq!(town.whole(), Some(version + 1), "{fault}: the way back");
                    assert_eq!(town.state()["half"], serde_json::json!({}));
                }
            }
            assert!(near.verify(100).unwrap().is_sound());
        }
    }
    eprintln!("half restored and brought back: {half}");
    town.fine(&["backup", "run"]);
    town.fine(&["backup", "prune"]);
    town.fine(&["backup", "verify"]);
    super::nothing_is_left(town.at.path());
}

fn killed(town: &mut Town, words: &[&str], fault: &str, after: Duration) {
    let directory: &Path = town.at.path();
    let mut begun = Begun::with(town.command(), directory, words);
    begun.wait_until(after);
    match fault {
        "command" => drop(begun.kill()),
        "worker" => drop(begun.kill_worker()),
        _ => {
            town.kill();
            let (code, text) = begun.end();
            assert!(matches!(code, Some(0 | 1 | 4)), "{code:?}: {text}");
            town.begin();
        }
    }
}
