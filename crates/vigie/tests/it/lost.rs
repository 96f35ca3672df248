//! A lost host comes back to the last second that its binary log kept, or to the one that is asked for, also
//! when the recovery is killed while it plays the log.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use vigie_testkit::lab::{Lab, Stack, docker_or_skip};

use crate::backup::{fine, json, sql};
use crate::moment::{Row, list, there, until, watched, write, written};
use crate::recover::ended;
use crate::watch::{Watch, now_ms, vigie};

const PASSWORD: &str = "correct-horse-battery";
/// Rows of a table without a key: what is played twice is there twice.
const HITS: usize = 60_000;

/// A stack whose log is kept, with its sites somewhere else.
struct Host {
    stack: Stack,
    watch: Watch,
    sites: tempfile::TempDir,
}

fn host(lab: &Lab, name: &str) -> Host {
    // No dump is made at the hour: what came after the first one is in the log.
    let extra =
        "exclude = [\"image\", \"volume\", \"files\"]\nschedule = { database = \"0 0 1 1 *\" }";
    let (stack, watch) = watched(lab, name, extra);
    sql(&stack, "CREATE TABLE hits (n INT) ENGINE=InnoDB");
    Host { stack, watch, sites: tempfile::tempdir().unwrap() }
}

impl Host {
    /// Waits until the other site has everything until `second`.
    fn reached(&self, second: i64) {
        until("log at the other site", 180, || {
            let logs = list(&self.stack, "binlog", "far");
            let log = logs.first().ok_or_else(|| self.watch.log())?;
            let span = &log["moments"]["database:gmod_construction"];
            let end = span[1].as_str().and_then(|end| end.parse::<jiff::Timestamp>().ok());
            let is_there = end.is_some_and(|end| end.as_second() > second);
            let project = list(&self.stack, "project", "far");
            let is_whole = is_there && !project.is_empty();
            if is_whole { Ok(()) } else { Err(format!("{logs:#?} {project:#?}")) }
        });
    }

    /// Without what this host kept of it, a moment is brought back from the site alone, and the log is proved.
    fn comes_from_the_site(&mut self, moment: i64, rows: &[Row]) {
        self.watch.kill();
        let drill = json(&self.stack, &["backup", "drill", "binlog", "--json"]);
        let proved = drill["binlog:mysql"]["proved"].to_string();
        assert!(proved.contains("every event has its checksum, no gap"), "{drill:#}");
        let state = self.stack.dir().join(".vigie/backup");
        for name in ["binlog", "binlog-kept", "manifests"] {
            std::fs::remove_dir_all(state.join(name)).unwrap();
        }
        let wanted = format!("database@{}", written(moment));
        let beside = self.sites.path().join("beside");
        let to = beside.to_str().unwrap();
        fine(&self.stack, &["backup", "restore", &wanted, "--site", "far", "--to", to]);
        assert!(beside.join("dump.sql").exists() && beside.join("log.binlog").exists());
        let asked = ["backup", "restore", &wanted, "--in-place", "--dry-run", "--site", "far"];
        let planned = fine(&self.stack, &asked);
        assert!(planned.contains("transactions, the last of them"), "{planned}");
        assert_eq!(there(&self.stack).len(), rows.len(), "nothing was touched");
    }

    /// The host is gone; the site is left.
    fn lose(&mut self) -> PathBuf {
        let far = self.sites.path().join("far");
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(self.stack.dir().join("sites/far")).arg(&far);
        assert!(copy.status().unwrap().success());
        self.gone();
        far
    }

    fn gone(&self) {
        self.stack.down().unwrap();
        std::fs::remove_dir_all(self.stack.dir()).unwrap();
    }

    fn recover(&self, from: &Path, more: &[&str]) -> Command {
        let mut command = vigie();
        self.stack.docker().point(&mut command);
        command.env("VIGIE_BACKUP_PASSWORD", PASSWORD).current_dir(self.sites.path());
        command.arg("recover").arg("--from").arg(from).arg("--to").arg(self.stack.dir());
        command.args(["--yes"]).args(more);
        command
    }
}

fn hits(stack: &Stack) -> usize {
    sql(stack, "SELECT COUNT(*) FROM hits").trim().parse().unwrap()
}

#[test]
fn a_lost_host_comes_back_to_its_last_second_and_to_any_other() {
    let Some(lab) = docker_or_skip("a lost host back to its last second") else { return };
    let mut host = host(&lab, "it-lost");
    let mut rows: Vec<Row> = Vec::new();
    write(&host.stack, &mut rows, Duration::from_secs(3));
    let many = format!("INSERT INTO hits SELECT seq FROM seq_1_to_{HITS}");
    sql(&host.stack, &many);
    std::thread::sleep(Duration::from_millis(1_100));
    let moment = now_ms().div_euclid(1_000);
    std::thread::sleep(Duration::from_millis(1_000));
    write(&host.stack, &mut rows, Duration::from_secs(3));
    let last = now_ms().div_euclid(1_000);
    host.reached(last);
    host.comes_from_the_site(moment, &rows);
    let far = host.lose();

    // To the last second; killed while it plays the log, it plays nothing twice.
    killed_while_playing(&mut host.recover(&far, &[]), host.sites.path());
    // Somebody starts the game by hand meanwhile: nothing is played under it.
    host.stack.up().unwrap();
    let (code, text) = ended(host.recover(&far, &[]));
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("gmod runs") && text.contains("docker compose stop gmod"), "{text}");
    host.stack.docker().text(["stop", &host.stack.spec.game_container]).unwrap();
    let (code, text) = ended(host.recover(&far, &["--json"]));
    assert_eq!(code, Some(0), "{text}");
    let told: Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
    assert_eq!(told["resumed"], 1, "{told:#}");
    assert_eq!(there(&host.stack).len(), rows.len(), "every row that was acknowledged");
    assert_eq!(hits(&host.stack), HITS, "each once");
    let assets = told["assets"].as_array().unwrap();
    let database = assets.iter().find(|one| one["asset"] == "database:gmod_construction").unwrap();
    let at = database["at"].as_i64().unwrap();
    assert!(at >= last * 1_000, "the RPO is that of the log: {told:#}");
    assert!(assets.iter().all(|one| one["asset"] != "binlog:mysql"), "{told:#}");
    let says = told["steps"].to_string();
    assert!(says.contains("transactions of its log, the last of"), "{says}");
    assert!(!host.stack.dir().join(".vigie/recover/stage").exists(), "no leftovers");
    // The watch begins a new chain where the server's own log stands now.
    let wish = host.stack.dir().join(".vigie/backup/binlog-mysql.begin");
    let wish: Value = serde_json::from_slice(&std::fs::read(wish).unwrap()).unwrap();
    assert!(wish["at"]["file"].as_str().unwrap().starts_with("binlog."), "{wish}");

    // To a second between two dumps.
    host.gone();
    let wanted = written(moment);
    let (code, text) = ended(host.recover(&far, &["--at", &wanted]));
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("comes back as of"), "{text}");
    let found = there(&host.stack);
    for row in &rows {
        let is_there = found.contains(&row.id);
        assert!(row.acked >= moment * 1_000 || is_there, "{row:?} before {moment}: {found:?}");
        assert!(row.begun < moment * 1_000 || !is_there, "{row:?} after {moment}: {found:?}");
    }
    assert!(!found.is_empty() && found.len() < rows.len(), "{found:?} of {rows:?}");
    assert_eq!(hits(&host.stack), HITS);

    // The dump alone was made before all of it.
    host.gone();
    let (code, text) = ended(host.recover(&far, &["--dump-only"]));
    assert_eq!(code, Some(0), "{text}");
    assert!(there(&host.stack).is_empty(), "{text}");
}

/// Kills a recovery with -9 while it plays the log.
fn killed_while_playing(command: &mut Command, beside: &Path) {
    let path = beside.join("killed.log");
    let log = std::fs::File::create(&path).unwrap();
    let mut child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(180);
    let read = || std::fs::read_to_string(&path).unwrap();
    let plays = |text: &str| {
        text.lines().any(|line| line.starts_with("  play ") && line.ends_with(" transactions"))
    };
    while !plays(&read()) {
        assert!(child.try_wait().unwrap().is_none(), "it was over: {}", read());
        assert!(Instant::now() < end, "never played: {}", read());
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(Duration::from_millis(60));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!read().contains("answers as players see it"), "{}", read());
}
