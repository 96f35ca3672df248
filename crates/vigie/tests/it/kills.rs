//! `kill -9` of the command, of its worker, of the site and of the database, a network that is cut and a
//! disk that is full, at any moment of any work on backups: the repositories stay sound, what was reported
//! as kept comes back, what is in place is whole, and nobody's lock is in the way.

mod database;
mod disk;
mod judge;
mod points;
mod site;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use vigie_testkit::lab::{Lab, Restart, Signal, Stack, docker_or_skip, is_alive, send_signal};

use crate::backup::{fine, run};
use crate::watch::vigie;
use judge::{Judge, whole, write};

const PASSWORD: &str = "correct-horse-battery";
/// How long a command, or what it left, may take to end by itself.
const END: Duration = Duration::from_secs(120);

/// The stack's directory that most rounds are about.
const FILES: &str = "files:addons";

/// A game that stands still, with its directories and its volume.
pub(super) fn standing(lab: &Lab, name: &str) -> Stack {
    let spec = lab.stack(name).unwrap().restart(Restart::No);
    let stack = lab.start(spec).unwrap();
    stack.compose(["stop", "-t", "1"]).unwrap();
    fine(&stack, &["init"]);
    stack
}

/// Writes `sites` behind what `vigie init` wrote, into `file`.
pub(super) fn configure(stack: &Stack, file: &str, sites: &str) {
    let own = stack.dir().join("vigie.toml");
    let text = std::fs::read_to_string(own).unwrap();
    let text = text.split("\n[backup]\n").next().unwrap().to_owned();
    let backup = format!(
        "\n[backup]\npassword = {{ env = \"BACKUP_PASSWORD\" }}\nexclude = [\"image\"]\n{sites}"
    );
    std::fs::write(stack.dir().join(file), text + &backup).unwrap();
}

/// A command that works.
pub(super) struct Begun {
    child: Child,
    log: PathBuf,
    began: Instant,
}

impl Begun {
    pub(super) fn new(stack: &Stack, arguments: &[&str]) -> Self {
        let mut command = vigie();
        stack.docker().point(&mut command);
        Self::with(command, stack.dir(), arguments)
    }

    pub(super) fn with(mut command: Command, directory: &Path, arguments: &[&str]) -> Self {
        let log = directory.join("killed.log");
        let file = std::fs::File::create(&log).unwrap();
        command.env("BACKUP_PASSWORD", PASSWORD).args(arguments).current_dir(directory);
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        Self { child: command.spawn().unwrap(), log, began: Instant::now() }
    }

    pub(super) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// The process that does its work, when it has begun.
    pub(super) fn worker(&self) -> Option<i32> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?;
        let mut lists = tasks
            .flatten()
            .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
        lists.find_map(|list| list.split_whitespace().next()?.parse().ok())
    }

    /// Waits until `moment` after its beginning, or its end.
    pub(super) fn wait_until(&mut self, moment: Duration) {
        while self.began.elapsed() < moment && self.child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Its exit code, none when it was killed.
    pub(super) fn end(mut self) -> (Option<i32>, String) {
        let until = Instant::now() + END;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), self.said());
            }
            assert!(Instant::now() < until, "it does not end: {}", self.said());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Kills it, and waits until its worker has noticed or has done its work. Whether it was killed in the
    /// middle.
    pub(super) fn kill(mut self) -> bool {
        let worker = self.worker();
        self.child.kill().unwrap();
        let killed = self.child.wait().unwrap().code().is_none();
        if let Some(worker) = worker {
            let until = Instant::now() + END;
            while is_alive(worker) {
                assert!(
                    Instant::now() < until,
                    "nobody listens to worker {worker}, and it goes on"
                );
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        killed
    }

    /// Kills the worker alone: the command says so. Whether there was one.
    pub(super) fn kill_worker(self) -> bool {
        let Some(worker) = self.worker() else {
            self.end();
            return false;
        };
        let killed = send_signal(worker, Signal::KILL).is_ok();
        let (code, text) = self.end();
        assert!(code == Some(0) || !text.is_empty(), "it says nothing of its worker: {code:?}");
        killed
    }
}

/// A moment within `time`, another one each round, spread evenly.
pub(super) fn moment(round: u32, time: Duration) -> Duration {
    time.mul_f64((f64::from(round) * 0.618_033_988_75).fract())
}

/// Sites on this host; the second configuration knows only the first of them.
pub(super) fn near_and_far(stack: &Stack) {
    let near = "[backup.site.near]\nlocal = \"sites/near\"\n";
    configure(stack, "near.toml", near);
    let far = "[backup.site.far]\nlocal = \"sites/far\"\noff_site = true\n";
    configure(stack, "vigie.toml", &format!("{near}{far}"));
}

/// The works, in the order in which they are killed.
const WORKS: [&str; 9] =
    ["run", "copy", "prune", "in place", "volume", "beside", "verify", "repair", "drill"];

/// What `work` is on the command line. `old` is a version of the files, `beside` an own directory.
fn words<'a>(work: &str, old: &'a [String; 2], beside: &'a str) -> Vec<&'a str> {
    match work {
        "run" => vec!["backup", "run", FILES, "project"],
        "copy" => vec!["backup", "copy", "near", "far"],
        "prune" => vec!["backup", "prune", "--site", "near"],
        "in place" => vec!["backup", "restore", &old[0], "--in-place", "--yes"],
        "volume" => vec!["backup", "restore", &old[1], "--in-place", "--yes"],
        "beside" => vec!["backup", "restore", FILES, "--to", beside],
        "verify" => vec!["backup", "verify"],
        "repair" => vec!["backup", "repair", "far", "--from", "near"],
        _ => vec!["backup", "drill", FILES, "project"],
    }
}

/// Flips a byte of some pack of the repository at `site`.
fn damage(site: &Path, round: u32) {
    let shelves = std::fs::read_dir(site.join("data")).unwrap().flatten();
    let packs = shelves.flat_map(|shelf| std::fs::read_dir(shelf.path()).unwrap().flatten());
    let mut packs: Vec<_> = packs.map(|pack| pack.path()).collect();
    packs.sort();
    let pack = &packs[round as usize % packs.len()];
    let mut bytes = std::fs::read(pack).unwrap();
    let at = bytes.len() / 3;
    bytes[at] ^= 1;
    std::fs::remove_file(pack).unwrap();
    std::fs::write(pack, bytes).unwrap();
}

/// Each work is killed at moments all over the time that it takes, the command or its worker.
fn killed_everywhere(name: &str, worker: bool) {
    let Some(lab) = docker_or_skip("kill -9 of works on backups") else { return };
    let stack = standing(&lab, name);
    near_and_far(&stack);
    let (addons, volume) = (stack.dir().join("addons"), volume(&stack));
    fine(&stack, &["backup", "init"]);
    let volume_name = format!("volume:{}_gmod-server-data", stack.spec.project);
    for version in [1, 2] {
        write(&addons, version);
        write(&volume, version);
        fine(&stack, &["backup", "run", FILES, "project", &volume_name]);
    }
    let mut judge = Judge::new(&stack.dir().join("sites/near"), &stack.dir().join("sites/far"));
    judge.listen();
    let mut took: Vec<Duration> = Vec::new();
    let mut interrupted = [0_u32; WORKS.len()];
    for round in 0..2 {
        for (index, work) in WORKS.iter().enumerate() {
            let version = 10 + u64::from(round) * 10 + index as u64;
            let beside = stack.dir().join(format!("beside-{index}"));
            let old = [FILES.to_owned(), volume_name.clone()];
            let places: Vec<_> = match *work {
                "in place" => vec![(addons.clone(), [version, judge.newest(0, FILES)])],
                "volume" => vec![(volume.clone(), [version, judge.newest(0, &volume_name)])],
                _ => Vec::new(),
            };
            match *work {
                "run" | "in place" => write(&addons, version),
                "volume" => write(&volume, version),
                "copy" => {
                    write(&addons, version);
                    fine(&stack, &["--config", "near.toml", "backup", "run", FILES]);
                }
                "repair" => {
                    // What only the far site has, nobody can heal.
                    fine(&stack, &["backup", "prune", "--site", "far"]);
                    fine(&stack, &["backup", "copy", "near", "far"]);
                    judge.looks(true);
                    damage(&stack.dir().join("sites/far"), round);
                }
                _ => {}
            }
            let beside = beside.to_str().unwrap();
            let words = words(work, &old, beside);
            if round == 0 {
                // The first of each is let be, to know how long it takes.
                let began = Instant::now();
                fine(&stack, &words);
                took.push(began.elapsed());
                let _ = std::fs::remove_dir_all(beside);
            } else {
                let mut begun = Begun::new(&stack, &words);
                begun.wait_until(moment(round * 9 + index as u32, took[index].mul_f64(0.8)));
                let killed = if worker { begun.kill_worker() } else { begun.kill() };
                interrupted[index] += u32::from(killed);
            }
            if *work == "repair" {
                fine(&stack, &words);
            }
            if *work == "beside" && Path::new(beside).exists() {
                assert!(whole(Path::new(beside)).is_some(), "half of it is in {beside}");
                std::fs::remove_dir_all(beside).unwrap();
            }
            for (place, versions) in places {
                let found = whole(&place);
                assert!(found.is_some_and(|one| versions.contains(&one)), "{work}: {found:?}");
            }
            judge.looks(*work == "prune");
        }
    }
    eprintln!("killed in the middle: {:?}", WORKS.iter().zip(interrupted).collect::<Vec<_>>());
    assert!(interrupted.iter().sum::<u32>() >= 3, "{interrupted:?}");
    ends_well(&stack, &volume_name, &mut judge);
}

/// Every command works, nothing is left, and restic agrees.
fn ends_well(stack: &Stack, volume_name: &str, judge: &mut Judge) {
    fine(stack, &["backup", "run", FILES, "project", volume_name]);
    fine(stack, &["backup", "copy", "near", "far"]);
    fine(stack, &["backup", "prune"]);
    fine(stack, &["backup", "verify"]);
    fine(stack, &["backup", "drill"]);
    judge.looks(true);
    judge.has_no_locks();
    nothing_is_left(stack.dir());
    let beside: Vec<_> = std::fs::read_dir(volume(stack).parent().unwrap()).unwrap().collect();
    assert_eq!(beside.len(), 1, "{beside:?}");
    judge.restic_agrees();
}

/// No file of a killed work is left in a project's directory.
pub(super) fn nothing_is_left(directory: &Path) {
    let mut left = Vec::new();
    for place in [
        directory.to_owned(),
        directory.join(".vigie/backup"),
        directory.join(".vigie/backup/manifests"),
    ] {
        let names = std::fs::read_dir(place).unwrap().flatten().map(|one| one.file_name());
        let names = names.map(|name| name.to_string_lossy().into_owned());
        left.extend(names.filter(|name| {
            let prefixes = [".vigie-", ".drill-", ".project-"];
            prefixes.iter().any(|one| name.starts_with(one)) || name.ends_with(".vigie-new")
        }));
    }
    assert!(left.is_empty(), "{left:?}");
    let state = std::fs::read(directory.join(".vigie/backup/state.json")).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    for what in ["paused", "stopped", "exchanging"] {
        assert_eq!(state[what], serde_json::json!([]), "{what}");
    }
    assert_eq!(state["half"], serde_json::json!({}));
}

/// Where the game's volume is on this machine.
fn volume(stack: &Stack) -> PathBuf {
    let name = format!("{}_gmod-server-data", stack.spec.project);
    let inspected = ["volume", "inspect", "--format", "{{.Mountpoint}}", &name];
    PathBuf::from(stack.docker().text(inspected).unwrap().trim())
}

#[test]
fn whichever_command_is_killed_nothing_is_lost() {
    killed_everywhere("it-killed-command", false);
}

#[test]
fn whichever_worker_is_killed_nothing_is_lost() {
    killed_everywhere("it-killed-worker", true);
}

#[test]
fn a_game_that_was_stopped_for_a_restore_that_was_killed_is_started_again() {
    let Some(lab) = docker_or_skip("a game stopped by a killed restore") else { return };
    let stack = standing(&lab, "it-killed-stop");
    near_and_far(&stack);
    let addons = stack.dir().join("addons");
    write(&addons, 1);
    fine(&stack, &["backup", "init"]);
    fine(&stack, &["backup", "run", FILES]);
    stack.up().unwrap();
    write(&addons, 2);
    let mut begun = Begun::new(&stack, &["backup", "restore", FILES, "--in-place", "--yes"]);
    let game = &stack.spec.game_container;
    let path = stack.dir().join(".vigie/backup/state.json");
    let is_noted = || {
        let state: serde_json::Value =
            std::fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok())?;
        state["stopped"].as_array().map(|all| !all.is_empty())
    };
    while is_noted() != Some(true) {
        assert!(begun.child.try_wait().unwrap().is_none(), "it was over: {}", begun.said());
        std::thread::sleep(Duration::from_millis(1));
    }
    begun.wait_until(begun.began.elapsed() + Duration::from_millis(300));
    assert!(begun.kill_worker());
    // Whatever comes next puts it in order.
    let (_, text) = run(&stack, &["backup", "run", "project"]);
    assert_eq!(stack.docker().state(game).unwrap(), "running", "{text}");
    assert!(whole(&addons).is_some_and(|version| version <= 2));
    nothing_is_left(stack.dir());
}
