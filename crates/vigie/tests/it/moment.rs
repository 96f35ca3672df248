//! A database brought to a moment between two dumps, on a real engine: the watch keeps its binary log,
//! is killed in the middle, and the log has a gap.

use std::time::{Duration, Instant};

use serde_json::Value;
use vigie_testkit::lab::{Lab, Stack, docker_or_skip};

use crate::backup::{begun_from, fine, run, sql};
use crate::survival::ready;
use crate::watch::{Watch, now_ms};

/// Only the database is backed up.
const EXTRA: &str = "exclude = [\"image\", \"volume\", \"files\", \"project\"]";

/// A row: when it was asked for, and when it was acknowledged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) id: usize,
    pub(crate) begun: i64,
    pub(crate) acked: i64,
}

/// Says a statement as the database's administrator.
fn root(stack: &Stack, sql: &str) -> String {
    let dotenv = std::fs::read_to_string(stack.dir().join(".env")).unwrap();
    let key = "MYSQL_ROOT_PASSWORD=";
    let password = dotenv.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    let word = format!("MYSQL_PWD={password}");
    let database = &stack.spec.database_container;
    let arguments = ["exec", "-e", &word, database, "mysql", "-uroot", "-N", "-e", sql];
    stack.docker().text(arguments).unwrap()
}

/// The stack with a log and a first dump, and the watch on it.
pub(crate) fn watched(lab: &Lab, name: &str, extra: &str) -> (Stack, Watch) {
    let stack = begun_from(lab, lab.stack(name).unwrap().binlog(), extra);
    let rights = "REPLICATION SLAVE, BINLOG MONITOR, BINLOG REPLAY, RELOAD";
    root(&stack, &format!("GRANT {rights} ON *.* TO 'gmod'@'%'"));
    sql(&stack, "CREATE TABLE written (id INT PRIMARY KEY) ENGINE=InnoDB");
    let password = stack.dir().join("password");
    std::fs::write(&password, "correct-horse-battery").unwrap();
    let file = stack.dir().join("vigie.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("{ env = \"BACKUP_PASSWORD\" }", "{ file = \"password\" }"))
        .unwrap();
    fine(&stack, &["backup", "init"]);
    let watch = Watch::of(&stack);
    until("a dump and a log", 120, || {
        let dump = list(&stack, "database", "near").iter().any(|one| one["binlog"].is_string());
        let log = stack.dir().join(".vigie/backup/binlog/mysql/covered.state");
        let said = || run(&stack, &["backup", "list"]).1 + &watch.log();
        if dump && log.exists() { Ok(()) } else { Err(said()) }
    });
    (stack, watch)
}

pub(crate) fn list(stack: &Stack, asset: &str, site: &str) -> Vec<Value> {
    let (_, text) = run(stack, &["backup", "list", asset, "--site", site, "--json"]);
    serde_json::from_str(&text).unwrap_or_default()
}

/// Waits until `done` is so; what it says otherwise is shown when it never is.
pub(crate) fn until<T>(what: &str, limit: u64, mut done: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + Duration::from_secs(limit);
    loop {
        match done() {
            Ok(done) => return done,
            Err(why) => assert!(Instant::now() < end, "no {what}: {why}"),
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Writes a row after the other for a while.
pub(crate) fn write(stack: &Stack, rows: &mut Vec<Row>, time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        let id = rows.len() + 1;
        let begun = now_ms();
        sql(stack, &format!("INSERT INTO written VALUES ({id})"));
        rows.push(Row { id, begun, acked: now_ms() });
    }
}

pub(crate) fn there(stack: &Stack) -> Vec<usize> {
    let text = sql(stack, "SELECT id FROM written ORDER BY id");
    text.lines().map(|line| line.trim().parse().unwrap()).collect()
}

/// A second as it is written behind an `@`.
pub(crate) fn written(second: i64) -> String {
    let at = jiff::Timestamp::from_second(second).unwrap().to_zoned(jiff::tz::TimeZone::system());
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[test]
fn every_acknowledged_row_before_the_moment_is_there_and_none_after() {
    let Some(lab) = docker_or_skip("a database back at a moment") else { return };
    let (stack, mut watch) = watched(&lab, "it-moment", EXTRA);
    let mut rows = Vec::new();
    write(&stack, &mut rows, Duration::from_secs(3));
    watch.kill();
    write(&stack, &mut rows, Duration::from_secs(2));
    watch.start_again();
    write(&stack, &mut rows, Duration::from_secs(2));
    let moment = now_ms().div_euclid(1_000);
    write(&stack, &mut rows, Duration::from_secs(3));
    let wanted = format!("database@{}", written(moment));

    // What was sealed reaches the other site, and it is said until when a moment is possible.
    let span = until("log at the other site", 180, || {
        let logs = list(&stack, "binlog", "far");
        let log = logs.first().ok_or_else(|| watch.log())?;
        let span = log["moments"]["database:gmod_construction"].clone();
        let end = span[1].as_str().and_then(|end| end.parse::<jiff::Timestamp>().ok());
        let reached = end.is_some_and(|end| end.as_second() > moment);
        if reached && logs.len() == 1 { Ok(span) } else { Err(format!("{logs:#?}")) }
    });
    assert!(span[0].is_string(), "{span}");
    let text = fine(&stack, &["backup", "list", "database"]);
    assert!(text.contains("can go to any second from"), "{text}");

    // When the server began the file, which tells two files of one name apart.
    let kept = std::fs::read_dir(stack.dir().join(".vigie/backup/binlog-kept/mysql")).unwrap();
    let pieces = kept
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"));
    for piece in pieces {
        let text = std::fs::read_to_string(&piece).unwrap();
        let piece: Value = serde_json::from_str(&text).unwrap();
        assert!(piece["begun"].as_i64() <= piece["first_time"].as_i64(), "{piece}");
        assert!(piece["begun"].is_i64(), "{piece}");
    }

    // Asked, and beside: nothing is changed.
    let planned = fine(&stack, &["backup", "restore", &wanted, "--in-place", "--dry-run"]);
    assert!(planned.contains("transactions, the last of them"), "{planned}");
    let beside = stack.dir().join("beside");
    let to = beside.to_str().unwrap();
    let text = fine(&stack, &["backup", "restore", &wanted, "--to", to, "--site", "far"]);
    assert!(text.contains("mariadb-binlog"), "{text}");
    assert!(beside.join("dump.sql").exists() && beside.join("log.binlog").exists());
    let (code, text) = run(&stack, &["backup", "restore", &wanted, "--in-place"]);
    assert_eq!((code, there(&stack).len()), (Some(4), rows.len()), "{text}");

    let text = fine(&stack, &["backup", "restore", &wanted, "--in-place", "--yes"]);
    let found = there(&stack);
    let (mut kept, mut gone) = (0, 0);
    for row in &rows {
        let is_there = found.contains(&row.id);
        if row.acked < moment * 1_000 {
            assert!(is_there, "{row:?} was acknowledged before {moment}: {found:?}");
            kept += 1;
        }
        if row.begun >= moment * 1_000 {
            assert!(!is_there, "{row:?} was asked for after {moment}: {found:?}");
            gone += 1;
        }
    }
    assert!(kept > 0 && gone > 0, "{rows:?}");
    ready(&stack);

    // A new chain begins with the new dump, and moments behind it are possible.
    until("new chain", 60, || {
        let breaks = stack.dir().join(".vigie/backup/binlog/mysql/breaks.state");
        let text = std::fs::read_to_string(breaks).unwrap_or_default();
        if text.contains("brought back") { Ok(()) } else { Err(watch.log()) }
    });
    sql(&stack, "INSERT INTO written VALUES (1000000)");
    std::thread::sleep(Duration::from_millis(1_500));
    let later = format!("database@{}", written(now_ms().div_euclid(1_000)));
    until("moment in the new chain", 60, || {
        let (code, text) = run(&stack, &["backup", "restore", &later, "--in-place", "--dry-run"]);
        if code == Some(0) { Ok(()) } else { Err(text + &watch.log()) }
    });
    // What was there before it was brought back is not lost.
    let undo = text.lines().find_map(|line| line.strip_prefix("to undo it: vigie ")).unwrap();
    let undo: Vec<&str> = undo.split(' ').chain(["--yes"]).collect();
    fine(&stack, &undo);
    assert_eq!(there(&stack).len(), rows.len());
    a_log_that_does_not_fit_changes_nothing(&stack, &watch);
    assert!(watch.lives());
}

/// What the log writes to was made behind its back, so that it cannot be played.
fn a_log_that_does_not_fit_changes_nothing(stack: &Stack, watch: &Watch) {
    let schema = "gmod_construction";
    fine(stack, &["backup", "run", "database"]);
    root(
        stack,
        &format!(
            "USE {schema}; SET sql_log_bin = 0; CREATE TABLE hidden (id INT PRIMARY KEY); \
             SET sql_log_bin = 1; INSERT INTO hidden VALUES (7)"
        ),
    );
    let rows = there(stack);
    std::thread::sleep(Duration::from_millis(1_500));
    let wanted = format!("database@{}", written(now_ms().div_euclid(1_000)));
    until("moment with what does not fit", 60, || {
        let (code, text) = run(stack, &["backup", "restore", &wanted, "--in-place", "--dry-run"]);
        let fits = code == Some(0) && !text.contains(" 0 transactions");
        if fits { Ok(()) } else { Err(text + &watch.log()) }
    });
    let (code, text) = run(stack, &["backup", "restore", &wanted, "--in-place", "--yes"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("hidden"), "{text}");
    assert!(text.contains("the database is again what it was"), "{text}");
    assert_eq!(there(stack), rows);
    assert_eq!(sql(stack, "SELECT id FROM hidden").trim(), "7");
    ready(stack);
    let (_, text) = run(stack, &["backup", "list"]);
    assert!(!text.contains("half"), "{text}");
}

#[test]
fn a_gap_is_said_and_nothing_is_played_across_it() {
    let Some(lab) = docker_or_skip("a gap in the binary log") else { return };
    let (stack, mut watch) = watched(&lab, "it-gap", EXTRA);
    let mut rows = Vec::new();
    write(&stack, &mut rows, Duration::from_secs(2));
    std::thread::sleep(Duration::from_secs(3));
    watch.kill();
    // A log that is read is not purged, and the server may not know yet that its reader is gone.
    until("end of the stream at the server", 60, || {
        let sql =
            "SELECT COUNT(*) FROM information_schema.processlist WHERE command LIKE 'Binlog%'";
        let readers = root(&stack, sql);
        if readers.trim() == "0" { Ok(()) } else { Err(readers) }
    });
    // The server throws away what was not read.
    write(&stack, &mut rows, Duration::from_secs(2));
    let lost = now_ms().div_euclid(1_000);
    write(&stack, &mut rows, Duration::from_secs(2));
    root(&stack, "FLUSH BINARY LOGS; FLUSH BINARY LOGS");
    let last = root(&stack, "SHOW MASTER STATUS");
    let last = last.split_whitespace().next().unwrap().to_owned();
    // A file that a crash would still need is left for a while, and only a warning says so.
    until("purged log", 60, || {
        let left = root(&stack, &format!("PURGE BINARY LOGS TO '{last}'; SHOW BINARY LOGS"));
        if left.starts_with(&last) { Ok(()) } else { Err(left) }
    });
    watch.start_again();
    let is_gap = |one: &Value| {
        let title = one["title"].as_str().unwrap_or_default();
        title.contains("binlog:mysql") && title.contains("there is a gap in the log")
    };
    watch.wait_for("incident about the gap", 90, |all| all.iter().any(is_gap));
    // A new dump is made for the new chain, and the moment in between is refused with what is possible.
    let wanted = format!("database@{}", written(lost));
    let said = until("refusal with both sides of the gap", 90, || {
        let (code, text) = run(&stack, &["backup", "restore", &wanted, "--in-place", "--yes"]);
        assert_eq!(code, Some(4), "{text}");
        if text.contains("after it") { Ok(text) } else { Err(text) }
    });
    assert!(said.contains("there is a gap in the log after binlog."), "{said}");
    assert!(said.contains("--dump-only"), "{said}");
    assert_eq!(there(&stack).len(), rows.len(), "nothing was touched");
    let beside = stack.dir().join("beside");
    let to = beside.to_str().unwrap();
    fine(&stack, &["backup", "restore", &wanted, "--dump-only", "--to", to]);
    assert!(beside.join("dump.sql").exists());
    // With a dump behind the gap, it is over.
    watch.wait_for("recovery", 180, |all| {
        all.iter().any(|one| is_gap(one) && one["restored"].is_string())
    });
}
