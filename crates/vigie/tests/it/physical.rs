//! A copy of a database server's own files: kept while somebody writes, brought back in the place of what
//! was there and beside it, proved on a server of its own, and played on to a second.

use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use serde_json::Value;
use vigie_backup::Repository;
use vigie_testkit::lab::{Lab, Stack, docker_or_skip, is_alive};

use crate::backup::{begun_from, fine, json, run, sql};
use crate::watch::Watch;

const PASSWORD: &str = "correct-horse-battery";
const RIGHTS: &str = "RELOAD, PROCESS, LOCK TABLES, REPLICATION CLIENT, REPLICATION SLAVE, BINLOG MONITOR, \
    BINLOG REPLAY";

/// Says a statement as the database's administrator.
fn root(stack: &Stack, sql: &str) -> String {
    let word = format!("MYSQL_PWD={}", stack.secrets.database_root);
    let database = &stack.spec.database_container;
    let arguments = ["exec", "-e", &word, database, "mysql", "-uroot", "-N", "-e", sql];
    stack.docker().text(arguments).unwrap()
}

/// The reference stack whose database is copied, not dumped.
fn copied(lab: &Lab, name: &str, extra: &str) -> Stack {
    let stack = begun_from(lab, lab.stack(name).unwrap().binlog(), extra);
    let file = stack.dir().join("vigie.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let schema = "schema = \"gmod_construction\"";
    assert_eq!(text.matches(schema).count(), 1, "{text}");
    std::fs::write(&file, text.replace(schema, &format!("{schema}, method = \"physical\"")))
        .unwrap();
    stack
}

fn name_of(stack: &Stack) -> String {
    sql(stack, "SELECT name FROM shared_blueprints WHERE id = 1").trim().to_owned()
}

fn set(stack: &Stack, name: &str) {
    sql(stack, &format!("UPDATE shared_blueprints SET name = '{name}' WHERE id = 1"));
}

/// Whose scratch containers are left, by the processes that made them: those that live are of other tests.
pub(crate) fn scratch_left(stack: &Stack) -> Vec<i32> {
    let format = "{{.Label \"vigie.scratch\"}}";
    let arguments = ["ps", "-a", "--filter", "label=vigie.scratch", "--format", format];
    let owners = stack.docker().text(arguments).unwrap();
    owners
        .lines()
        .filter_map(|owner| owner.parse().ok())
        .filter(|owner| !is_alive(*owner))
        .collect()
}

/// Nothing of a restore or a drill is left.
fn nothing_is_left(stack: &Stack) {
    assert_eq!(scratch_left(stack), Vec::<i32>::new());
    assert!(!stack.dir().join(".mysql-data.vigie-new").exists());
    let state = std::fs::read(stack.dir().join(".vigie/backup/state.json")).unwrap();
    let state: Value = serde_json::from_slice(&state).unwrap();
    assert_eq!(state["half"], serde_json::json!({}), "{state:#}");
    assert_eq!(state["stopped"], serde_json::json!([]), "{state:#}");
}

#[test]
fn a_server_is_copied_while_it_runs_and_comes_back() {
    let Some(lab) = docker_or_skip("a physical copy of a database") else { return };
    let extra = "exclude = [\"image\", \"volume\", \"files\", \"project\"]";
    let stack = copied(&lab, "it-physical", extra);
    fine(&stack, &["backup", "init"]);
    // An account that may not: nothing is kept, and it is said what is missing.
    let (code, text) = run(&stack, &["backup", "run", "database"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("GRANT RELOAD, PROCESS"), "{text}");
    let near = Repository::open(&stack.dir().join("sites/near"), PASSWORD).unwrap();
    assert_eq!(near.snapshots().unwrap(), [], "no snapshot of half a copy");

    root(&stack, &format!("GRANT {RIGHTS} ON *.* TO 'gmod'@'%'"));
    set(&stack, "first");
    root(
        &stack,
        "CREATE DATABASE other; CREATE TABLE other.words (word TEXT); INSERT INTO other.words VALUES ('one')",
    );
    fine(&stack, &["backup", "run", "database"]);
    let shown = json(&stack, &["backup", "show", "database", "--json"]);
    assert!(
        shown["physical"]["tool"].as_str().unwrap().starts_with("mariadb-backup "),
        "{shown:#}"
    );
    assert_eq!(shown["physical"]["exact"], true, "{shown:#}");
    let rows = shown["tables"]["gmod_construction.shared_blueprints"].as_u64().unwrap();
    assert!(rows > 0 && shown["binlog"].is_string(), "{shown:#}");

    // Proved on a server of its own.
    let drills = json(&stack, &["backup", "drill", "database", "--json"]);
    let drill = &drills["database:gmod_construction"];
    let proved = drill["proved"][0].as_str().unwrap_or_else(|| panic!("{drill:#}"));
    assert!(proved.contains("counts are those of the backup, all read whole"), "{proved}");
    nothing_is_left(&stack);

    // In the place of what is there, with everything of the server.
    set(&stack, "second");
    root(&stack, "INSERT INTO other.words VALUES ('two')");
    let data = stack.dir().join("mysql-data");
    let owner = |at: &str| {
        let seen = std::fs::metadata(data.join(at)).unwrap();
        (seen.uid(), seen.gid())
    };
    let before = (owner("."), owner("ibdata1"));
    let text = fine(&stack, &["backup", "restore", "database", "--in-place", "--yes"]);
    assert_eq!(name_of(&stack), "first");
    assert_eq!(root(&stack, "SELECT COUNT(*) FROM other.words").trim(), "1", "everything else too");
    assert_eq!((owner("."), owner("ibdata1")), before);
    // The server has another history from now on, and the watch is asked for a new chain of its log.
    let wish = std::fs::read(stack.dir().join(".vigie/backup/binlog-mysql.begin")).unwrap();
    let wish: Value = serde_json::from_slice(&wish).unwrap();
    assert_eq!(wish, serde_json::json!({ "at": null }));
    stack.wait_for_database(Duration::from_secs(60)).unwrap();
    nothing_is_left(&stack);
    let undo = text.lines().find_map(|line| line.strip_prefix("to undo it: vigie ")).unwrap();
    fine(&stack, &undo.split(' ').chain(["--yes"]).collect::<Vec<_>>());
    assert_eq!(name_of(&stack), "second", "nothing of the present was lost");

    // Beside it, as a server can start with it.
    let beside = stack.dir().join("beside");
    fine(
        &stack,
        &["backup", "restore", "database", "--to", beside.to_str().unwrap(), "--site", "far"],
    );
    let state = std::fs::read_to_string(beside.join("xtrabackup_checkpoints")).unwrap();
    assert!(
        (state.contains("log-applied") || state.contains("full-prepared"))
            && beside.join("ibdata1").exists(),
        "{state}"
    );

    // Dumps and copies of one database live side by side.
    fine(&stack, &["backup", "run", "database"]);
    let file = stack.dir().join("vigie.toml");
    let text_with = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text_with.replace(", method = \"physical\"", "")).unwrap();
    let copy = json(&stack, &["backup", "list", "database", "--json"])[0]["at"].to_string();
    let copy = format!("database@{}", copy.trim_matches('"'));
    set(&stack, "third");
    fine(&stack, &["backup", "run", "database"]);
    fine(&stack, &["backup", "restore", "database", "--in-place", "--yes"]);
    assert_eq!(name_of(&stack), "third");
    // A dump of one schema is no way back from a copy of a whole server.
    let (code, text) = run(&stack, &["backup", "restore", &copy, "--in-place", "--yes"]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("method = \"physical\"") && text.contains("--to DIR"), "{text}");
    assert_eq!(name_of(&stack), "third");
    std::fs::write(&file, text_with).unwrap();
    fine(&stack, &["backup", "restore", &copy, "--in-place", "--yes"]);
    assert_eq!(name_of(&stack), "second");
    nothing_is_left(&stack);
}

#[test]
fn a_copy_under_load_has_what_was_acknowledged_before_it() {
    let Some(lab) = docker_or_skip("a physical copy of a busy database") else { return };
    let extra = "exclude = [\"image\", \"volume\", \"files\", \"project\"]\nbinlog = false";
    let stack = copied(&lab, "it-physical-load", extra);
    root(&stack, &format!("GRANT {RIGHTS} ON *.* TO 'gmod'@'%'"));
    sql(
        &stack,
        "CREATE TABLE written (id INT AUTO_INCREMENT PRIMARY KEY, word TEXT) ENGINE=InnoDB",
    );
    fine(&stack, &["backup", "init"]);
    let done = std::sync::atomic::AtomicBool::new(false);
    let acknowledged = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                sql(&stack, "INSERT INTO written (word) SELECT REPEAT('x', 100) FROM seq_1_to_50");
            }
        });
        std::thread::sleep(Duration::from_secs(1));
        let before: u64 = sql(&stack, "SELECT COUNT(*) FROM written").trim().parse().unwrap();
        fine(&stack, &["backup", "run", "database"]);
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        writer.join().unwrap();
        before
    });
    assert!(acknowledged > 0);
    let shown = json(&stack, &["backup", "show", "database", "--json"]);
    assert_eq!(shown["physical"]["exact"], false, "{shown:#}");
    let drills = json(&stack, &["backup", "drill", "database", "--json"]);
    let proved = drills["database:gmod_construction"]["proved"][0].as_str();
    assert!(
        proved.is_some_and(|proved| proved.contains("their number is not compared")),
        "{drills:#}"
    );
    fine(&stack, &["backup", "restore", "database", "--in-place", "--yes"]);
    let after: u64 = sql(&stack, "SELECT COUNT(*) FROM written").trim().parse().unwrap();
    assert!(
        after >= acknowledged && after.is_multiple_of(50),
        "{after} of {acknowledged}: whole transactions"
    );
    nothing_is_left(&stack);
}

#[test]
fn a_copy_and_the_log_behind_it_bring_back_any_second() {
    let Some(lab) = docker_or_skip("a physical copy and the log behind it") else { return };
    let extra = "exclude = [\"image\", \"volume\", \"files\", \"project\"]";
    let stack = copied(&lab, "it-physical-log", extra);
    // The log is of the whole server, and so is who plays it.
    root(&stack, "GRANT ALL ON *.* TO 'gmod'@'%'");
    let password = stack.dir().join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    let file = stack.dir().join("vigie.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("{ env = \"BACKUP_PASSWORD\" }", "{ file = \"password\" }"))
        .unwrap();
    fine(&stack, &["backup", "init"]);
    let watch = Watch::of(&stack);
    let until = |what: &str, done: &dyn Fn() -> bool| {
        let end = Instant::now() + Duration::from_secs(120);
        while !done() {
            assert!(Instant::now() < end, "no {what}: {}", watch.log());
            std::thread::sleep(Duration::from_millis(500));
        }
    };
    until("copy and log", &|| {
        let (_, text) = run(&stack, &["backup", "list", "database", "--json"]);
        let list: Value = serde_json::from_str(&text).unwrap_or_default();
        list[0]["binlog"].is_string()
            && stack.dir().join(".vigie/backup/binlog/mysql/covered.state").exists()
    });
    std::thread::sleep(Duration::from_secs(2));
    set(&stack, "wanted");
    root(
        &stack,
        "CREATE DATABASE other; CREATE TABLE other.words (word TEXT); INSERT INTO other.words VALUES ('one')",
    );
    let wanted = root(&stack, "SELECT @@gtid_binlog_pos").trim().to_owned();
    set(&stack, "unwanted");
    let at = format!("database@{wanted}");
    until("moment", &|| {
        run(&stack, &["backup", "restore", &at, "--in-place", "--dry-run"]).0 == Some(0)
    });
    fine(&stack, &["backup", "restore", &at, "--in-place", "--yes"]);
    assert_eq!(name_of(&stack), "wanted");
    assert_eq!(
        root(&stack, "SELECT word FROM other.words").trim(),
        "one",
        "what is not the schema's too"
    );
    nothing_is_left(&stack);
}
