//! A host with the reference stack, its watch and a site somewhere else; how it is lost, and what comes back.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;
use vigie_testkit::lab::{Docker, Lab, Restart, Signal, Stack, run, send_signal};

use super::Round;
use super::options::Options;
use super::writer::Writer;
use crate::bench::player::Player;

/// A server that takes longer does not come.
const LIMIT: Duration = Duration::from_secs(300);
/// Rows of a KiB that are written at once.
const ROWS: u32 = 16_384;
const MIB: usize = 1 << 20;
const PASSWORD: &str = "a password of the benchmark";
const RIGHTS: &str = "REPLICATION SLAVE, BINLOG MONITOR, BINLOG REPLAY, RELOAD";

/// The host.
pub(super) struct Host {
    vigie: PathBuf,
    // The stack goes before what it is made of.
    stack: Stack,
    watch: Watch,
    image: Image,
    room: TempDir,
}

/// How long is written before the host is lost.
pub(super) fn moment(options: &Options) -> Result<Duration> {
    let mut seed = [0; 4];
    File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut seed))?;
    let within = u64::from(options.within) * 1_000;
    let more = u64::from(u32::from_le_bytes(seed)) % within.max(1);
    Ok(Duration::from_secs(u64::from(options.least)) + Duration::from_millis(more))
}

impl Host {
    /// Starts it, fills it, and waits until the site has its first backups.
    pub(super) fn start(lab: &Lab, vigie: &Path, options: &Options) -> Result<Self> {
        let docker = lab.docker().clone();
        let name = format!("vigie-bench/recover-{}:v1", std::process::id());
        docker.text(["tag", lab.practice_image()?, &name])?;
        let image = Image { docker, name: name.clone() };
        let mut spec = lab.stack("bench-recover")?.boot(&options.boot).binlog();
        spec.game_image = name;
        let stack = lab.start(lab.with_database(spec.restart(Restart::No))?)?;
        Player::of(&stack).wait(LIMIT)?;
        stack.wait_for_database(LIMIT)?;
        let room = tempfile::Builder::new().prefix("vigie-bench-").tempdir()?;
        fill(&stack, options)?;
        let program = |words: &[&str]| {
            let mut command = Command::new(vigie);
            stack.docker().point(&mut command);
            run::quiet(command.current_dir(stack.dir()).args(words))
        };
        program(&["init"])?;
        let path = stack.dir().join("vigie.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path:?}"))?;
        let site = room.path().join("site");
        // The database's image is the lab's, and stays.
        let backup = format!(
            "\n[backup]\npassword = {{ file = \"password\" }}\nexclude = [\"image:mysql\"]\n\
             [backup.site.far]\nlocal = \"{}\"\n",
            site.display()
        );
        fs::write(stack.dir().join("password"), PASSWORD)?;
        fs::write(&path, text + &backup)?;
        program(&["backup", "init"])?;
        let watch = Watch::start(vigie, &stack)?;
        let host = Self { vigie: vigie.to_owned(), stack, watch, image, room };
        host.first()?;
        Ok(host)
    }

    /// Waits until everything was backed up once and the log is streamed.
    fn first(&self) -> Result<()> {
        let begun = Instant::now();
        loop {
            let mut command = self.program();
            let list =
                run::text(command.args(["backup", "list", "--json"]).current_dir(self.stack.dir()));
            let list: Value =
                list.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
            let has = |kind: &str| {
                let all = list.as_array().into_iter().flatten();
                all.filter_map(|one| one["asset"].as_str()).any(|name| name.starts_with(kind))
            };
            let log = self.stack.dir().join(".vigie/backup/binlog/mysql/covered.state");
            let kinds = ["database:", "volume:", "files:", "image:", "project"];
            if kinds.into_iter().all(has) && log.exists() {
                return Ok(());
            }
            ensure!(begun.elapsed() < 2 * LIMIT, "the watch backs nothing up: {list:#}");
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    fn program(&self) -> Command {
        let mut command = Command::new(&self.vigie);
        self.stack.docker().point(&mut command);
        command.stdin(Stdio::null());
        command
    }

    /// Begins to commit rows.
    pub(super) fn write(&self) -> Result<Writer> {
        let stack = &self.stack;
        let word = format!("MYSQL_PWD={}", stack.secrets.database_user);
        let mut client = stack.docker().command();
        client.args(["exec", "-i", "-e", &word, &stack.spec.database_container, "mysql", "-ugmod"]);
        client.args(["--batch", "--skip-column-names", "--unbuffered", "gmod_construction"]);
        Writer::start(&mut client)
    }

    /// Everything of it is killed at once, then nothing of it is left; when each row was acknowledged.
    pub(super) fn lose(&mut self, writer: Writer) -> Result<Vec<Instant>> {
        let docker = self.stack.docker().clone();
        let spec = &self.stack.spec;
        self.watch.kill();
        docker.text(["kill", &spec.database_container, &spec.game_container])?;
        let rows = writer.ended();
        self.stack.down()?;
        docker.text(["rmi", "-f", &self.image.name])?;
        fs::remove_dir_all(self.stack.dir())?;
        Ok(rows)
    }

    /// Brings it back from the site, and compares.
    pub(super) fn recover(&self, acknowledged: &[Instant]) -> Result<Round> {
        let mut command = self.program();
        command.arg("recover").arg("--from").arg(self.room.path().join("site"));
        command.arg("--to").arg(self.stack.dir()).args(["--yes", "--json"]);
        let text = run::text(command.env("VIGIE_BACKUP_PASSWORD", PASSWORD).current_dir("/"))?;
        let told: Value = serde_json::from_str(&text).context("recover says no JSON")?;
        let seconds = |value: &Value| value.as_f64().map(|ms| ms / 1_000.0);
        let steps = told["steps"].as_array().context("no steps")?.iter().filter_map(|one| {
            // Volumes are called after the stack, which each round has its own of.
            let step = one["step"].as_str()?.replace(&self.stack.spec.project, "STACK");
            Some((step, seconds(&one["took_ms"])?))
        });
        let sql = "SELECT COALESCE(MAX(n), 0), COUNT(*) FROM ticks";
        let found = said(&self.stack, "gmod", &self.stack.secrets.database_user, sql)?;
        let mut found = found.split_whitespace().filter_map(|word| word.parse::<usize>().ok());
        let (Some(last), Some(count)) = (found.next(), found.next()) else {
            bail!("no rows: {found:?}")
        };
        ensure!(
            last == count,
            "rows are missing in the middle: the last is {last}, there are {count}"
        );
        let at = |row: usize| row.checked_sub(1).and_then(|row| acknowledged.get(row));
        let lost = match (at(acknowledged.len()), at(last)) {
            (Some(end), Some(back)) => end.duration_since(*back).as_secs_f64(),
            // A row can be committed whose acknowledgement was never read.
            _ if last > acknowledged.len() => 0.0,
            _ => bail!("no row came back"),
        };
        Ok(Round {
            rto: seconds(&told["rto_ms"]).context("no RTO")?,
            steps: steps.collect(),
            lost,
            rows: (acknowledged.len(), count.min(acknowledged.len())),
        })
    }
}

/// Says a statement in the database's own container.
fn said(stack: &Stack, user: &str, password: &str, sql: &str) -> Result<String> {
    let word = format!("MYSQL_PWD={password}");
    let user = format!("-u{user}");
    let container = &stack.spec.database_container;
    let arguments =
        ["exec", "-e", &word, container, "mysql", &user, "-N", "-e", sql, "gmod_construction"];
    stack.docker().text(arguments)
}

/// Rows and files of the wished sizes, half of each incompressible.
fn fill(stack: &Stack, options: &Options) -> Result<()> {
    let root = |sql: &str| said(stack, "root", &stack.secrets.database_root, sql);
    root(&format!("GRANT {RIGHTS} ON *.* TO 'gmod'@'%'"))?;
    root("CREATE TABLE ticks (n INT PRIMARY KEY) ENGINE=InnoDB")?;
    root("CREATE TABLE bulk (n INT PRIMARY KEY, pad VARCHAR(1024)) ENGINE=InnoDB")?;
    let end = options.database_mib * 1_024;
    for first in (1..=end).step_by(ROWS as usize) {
        let last = end.min(first + ROWS - 1);
        root(&format!(
            "INSERT INTO bulk SELECT seq, CONCAT(HEX(RANDOM_BYTES(256)), REPEAT(MD5(seq), 16)) FROM \
             seq_{first}_to_{last}"
        ))?;
    }
    let volume = format!("{}_gmod-server-data", stack.spec.project);
    let at = stack.docker().text(["volume", "inspect", "--format", "{{.Mountpoint}}", &volume])?;
    let at = Path::new(at.trim()).join("maps");
    fs::create_dir_all(&at)?;
    let mut random = File::open("/dev/urandom")?;
    for number in 0..options.volume_mib {
        let mut bytes = vec![b'.'; MIB];
        if number.is_multiple_of(2) {
            random.read_exact(&mut bytes)?;
        } else {
            bytes[..4].copy_from_slice(&number.to_le_bytes());
        }
        fs::write(at.join(format!("file-{number:05}")), bytes)?;
    }
    Ok(())
}

/// A watch, and the workers that it starts.
struct Watch(Child);

impl Watch {
    fn start(vigie: &Path, stack: &Stack) -> Result<Self> {
        let log = File::create(stack.dir().join("watch.log"))?;
        let mut command = Command::new(vigie);
        stack.docker().point(&mut command);
        command.current_dir(stack.dir()).arg("watch").stdin(Stdio::null());
        Ok(Self(command.stdout(log.try_clone()?).stderr(log).spawn()?))
    }

    /// Ends all of them at once, as a power cut does.
    fn kill(&mut self) {
        let mut all: Vec<i32> = i32::try_from(self.0.id()).into_iter().collect();
        let mut next = 0;
        while let Some(pid) = all.get(next).copied() {
            all.extend(children(pid));
            next += 1;
        }
        for pid in all {
            let _ = send_signal(pid, Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.kill();
        }
    }
}

/// The processes that `of` started.
fn children(of: i32) -> Vec<i32> {
    let tasks = fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let pids = |list: String| -> Vec<i32> {
        list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
    };
    lists.flat_map(pids).collect()
}

/// The game's image, under a name of its own.
struct Image {
    docker: Docker,
    name: String,
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = self.docker.text(["rmi", "-f", &self.name]);
    }
}
