//! Restore points of the reference stack on a real engine: what was changed in the image, the volume,
//! the database and the files is gone after going back, and there again after undoing that.

mod adopt;
mod full;
mod masked;
mod registry;
mod unreadable;

use std::path::{Path, PathBuf};
use std::time::Duration;

use vigie_testkit::lab::{Lab, Restart, Stack, StackSpec, docker_or_skip, skip};

use crate::survival::ready;
use crate::watch::vigie;

/// `vigie` in the stack's directory.
pub(crate) fn run(stack: &Stack, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = vigie();
    stack.docker().point(&mut command);
    let output = command.args(arguments).current_dir(stack.dir()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

pub(crate) fn fine(stack: &Stack, arguments: &[&str]) -> String {
    let (code, text) = run(stack, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {text}");
    text
}

pub(crate) fn json(stack: &Stack, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&fine(stack, arguments)).unwrap()
}

/// The four places in which a stack has what matters, each with one word in it.
pub(crate) struct World<'a> {
    stack: &'a Stack,
    password: String,
}

impl<'a> World<'a> {
    pub(crate) fn new(stack: &'a Stack) -> Self {
        let dotenv = std::fs::read_to_string(stack.dir().join(".env")).unwrap();
        let password = dotenv.lines().find_map(|line| line.strip_prefix("MYSQL_PASSWORD="));
        Self { stack, password: password.unwrap().to_owned() }
    }

    fn sql(&self, sql: &str) -> String {
        let word = format!("MYSQL_PWD={}", self.password);
        let database = &self.stack.spec.database_container;
        let arguments = ["exec", "-e", &word, database, "mysql", "-ugmod", "-N", "-e", sql];
        self.stack.docker().text([&arguments[..], &["gmod_construction"]].concat()).unwrap()
    }

    /// Writes `word` everywhere.
    pub(crate) fn change(&self, word: &str) {
        cp(self.stack, word, "/image.txt");
        cp(self.stack, word, "/home/gmod/server/volume.txt");
        self.sql(&format!("UPDATE shared_blueprints SET name = '{word}' WHERE id = 1"));
        let directory = self.stack.dir();
        std::fs::write(directory.join("server-config/server.cfg"), format!("hostname {word}\n"))
            .unwrap();
        std::fs::write(directory.join("addons/word.txt"), word).unwrap();
    }

    /// What is read everywhere.
    pub(crate) fn read(&self) -> Vec<String> {
        let directory = self.stack.dir();
        let file = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
        vec![
            cat(self.stack, "/image.txt"),
            cat(self.stack, "/home/gmod/server/volume.txt"),
            self.sql("SELECT name FROM shared_blueprints WHERE id = 1").trim().to_owned(),
            file("server-config/server.cfg").trim().replace("hostname ", ""),
            file("addons/word.txt"),
        ]
    }
}

/// The images of one test, removed with it.
pub(crate) struct Images {
    pub(crate) docker: vigie_testkit::lab::Docker,
    pub(crate) repository: String,
}

impl Images {
    /// Makes `name` an image like `from` that is nobody else's: restoring everybody's brings back the names
    /// that other tests have given it.
    pub(crate) fn like(docker: &vigie_testkit::lab::Docker, from: &str, name: &str) {
        let container = docker.text(["create", from]).unwrap();
        let container = container.trim();
        let label = format!("LABEL vigie.test={name}");
        docker.text(["commit", "--change", &label, container, name]).unwrap();
        docker.text(["rm", container]).unwrap();
    }
}

impl Drop for Images {
    fn drop(&mut self) {
        // By their names: a stack may still use one of them.
        let format = "{{.Repository}}:{{.Tag}}";
        let listed = self.docker.text(["images", "--format", format, &self.repository]);
        for name in listed.unwrap_or_default().lines() {
            let _ = self.docker.text(["rmi", "-f", name]);
        }
    }
}

/// A stack whose game has an image of its own.
fn own(lab: &Lab, name: &str) -> (StackSpec, Images) {
    let mut spec = lab.stack(name).unwrap().boot("1s").restart(Restart::UnlessStopped);
    let repository = format!("vigie-it/{}", spec.project);
    let image = format!("{repository}:v0.9-lab");
    let docker = lab.docker().clone();
    Images::like(&docker, &spec.game_image, &image);
    spec.game_image = image;
    (spec, Images { docker, repository })
}

/// The reference stack with its database; its game has an image of its own. The stack goes first.
pub(crate) fn begun(lab: &Lab, name: &str) -> (Stack, Images) {
    let (spec, images) = own(lab, name);
    let stack = lab.start(lab.with_database(spec).unwrap()).unwrap();
    stack.wait_for_database(Duration::from_secs(180)).unwrap();
    (started(stack), images)
}

/// The game alone, which is quicker.
pub(crate) fn game_alone(lab: &Lab, name: &str) -> (Stack, Images) {
    let (spec, images) = own(lab, name);
    (started(lab.start(spec).unwrap()), images)
}

fn started(stack: Stack) -> Stack {
    ready(&stack);
    fine(&stack, &["init"]);
    stack
}

/// Writes `word` to the path `to` of the game's container.
fn cp(stack: &Stack, word: &str, to: &str) {
    let file = stack.dir().join("word.tmp");
    std::fs::write(&file, word).unwrap();
    let target = format!("{}:{to}", stack.spec.game_container);
    stack.docker().text(["cp", file.to_str().unwrap(), &target]).unwrap();
    std::fs::remove_file(file).unwrap();
}

/// What the game's container has at `at`.
fn cat(stack: &Stack, at: &str) -> String {
    let out = stack.dir().join("read.tmp");
    let from = format!("{}:{at}", stack.spec.game_container);
    stack.docker().text(["cp", &from, out.to_str().unwrap()]).unwrap();
    let word = std::fs::read_to_string(&out).unwrap();
    std::fs::remove_file(out).unwrap();
    word
}

/// Sets `[snapshot]` in vigie.toml.
fn configure(stack: &Stack, keys: &str) {
    let path = stack.dir().join("vigie.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let with = text.replacen("\n[snapshot]\n", &format!("\n[snapshot]\n{keys}\n"), 1);
    assert_ne!(with, text, "`vigie init` writes the section");
    std::fs::write(&path, with).unwrap();
}

/// Where the game's volume is on this machine.
fn volume(stack: &Stack) -> PathBuf {
    let name = format!("{}_gmod-server-data", stack.spec.project);
    let inspected = ["volume", "inspect", "--format", "{{.Mountpoint}}", &name];
    PathBuf::from(stack.docker().text(inspected).unwrap().trim())
}

/// The tags of the game's repository.
fn tags(images: &Images) -> Vec<String> {
    let listed = ["images", "--format", "{{.Tag}}", &images.repository];
    let mut tags: Vec<_> = images.docker.text(listed).unwrap().lines().map(str::to_owned).collect();
    tags.sort();
    tags
}

fn all(word: &str) -> Vec<String> {
    vec![word.to_owned(); 5]
}

#[test]
fn everything_goes_back_and_comes_back_again() {
    let Some(lab) = docker_or_skip("restore points of the reference stack") else { return };
    let (stack, _images) = begun(&lab, "it-snapshot");
    let world = World::new(&stack);
    world.change("first");
    assert_eq!(world.read(), all("first"));
    // The volume's own directory is the game's, or it could not write there afterwards.
    let volume = volume(&stack);
    std::os::unix::fs::chown(&volume, Some(1000), Some(1000)).unwrap();
    let owner = || {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(&volume).map(|seen| (seen.uid(), seen.gid())).unwrap()
    };
    let compose = std::fs::read_to_string(stack.dir().join("docker-compose.yml"))
        .or_else(|_| std::fs::read_to_string(stack.dir().join("compose.yaml")));
    let compose = compose.unwrap();

    let mounted = stack.dir().join("server-config/server.cfg");
    let all_flags = rustix::fs::XattrFlags::empty();
    let marked = rustix::fs::setxattr(&mounted, "user.town", b"ours", all_flags).is_ok();

    let would = fine(&stack, &["snapshot", "create", "v1.0-base", "--dry-run"]);
    assert!(would.contains("dump of gmod_construction from mysql"), "{would}");
    let told = fine(&stack, &["snapshot", "create", "v1.0-base", "--note", "the first"]);
    assert!(told.contains("kept in "), "{told}");
    world.change("second");
    assert_eq!(world.read(), all("second"));
    let (code, text) = run(&stack, &["snapshot", "create", "v1.0-base"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("--bump minor"), "{text}");

    let plan = fine(&stack, &["snapshot", "rollback", "v1.0-base", "--dry-run"]);
    assert!(
        plan.contains("play gmod_construction back") && plan.contains("lost of the last"),
        "{plan}"
    );
    assert_eq!(world.read(), all("second"), "a dry run changes nothing");
    let (code, text) = run(&stack, &["snapshot", "rollback", "v1.0-base"]);
    assert_eq!(code, Some(4), "nobody can be asked: {text}");

    let told = fine(&stack, &["snapshot", "rollback", "v1.0-base", "--yes"]);
    assert!(told.contains("v1.0-base runs, verified after"), "{told}");
    assert_eq!(world.read(), all("first"));
    assert_eq!(owner(), (1000, 1000));
    let mut value = [0_u8; 16];
    let length = rustix::fs::getxattr(&mounted, "user.town", &mut value[..]);
    let kept = length.is_ok_and(|length| &value[..length] == b"ours");
    assert_eq!(kept, marked, "attributes of the project's files stay");
    let after = std::fs::read_dir(stack.dir()).unwrap().flatten().map(|entry| entry.path());
    let after =
        after.filter(|path| path.extension().is_some_and(|end| end == "yml" || end == "yaml"));
    let after: Vec<_> = after.filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    let wanted = compose.replacen("gmod-practice:lab", "x", 0);
    let differing: Vec<_> =
        after[0].lines().zip(wanted.lines()).filter(|(new, old)| new != old).collect();
    assert_eq!(differing.len(), 1, "only the image's line differs: {differing:?}");
    assert!(differing[0].0.contains(":v1.0-base"), "{differing:?}");

    let points = json(&stack, &["snapshot", "list", "--json"]);
    let names: Vec<_> = points.as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["v1.1-before-v1.0-base", "v1.0-base"]);
    assert_eq!((&points[1]["runs"], &points[0]["before_rollback"]), (&true.into(), &true.into()));
    assert!(!points.to_string().contains(&world.password), "no secret in a description");

    fine(&stack, &["snapshot", "rollback", "v1.1-before-v1.0-base", "--yes"]);
    assert_eq!(world.read(), all("second"));

    let told = fine(&stack, &["snapshot", "diff", "v1.0-base", "v1.1-before-v1.0-base"]);
    for wanted in [
        "~ volume.txt",
        "~ word.txt",
        "~ server-config/server.cfg",
        "image gmod",
        "database gmod_construction",
    ] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    assert!(!told.contains(".vigie-patches"), "vigie's own file: {told}");
    let told = json(&stack, &["snapshot", "diff", "v1.0-base", "v1.0-base", "--json"]);
    assert_eq!(
        (&told["parts"], &told["compose"]),
        (&serde_json::json!([]), &"".into()),
        "{told:#}"
    );

    // Only a part of it.
    fine(&stack, &["snapshot", "rollback", "v1.0-base", "--only", "database", "--yes"]);
    assert_eq!(world.read(), ["second", "second", "first", "second", "second"]);

    // What cannot be kept is not played over, and is no part of a point in silence; nor does a point
    // stay that was made for what is refused.
    let before = json(&stack, &["snapshot", "list", "--json"]);
    stack.docker().text(["stop", &stack.spec.database_container]).unwrap();
    let (code, text) = run(&stack, &["snapshot", "create", "--bump", "minor", "half"]);
    assert_eq!((code, text.contains("vigie up mysql")), (Some(1), true), "{text}");
    let (code, text) = run(&stack, &["snapshot", "rollback", "v1.0-base", "--yes"]);
    assert_eq!((code, text.contains("is not played over")), (Some(1), true), "{text}");
    let after = json(&stack, &["snapshot", "list", "--json"]);
    assert_eq!(after.as_array().unwrap().len(), before.as_array().unwrap().len(), "{text}");
    stack.docker().text(["start", &stack.spec.database_container]).unwrap();
    stack.wait_for_database(Duration::from_secs(180)).unwrap();
    assert_eq!(world.read(), ["second", "second", "first", "second", "second"]);

    let kept = fine(&stack, &["snapshot", "prune"]);
    assert!(kept.contains("stays"), "{kept}");
    let shown = fine(&stack, &["snapshot", "show", "v1.0-base"]);
    assert!(
        shown.contains("gmod_construction of mysql") && shown.contains("server-data"),
        "{shown}"
    );
    let points = stack.dir().join(".vigie/points");
    let left = std::fs::read_dir(points).unwrap().flatten().map(|entry| entry.file_name());
    let left: Vec<_> = left.map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(left.iter().all(|name| !name.starts_with('.')), "no leftovers: {left:?}");
}

#[test]
fn what_players_do_not_see_work_is_taken_back_and_so_is_what_was_interrupted() {
    let Some(lab) = docker_or_skip("a rollback that fails, and one that is killed") else { return };
    let (stack, _images) = begun(&lab, "it-snapshot-undo");
    let world = World::new(&stack);
    world.change("good");
    fine(&stack, &["snapshot", "create", "v1.0-base"]);
    world.change("present");

    // Killed while it works: wherever that is, the next command ends in the present.
    for line in ["  image of gmod", "  stop mysql", "  gmod runs ", "  start mysql", "  play back"]
    {
        let intended = killed_at(&stack, line);
        // A command that changes anything takes it back first; there is nothing to prune.
        let (code, text) = run(&stack, &["snapshot", "prune"]);
        assert_eq!(code, Some(0), "{line}: {text}");
        let told = if intended { "is taken back" } else { "is removed" };
        assert!(text.contains(told), "{line}: {text}");
        for note in ["rollback", "making"] {
            assert!(!stack.dir().join(".vigie/points").join(note).exists(), "{line}");
        }
        assert_eq!(world.read(), all("present"), "killed at {line}: {text}");
    }

    // A database that does not take its dump.
    break_dump(stack.dir());
    let (code, text) = run(&stack, &["snapshot", "rollback", "v1.0-base", "--yes"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("everything is again as it was before"), "{text}");
    assert_eq!(world.read(), all("present"));
}

/// Kills a rollback as soon as it says `line`; whether it had begun to change anything.
fn killed_at(stack: &Stack, line: &str) -> bool {
    let path = stack.dir().join("killed.log");
    let mut command = vigie();
    stack.docker().point(&mut command);
    command.args(["snapshot", "rollback", "v1.0-base", "--yes"]).current_dir(stack.dir());
    let log = std::fs::File::create(&path).unwrap();
    let mut child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
    let end = std::time::Instant::now() + Duration::from_secs(120);
    // The plan has the same words; what is done comes behind it.
    let done = || {
        let text = std::fs::read_to_string(&path).unwrap();
        let work =
            text.split_once("a restore point of the present").map(|(_, work)| work.to_owned());
        work.is_some_and(|work| work.contains(line))
    };
    while !done() {
        assert!(child.try_wait().unwrap().is_none(), "it was over before `{line}`");
        assert!(std::time::Instant::now() < end, "never said `{line}`");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    stack.dir().join(".vigie/points/rollback").exists()
}

/// Lets the dump of v1.0-base be another snapshot, which is no dump.
fn break_dump(directory: &Path) {
    let path = directory.join(".vigie/points/v1.0-base.json");
    let mut point: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    point["databases"][0]["snapshot"] = point["project"]["snapshot"].clone();
    std::fs::write(&path, point.to_string()).unwrap();
}
