//! A database played to a second after a backup, by each program; and how much of what was acknowledged is
//! lost with the server while somebody writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use vigie_testkit::lab::run;

use super::options::Options;
use super::server::{SCHEMA, Server};
use super::tools::{Room, Tool};
use crate::bench::cost::{Cost, measured, shown};
use crate::bench::figures::percentile;

/// How long the watch may take until it has a dump and the log.
const READY: Duration = Duration::from_secs(300);
/// How long somebody writes until everything is lost.
const LOAD: Duration = Duration::from_secs(8);
/// How often that is done.
const LOSSES: u32 = 5;

/// A watch that runs the server, and ends with its owner.
struct Watch(Child);

impl Watch {
    fn start(room: &Room<'_>) -> Result<Self> {
        let log = fs::File::create(room.at.join("watch.log"))?;
        let mut command = room.vigie(["watch"]);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(Self(command.spawn().context("the watch does not start")?))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ends the server that a killed watch left, by its pid file.
struct Orphan(PathBuf);

impl Drop for Orphan {
    fn drop(&mut self) {
        let pid = fs::read_to_string(&self.0).unwrap_or_default();
        if !pid.trim().is_empty() {
            let _ = run::succeeds(Command::new("kill").args(["-9", pid.trim()]));
        }
    }
}

pub(super) fn run(options: &Options, mariadbd: &Path, vigie: &Path, at: &Path) -> Result<()> {
    let room = Room { vigie, at: at.to_owned() };
    let mut server = Server::make(mariadbd, &at.join("server"))?;
    server.begin()?;
    server.settle()?;
    server.fill(options.mib)?;
    // From here on, the watch has it.
    server.kill();
    fs::create_dir_all(room.kept())?;
    room.point(Tool::Dump, &server, &server.words(), true)?;
    run::quiet(&mut room.vigie(["backup", "init"]))?;
    let _orphan = Orphan(at.join("server/pid"));
    let watch = Watch::start(&room)?;
    server.answers(Instant::now())?;
    kept(&room)?;
    for tool in [Tool::Mydumper, Tool::Backup] {
        run::quiet(&mut room.keep(tool, &server, 1)).map(drop)?;
        let (from, to) = (room.kept().join("turn-1"), at.join(format!("{tool:?}")));
        fs::rename(from, to)?;
    }
    let begun = Instant::now();
    server.write(options.transactions, || false)?;
    println!(
        "\n{} transactions, written in {:.1} s",
        options.transactions,
        begun.elapsed().as_secs_f64()
    );
    let committed = server.say("SELECT @@gtid_binlog_pos")?;
    let committed = format!("database@{}", committed.trim());
    let asked = ["backup", "restore", &committed, "--in-place", "--dry-run"];
    until(&room, "the log up to the last transaction", || said(&mut room.vigie(asked)))?;
    let rows = |server: &Server| server.say(&format!("SELECT COUNT(*) FROM {SCHEMA}.played"));
    let wanted = rows(&server)?;
    println!("\nBack to the last transaction; wall s / CPU s / memory MiB\n");
    println!("| | backup and log |\n| --- | --- |");
    for tool in [Tool::Mydumper, Tool::Backup] {
        let (cost, other) = played(tool, &room, &server, mariadbd)?;
        ensure!(rows(&other)? == wanted, "{} did not play everything", tool.name());
        println!("| {}, mariadb-binlog | {} |", tool.name(), shown(&[cost]));
    }
    let words = ["backup", "restore", &committed, "--in-place", "--yes"];
    let cost = measured(&mut room.vigie(words))?;
    ensure!(rows(&server)? == wanted, "vigie did not play everything");
    println!("| vigie, with a dump of what was there before and one after | {} |", shown(&[cost]));
    lost(&room, &server, watch)
}

/// Waits until the watch has a dump and the log behind it.
fn kept(room: &Room<'_>) -> Result<()> {
    until(room, "a dump and the log behind it", || {
        let list = run::text(&mut room.vigie(["backup", "list", "database", "--json"]))?;
        let log = room.at.join(".vigie/backup/binlog/db/covered.state");
        ensure!(list.contains("\"binlog\": \"") && log.is_file(), "not yet");
        Ok(())
    })
}

/// Whether a command succeeds, and what it says when it does not.
fn said(command: &mut Command) -> Result<()> {
    let output = run::output(command)?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}", said.trim());
    Ok(())
}

/// Waits until the watch has what it shall have.
fn until(room: &Room<'_>, what: &str, done: impl Fn() -> Result<()>) -> Result<()> {
    let end = Instant::now() + READY;
    loop {
        let Err(why) = done() else { return Ok(()) };
        if Instant::now() > end {
            let log = fs::read_to_string(room.at.join("watch.log")).unwrap_or_default();
            let last: Vec<_> = log.lines().rev().take(3).collect();
            bail!("the watch does not have {what}: {why}; it said: {}", last.join(" / "));
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Brings a backup back on a server of its own, and plays the log behind it.
fn played(tool: Tool, room: &Room<'_>, source: &Server, mariadbd: &Path) -> Result<(Cost, Server)> {
    let at = room.at.join(format!("{tool:?}-back"));
    let kept = room.kept().join("turn-1");
    let backup = room.at.join(format!("{tool:?}"));
    fs::rename(&backup, &kept)?;
    let (mut server, mut cost);
    let place;
    if tool.is_physical() {
        fs::create_dir_all(&at)?;
        server = Server::over(mariadbd, &at)?;
        cost = measured(&mut room.restore(tool, &server, 1, &at.join("data")))?;
        cost.wall += server.begin()?.as_secs_f64();
        place = position(&fs::read_to_string(at.join("data/xtrabackup_binlog_info"))?)?;
    } else {
        server = Server::make(mariadbd, &at)?;
        server.begin()?;
        server.settle()?;
        cost = measured(&mut room.restore(tool, &server, 1, &at))?;
        place = position(&fs::read_to_string(kept.join("metadata"))?)?;
    }
    let (file, offset) = place;
    let mut logs: Vec<PathBuf> =
        fs::read_dir(source.data())?.flatten().map(|one| one.path()).collect();
    let first = source.data().join(&file);
    let is_log = |path: &PathBuf| {
        path.extension().is_some_and(|end| end.to_string_lossy().parse::<u32>().is_ok())
    };
    logs.retain(|path| is_log(path) && *path >= first);
    logs.sort();
    let script = "set -o pipefail; s=$1; o=$2; shift 2; mariadb-binlog --no-defaults --start-position=\"$o\" \"$@\" \
        | mariadb --no-defaults --user=root --binary-mode --socket=\"$s\"";
    let mut play = Command::new("bash");
    play.args(["-c", script, "play"]).arg(at.join("s")).arg(offset.to_string()).args(logs);
    let more = measured(&mut play)?;
    // The next one's is put here.
    fs::rename(&kept, &backup)?;
    cost.wall += more.wall;
    cost.cpu += more.cpu;
    cost.memory = cost.memory.max(more.memory);
    Ok((cost, server))
}

/// Where the log stood, as `mydumper` (`Log: …`, `Pos: …`, or `File = …`) and `mariadb-backup` write it.
fn position(text: &str) -> Result<(String, u64)> {
    let mut parts = text.trim().split('\t');
    if let (Some(file), Some(Ok(offset))) = (parts.next(), parts.next().map(str::parse)) {
        return Ok((file.to_owned(), offset));
    }
    let after = |names: [&str; 2]| {
        text.lines().find_map(|line| {
            let (name, value) = line.trim().split_once([':', '='])?;
            names.contains(&name.trim()).then(|| value.trim().trim_matches('"').to_owned())
        })
    };
    let (file, offset) = (after(["Log", "File"]), after(["Pos", "Position"]));
    let offset = offset.and_then(|offset| offset.parse().ok());
    file.zip(offset).context("the dump does not say where the log stood")
}

/// Kills the watch while somebody writes, as the loss of the server does, and counts what its archive has of
/// what was acknowledged.
fn lost(room: &Room<'_>, server: &Server, mut watch: Watch) -> Result<()> {
    let mut ages = Vec::new();
    for round in 0..LOSSES {
        // The chain after the restore, or after the last kill, has begun.
        std::thread::sleep(Duration::from_secs(5));
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| server.write(u32::MAX, || done.load(Ordering::Relaxed)));
            std::thread::sleep(LOAD + Duration::from_millis(u64::from(round) * 377));
            watch.0.kill()?;
            watch.0.wait()?;
            let committed = server.say("SELECT @@gtid_binlog_pos, NOW(6)")?;
            done.store(true, Ordering::Relaxed);
            writer.join().map_err(|_| anyhow::anyhow!("the writer panicked"))??;
            ages.push(age(room, server, &committed)?);
            Ok::<_, anyhow::Error>(())
        })?;
        watch = Watch::start(room)?;
    }
    println!(
        "\nWhat is lost with the server while one connection writes: {:.2} s (median of {}, at most {:.2} s)",
        percentile(&ages, 0.5),
        ages.len(),
        percentile(&ages, 1.0)
    );
    Ok(())
}

/// Seconds of acknowledged writes that the archive does not have.
fn age(room: &Room<'_>, server: &Server, committed: &str) -> Result<f64> {
    let to = room.at.join("latest");
    if to.exists() {
        fs::remove_dir_all(&to)?;
    }
    let mut restore = room.vigie(["backup", "restore", "database@latest", "--to"]);
    run::quiet(restore.arg(&to))?;
    let script = "mariadb-binlog --no-defaults --base64-output=never \"$1\" | grep -o 'GTID [0-9-]*' | tail -n 1";
    let last =
        run::text(Command::new("bash").args(["-c", script, "last"]).arg(to.join("log.binlog")))?;
    let number =
        |text: &str| text.trim().rsplit('-').next().and_then(|word| word.parse::<u64>().ok());
    let (name, now) =
        committed.split_once('\t').context("the server does not say its last transaction")?;
    let (committed, kept) = (number(name), number(&last));
    let missing = committed.zip(kept).context("the archive has no last transaction")?;
    let missing = missing.0.saturating_sub(missing.1);
    if missing == 0 {
        return Ok(0.0);
    }
    // Each transaction is a row: the first that is missing was acknowledged then.
    let sql = format!(
        "SELECT TIMESTAMPDIFF(MICROSECOND, MIN(at), '{now}') FROM (SELECT at FROM {SCHEMA}.played WHERE at <= \
         '{now}' ORDER BY id DESC LIMIT {missing}) missing"
    );
    let told = server.say(&sql)?;
    let age: f64 = told.parse().with_context(|| format!("`{told}` is no time"))?;
    Ok(age / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_log_stood_is_read_from_each() {
        let wanted = (String::from("log-bin.000002"), 345);
        assert_eq!(position("log-bin.000002\t345\t0-7-9\n").unwrap(), wanted);
        let old = "Started dump at: x\nSHOW MASTER STATUS:\n\tLog: log-bin.000002\n\tPos: 345\n\tGTID:0-7-9\n";
        assert_eq!(position(old).unwrap(), wanted);
        let new = "[source]\nFile = log-bin.000002\nPosition = 345\n";
        assert_eq!(position(new).unwrap(), wanted);
        position("nothing").unwrap_err();
    }
}
