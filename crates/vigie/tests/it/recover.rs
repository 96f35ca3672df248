//! A stack that was lost with its host, brought back from one site alone: everything that mattered is there
//! and answers, also when the recovery is killed at any of its steps; and what lives is never written over.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use vigie_testkit::lab::{Docker, Lab, Restart, Stack, docker_or_skip};

use crate::backup::{fine, sql};
use crate::snapshot::Images;
use crate::survival::ready;
use crate::watch::vigie;

pub(crate) const PASSWORD: &str = "correct-horse-battery";
const WORD: &str = "kept";
const POINT: &str = "v1.0-before";

/// A stack that is backed up at two sites outside of it. The stack goes first, then its image.
pub(crate) struct Town {
    pub(crate) stack: Stack,
    images: Images,
    pub(crate) sites: tempfile::TempDir,
    pub(crate) sheet: String,
}

/// The reference stack with its database, a word in each place that matters, and its backups at two
/// directories.
fn town(lab: &Lab, name: &str) -> Town {
    town_at(lab, name, |_, at| {
        let at = at.display();
        format!(
            "[backup.site.near]\nlocal = \"{at}/near\"\n[backup.site.far]\nlocal = \"{at}/far\"\n"
        )
    })
}

/// The same with these sites, which may keep something in the directory that they are told, and change the
/// stack before it is backed up.
pub(crate) fn town_at(lab: &Lab, name: &str, at: impl FnOnce(&Stack, &Path) -> String) -> Town {
    let mut spec = lab.stack(name).unwrap().boot("1s").restart(Restart::UnlessStopped);
    let docker = lab.docker().clone();
    let repository = format!("vigie-it/{}", spec.project);
    let image = format!("{repository}:v0.9-lab");
    Images::like(&docker, &spec.game_image, &image);
    spec.game_image = image;
    let images = Images { docker, repository };
    let stack = lab.start(lab.with_database(spec).unwrap()).unwrap();
    ready(&stack);
    stack.wait_for_database(Duration::from_secs(180)).unwrap();
    fine(&stack, &["init"]);
    let sites = tempfile::tempdir().unwrap();
    let file = stack.dir().join("vigie.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let at = at(&stack, sites.path());
    let backup = format!(
        "\n[backup]\npassword = {{ env = \"BACKUP_PASSWORD\" }}\nexclude = [\"image:mysql\"]\n{at}"
    );
    std::fs::write(&file, text + &backup).unwrap();
    sql(&stack, &format!("UPDATE shared_blueprints SET name = '{WORD}' WHERE id = 1"));
    let word = stack.dir().join("addons/word.txt");
    std::fs::write(&word, WORD).unwrap();
    std::fs::set_permissions(&word, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::chown(&word, Some(1000), Some(1000)).unwrap();
    let addons = stack.dir().join("addons");
    std::fs::set_permissions(&addons, std::fs::Permissions::from_mode(0o750)).unwrap();
    let mounted = stack.dir().join("server-config/server.cfg");
    std::fs::write(&mounted, format!("hostname {WORD}\n")).unwrap();
    std::os::unix::fs::chown(&mounted, Some(1000), Some(1000)).unwrap();
    let volume = volume(&stack);
    std::fs::write(volume.join("volume.txt"), WORD).unwrap();
    std::os::unix::fs::chown(&volume, Some(1000), Some(1000)).unwrap();
    let sheet = fine(&stack, &["backup", "init"]);
    fine(&stack, &["backup", "run"]);
    Town { stack, images, sites, sheet }
}

/// Where the game's volume is on this machine.
pub(crate) fn volume(stack: &Stack) -> PathBuf {
    let name = format!("{}_gmod-server-data", stack.spec.project);
    let inspected = ["volume", "inspect", "--format", "{{.Mountpoint}}", &name];
    PathBuf::from(stack.docker().text(inspected).unwrap().trim())
}

impl Town {
    pub(crate) fn near(&self) -> String {
        self.sites.path().join("near").display().to_string()
    }

    pub(crate) fn docker(&self) -> &Docker {
        self.stack.docker()
    }

    /// Nothing of the stack is left on the host: no container, volume, image, directory.
    pub(crate) fn lose(&self) {
        self.stack.down().unwrap();
        let listed = ["images", "--format", "{{.Repository}}:{{.Tag}}", &self.images.repository];
        for name in self.docker().text(listed).unwrap().lines() {
            self.docker().text(["rmi", "-f", name]).unwrap();
        }
        std::fs::remove_dir_all(self.stack.dir()).unwrap();
    }

    /// A restore point, and its backup.
    fn make_point(&self) {
        fine(&self.stack, &["snapshot", "create", POINT]);
        fine(&self.stack, &["backup", "run", "points"]);
    }

    /// The restore point is there, and the stack goes back to it.
    fn goes_back(&self) {
        sql(&self.stack, "UPDATE shared_blueprints SET name = 'later' WHERE id = 1");
        std::fs::write(volume(&self.stack).join("volume.txt"), "later").unwrap();
        fine(&self.stack, &["snapshot", "rollback", POINT, "--yes"]);
        self.is_back();
    }

    /// `vigie recover` on that host, from nowhere.
    fn recover(&self, password: &str, arguments: &[&str]) -> Command {
        let mut command = vigie();
        self.docker().point(&mut command);
        command.env("VIGIE_BACKUP_PASSWORD", password).env_remove("BACKUP_PASSWORD");
        command.current_dir(self.sites.path()).arg("recover").args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        ended(self.recover(PASSWORD, arguments))
    }

    /// Everything is as it was.
    pub(crate) fn is_back(&self) {
        let stack = &self.stack;
        assert_eq!(
            sql(stack, "SELECT name FROM shared_blueprints WHERE id = 1").trim(),
            WORD,
            "the database"
        );
        let word = stack.dir().join("addons/word.txt");
        assert_eq!(std::fs::read_to_string(&word).unwrap(), WORD);
        let seen = std::fs::metadata(&word).unwrap();
        assert_eq!((seen.mode() & 0o7777, seen.uid(), seen.gid()), (0o640, 1000, 1000));
        let seen = std::fs::metadata(stack.dir().join("addons")).unwrap();
        assert_eq!(seen.mode() & 0o7777, 0o750, "the directory itself");
        let mounted = stack.dir().join("server-config/server.cfg");
        assert_eq!(std::fs::read_to_string(&mounted).unwrap(), format!("hostname {WORD}\n"));
        assert_eq!(std::fs::metadata(&mounted).unwrap().uid(), 1000);
        let volume = volume(stack);
        assert_eq!(std::fs::read_to_string(volume.join("volume.txt")).unwrap(), WORD);
        assert_eq!(std::fs::metadata(&volume).unwrap().uid(), 1000);
        assert!(stack.dir().join("mysql-init/01-blueprints.sql").exists());
        let secret = std::fs::metadata(stack.dir().join(".env")).unwrap();
        assert_eq!(secret.mode() & 0o777, 0o600);
        assert!(!stack.dir().join(".vigie/recover/stage").exists(), "no leftovers");
        let exists =
            self.docker().text(["image", "inspect", "-f", "{{.Id}}", &stack.spec.game_image]);
        assert!(exists.is_ok(), "its image");
        // Compose takes all of it for its own.
        let before = self.docker().inspect(&stack.spec.game_container).unwrap()["Id"].clone();
        stack.up().unwrap();
        let after = self.docker().inspect(&stack.spec.game_container).unwrap()["Id"].clone();
        assert!(before.is_string() && after.is_string());
        ready(stack);
    }
}

pub(crate) fn ended(mut command: Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(!text.contains(PASSWORD), "{text}");
    (output.status.code(), text)
}

#[test]
fn a_lost_host_comes_back_by_the_command_on_the_sheet() {
    let Some(lab) = docker_or_skip("a lost host comes back") else { return };
    let town = town(&lab, "it-recover");
    let to = town.stack.dir().display().to_string();
    let beside = town.sites.path().join("beside").display().to_string();
    let near = town.near();
    town.make_point();

    // What lives is left alone, wherever it is looked for.
    let (code, text) = town.run(&["--from", &near, "--to", &to, "--yes"]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("has files in it; look: ls -la"), "{text}");
    let (code, text) = town.run(&["--from", &near, "--to", &beside, "--yes"]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("look: docker ps -a --filter label="), "{text}");
    town.stack.compose(["down"]).unwrap();
    let (code, text) = town.run(&["--from", &near, "--to", &beside, "--yes"]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("_gmod-server-data is on this host and has something in it"), "{text}");
    assert!(!Path::new(&beside).exists(), "what is refused leaves nothing behind");

    town.lose();
    // A wrong password, no repository, and a moment before everything.
    let (code, text) = ended(town.recover("wrong", &["--from", &near, "--to", &to, "--yes"]));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("the password does not open"), "{text}");
    let (code, text) = town.run(&["--from", &beside, "--to", &to, "--yes"]);
    assert_eq!((code, text.contains("there is no repository at")), (Some(2), true), "{text}");
    let (code, text) = town.run(&["--from", &near, "--to", &to, "--at", "2020-01-01"]);
    assert_eq!((code, text.contains("no backup of a project until")), (Some(2), true), "{text}");
    let (code, text) = town.run(&["--from", &near, "--to", &to]);
    assert_eq!((code, text.contains("nothing was changed")), (Some(4), true), "{text}");
    let (code, text) = town.run(&["--from", &near, "--to", &to, "--dry-run", "--json"]);
    let planned: Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
    assert_eq!((code, &planned["resumes"]), (Some(0), &false.into()));
    assert!(!Path::new(&to).exists(), "a dry run changes nothing");

    // The command as it is on the sheet, for the other site.
    let lines = town.sheet.lines().map(str::trim);
    let mut lines = lines.filter(|line| line.starts_with("vigie recover") && line.contains("/far"));
    let words: Vec<&str> = lines.next().unwrap().split(' ').skip(2).collect();
    let (code, text) = town.run(&[&words[..], &["--yes"]].concat());
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("answers as players see it: RTO ") && text.contains(", RPO "), "{text}");
    assert!(text.contains("checksums as they were kept"), "{text}");
    let answers = text.lines().find(|line| line.starts_with("start gmod")).unwrap();
    assert!(answers.contains("a2s: "), "{text}");
    town.is_back();
    town.goes_back();
    let (code, text) = town.run(&["--from", &near, "--to", &to, "--yes"]);
    assert_eq!((code, text.contains("was recovered into")), (Some(4), true), "{text}");
    assert_eq!(town.images.repository, town.stack.spec.game_image.split(':').next().unwrap());
}

#[test]
fn killed_at_any_step_it_goes_on_and_ends_the_same() {
    let Some(lab) = docker_or_skip("kill -9 of a recovery") else { return };
    let town = town(&lab, "it-recover-kill");
    let (near, to) = (town.near(), town.stack.dir().display().to_string());
    town.make_point();
    town.lose();
    let arguments = ["--from", &near, "--to", &to, "--yes"];
    let moments = [
        ("  project\n", 0),
        ("  files:addons\n", 0),
        ("  image:gmod\n", 20),
        ("  volume:", 10),
        ("  start mysql\n", 0),
        ("  start mysql\n", 3_000),
        ("  database:gmod_construction\n", 150),
        ("  start gmod\n", 400),
        ("  points\n", 0),
        ("  points\n", 120),
    ];
    for (line, more) in moments {
        killed_at(&town, &arguments, line, Duration::from_millis(more));
    }
    let json: Vec<&str> = arguments.into_iter().chain(["--json"]).collect();
    let (code, text) = town.run(&json);
    assert_eq!(code, Some(0), "{text}");
    let told: Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
    assert!(told["resumed"].as_u64().unwrap() >= 5, "{told:#}");
    let steps: Vec<_> = told["steps"].as_array().unwrap().iter().map(|one| &one["step"]).collect();
    let mut once = steps.clone();
    once.sort_by_key(|step| step.to_string());
    once.dedup();
    assert_eq!(once.len(), steps.len(), "each step is done once: {steps:?}");
    assert!(told["rto_ms"].as_u64().unwrap() > 0, "{told:#}");
    town.is_back();
    town.goes_back();
}

/// Kills a recovery with -9, `more` after it says `line`. One whose step was done before it could be killed
/// is not repeated.
fn killed_at(town: &Town, arguments: &[&str], line: &str, more: Duration) {
    let path = town.sites.path().join("killed.log");
    let log = std::fs::File::create(&path).unwrap();
    let mut command = town.recover(PASSWORD, arguments);
    let mut child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(180);
    let read = || std::fs::read_to_string(&path).unwrap();
    while !read().contains(line) {
        let text = read();
        let left = text.split_once("\nsteps: ").and_then(|(_, left)| left.split_once('\n'));
        if left.is_some_and(|(left, _)| !left.contains(line.trim())) {
            // The step was done in the moment in which the last one was killed.
            break;
        }
        assert!(child.try_wait().unwrap().is_none(), "it was over before {line:?}: {}", read());
        assert!(Instant::now() < end, "never said {line:?}: {}", read());
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(more);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!read().contains("answers as players see it"), "it was over: {}", read());
}
