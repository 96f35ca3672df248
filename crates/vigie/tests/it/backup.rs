//! Backups of the reference stack on a real engine: kept at two sites, read back, damaged and healed,
//! brought back beside and in place, pruned; and what a killed work leaves behind.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use vigie_testkit::lab::{Lab, Restart, Stack, StackSpec, docker_or_skip};

use crate::survival::ready;
use crate::watch::vigie;

const PASSWORD: &str = "correct-horse-battery";

/// `vigie` in the stack's directory.
pub(crate) fn run(stack: &Stack, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = vigie();
    stack.docker().point(&mut command);
    command.env("BACKUP_PASSWORD", PASSWORD);
    let output = command.args(arguments).current_dir(stack.dir()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

pub(crate) fn fine(stack: &Stack, arguments: &[&str]) -> String {
    let (code, text) = run(stack, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {text}");
    assert!(!text.contains(PASSWORD), "{arguments:?}: {text}");
    text
}

pub(crate) fn json(stack: &Stack, arguments: &[&str]) -> Value {
    serde_json::from_str(&fine(stack, arguments)).unwrap()
}

/// The reference stack with its database and `[backup]` with two local sites.
pub(crate) fn begun(lab: &Lab, name: &str, extra: &str) -> Stack {
    begun_from(lab, lab.stack(name).unwrap(), extra)
}

/// The same from `spec`.
pub(crate) fn begun_from(lab: &Lab, spec: StackSpec, extra: &str) -> Stack {
    let spec = spec.boot("1s").restart(Restart::No);
    let stack = lab.start(lab.with_database(spec).unwrap()).unwrap();
    ready(&stack);
    stack.wait_for_database(Duration::from_secs(180)).unwrap();
    fine(&stack, &["init"]);
    let file = stack.dir().join("vigie.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let backup = format!(
        "\n[backup]\npassword = {{ env = \"BACKUP_PASSWORD\" }}\n{extra}\n[backup.site.near]\n\
         local = \"sites/near\"\n[backup.site.far]\nlocal = \"sites/far\"\noff_site = true\n"
    );
    std::fs::write(&file, text + &backup).unwrap();
    stack
}

pub(crate) fn sql(stack: &Stack, sql: &str) -> String {
    let dotenv = std::fs::read_to_string(stack.dir().join(".env")).unwrap();
    let password = dotenv.lines().find_map(|line| line.strip_prefix("MYSQL_PASSWORD=")).unwrap();
    let word = format!("MYSQL_PWD={password}");
    let database = &stack.spec.database_container;
    let arguments = ["exec", "-e", &word, database, "mysql", "-ugmod", "-N", "-e", sql];
    stack.docker().text([&arguments[..], &["gmod_construction"]].concat()).unwrap()
}

fn name_of(stack: &Stack) -> String {
    sql(stack, "SELECT name FROM shared_blueprints WHERE id = 1").trim().to_owned()
}

fn assets(list: &Value) -> Vec<String> {
    let mut names: Vec<String> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["asset"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Any file of the repository's data.
pub(crate) fn packs(site: &Path) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(site.join("data")).unwrap().flatten();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.path()).unwrap().flatten());
    let mut found: Vec<_> = files.map(|file| file.path()).collect();
    found.sort();
    found
}

#[test]
fn everything_is_kept_at_two_sites_and_comes_back() {
    let Some(lab) = docker_or_skip("backups of the reference stack") else { return };
    let stack = begun(&lab, "it-backup", "exclude = [\"image\"]");
    // Nothing is there yet, and that is said.
    let (code, text) = run(&stack, &["backup", "list"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("vigie backup init"), "{text}");
    let sheet = fine(&stack, &["backup", "init"]);
    assert!(sheet.contains("RECOVERY SHEET") && sheet.contains("$BACKUP_PASSWORD"), "{sheet}");
    let again = fine(&stack, &["backup", "init"]);
    assert!(!again.contains("RECOVERY SHEET") && again.contains("--sheet"), "once: {again}");
    let again = fine(&stack, &["backup", "init", "--sheet"]);
    assert!(again.contains("RECOVERY SHEET"), "{again}");

    sql(&stack, "UPDATE shared_blueprints SET name = 'first' WHERE id = 1");
    std::fs::write(stack.dir().join("addons/word.txt"), "first").unwrap();
    let planned = fine(&stack, &["backup", "run", "--dry-run"]);
    let kept = fine(&stack, &["backup", "run"]);
    // Its server keeps no log, which is no fault.
    let state = std::fs::read_to_string(stack.dir().join(".vigie/backup/state.json")).unwrap();
    assert!(!state.contains("after its dumps"), "{state}");
    let list = json(&stack, &["backup", "list", "--json"]);
    let names = assets(&list);
    for name in &names {
        assert!(planned.contains(name) && kept.contains(name), "{name}: {planned} {kept}");
    }
    let volume = format!("volume:{}_gmod-server-data", stack.spec.project);
    for name in ["database:gmod_construction", "files:addons", "project", &volume] {
        assert!(names.iter().any(|one| one == name), "{name} is not in {names:?}");
    }
    // The other site has it all.
    let far = json(&stack, &["backup", "list", "--site", "far", "--json"]);
    assert_eq!(far, list);
    let shown = json(&stack, &["backup", "show", "database", "--json"]);
    let rows = shown["tables"].as_object().unwrap();
    assert!(rows.keys().any(|name| name.contains("shared_blueprints")), "{shown:#}");

    // Looked at: files, one file, what differs.
    let ls = fine(&stack, &["backup", "ls", "files:addons"]);
    assert!(ls.contains("word.txt"), "{ls}");
    assert_eq!(fine(&stack, &["backup", "cat", "files:addons", "word.txt"]), "first");
    let project = fine(&stack, &["backup", "ls", "project"]);
    for file in ["docker-compose.yml", "vigie.toml", ".env"] {
        assert!(project.contains(file), "{file}: {project}");
    }
    sql(&stack, "UPDATE shared_blueprints SET name = 'second' WHERE id = 1");
    std::fs::write(stack.dir().join("addons/word.txt"), "second").unwrap();
    std::fs::write(stack.dir().join("addons/new.txt"), "new").unwrap();
    fine(&stack, &["backup", "run", "database", "files:addons"]);
    let both = json(&stack, &["backup", "list", "files:addons", "--json"]);
    let first = both[1]["at"].as_str().unwrap().to_owned();
    let old = format!("files:addons@{first}");
    let diff = json(&stack, &["backup", "diff", &old, "files:addons", "--json"]);
    assert_eq!(diff["added"], serde_json::json!(["new.txt"]), "{diff}");
    assert_eq!(diff["changed"], serde_json::json!(["word.txt"]), "{diff}");

    // Brought back beside, from the other site.
    let beside = stack.dir().join("beside");
    let to = beside.to_str().unwrap();
    fine(&stack, &["backup", "restore", &old, "--to", to, "--site", "far"]);
    assert_eq!(std::fs::read_to_string(beside.join("word.txt")).unwrap(), "first");
    // It goes into no directory that has something in it.
    let (code, text) = run(&stack, &["backup", "restore", &old, "--to", to]);
    assert_eq!(code, Some(1), "{text}");

    // In place: not without a yes, and what was there is kept first.
    let database = format!(
        "database@{}",
        json(&stack, &["backup", "list", "database", "--json"])[1]["at"].as_str().unwrap()
    );
    let (code, text) = run(&stack, &["backup", "restore", &database, "--in-place"]);
    assert_eq!((code, name_of(&stack).as_str()), (Some(4), "second"), "{text}");
    sql(&stack, "UPDATE shared_blueprints SET name = 'third' WHERE id = 1");
    let text = fine(&stack, &["backup", "restore", &database, "--in-place", "--yes"]);
    assert_eq!(name_of(&stack), "first");
    let undo = text.lines().find_map(|line| line.strip_prefix("to undo it: vigie ")).unwrap();
    let undo: Vec<&str> = undo.split(' ').chain(["--yes"]).collect();
    fine(&stack, &undo);
    assert_eq!(name_of(&stack), "third", "nothing of the present was lost");
    fine(&stack, &["backup", "restore", &old, "--in-place", "--yes"]);
    assert_eq!(std::fs::read_to_string(stack.dir().join("addons/word.txt")).unwrap(), "first");
    assert!(!stack.dir().join("addons/new.txt").exists());
    ready(&stack);
}

#[test]
fn what_is_damaged_is_named_and_healed_from_the_other_site() {
    let Some(lab) = docker_or_skip("a damaged backup") else { return };
    let stack = begun(&lab, "it-damage", "exclude = [\"image\", \"volume\"]");
    fine(&stack, &["backup", "init"]);
    fine(&stack, &["backup", "run"]);
    fine(&stack, &["backup", "verify"]);
    let near = stack.dir().join("sites/near");
    // In the middle of the largest there is content; in that of the smallest there may be its header.
    let size = |path: &PathBuf| std::fs::metadata(path).unwrap().len();
    let pack = packs(&near).into_iter().max_by_key(size).unwrap();
    let mut bytes = std::fs::read(&pack).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::set_permissions(&pack, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::write(&pack, bytes).unwrap();
    let (code, text) = run(&stack, &["backup", "verify", "near"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("near is damaged") && text.contains("concerns "), "{text}");
    assert!(text.contains("vigie backup repair near --from"), "{text}");
    fine(&stack, &["backup", "verify", "far"]);
    let healed = fine(&stack, &["backup", "repair", "near", "--from", "far"]);
    assert!(healed.contains("near: 1 pieces healed") || healed.contains("healed"), "{healed}");
    fine(&stack, &["backup", "verify", "near"]);
    // A wrong password is no damage.
    let mut command = vigie();
    stack.docker().point(&mut command);
    command.env("BACKUP_PASSWORD", "wrong").args(["backup", "list"]).current_dir(stack.dir());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains("the password does not open"), "{text}");
}

#[test]
fn a_site_that_was_away_is_caught_up_and_old_backups_go() {
    let Some(lab) = docker_or_skip("a site that is away, and pruning") else { return };
    let extra = "exclude = [\"image\", \"volume\", \"files\"]\nkeep = { hourly = 0, daily = 1, monthly = 0 }";
    let stack = begun(&lab, "it-prune", extra);
    fine(&stack, &["backup", "init"]);
    fine(&stack, &["backup", "run", "project"]);
    // The disk of the other site is not there.
    let (far, away) = (stack.dir().join("sites/far"), stack.dir().join("sites/away"));
    std::fs::rename(&far, &away).unwrap();
    std::fs::write(&far, "a file where a directory should be").unwrap();
    let (code, text) = run(&stack, &["backup", "run", "project"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("kept project") && text.contains("far: "), "{text}");
    std::fs::remove_file(&far).unwrap();
    std::fs::rename(&away, &far).unwrap();
    let count = |site: &str| {
        json(&stack, &["backup", "list", "--site", site, "--json"]).as_array().unwrap().len()
    };
    assert_eq!((count("near"), count("far")), (2, 1));
    fine(&stack, &["backup", "copy", "near", "far"]);
    assert_eq!(count("far"), 2);
    // Only the newest of the day stays.
    let planned = fine(&stack, &["backup", "prune", "--site", "near", "--dry-run"]);
    assert!(planned.contains("would go"), "{planned}");
    assert_eq!(count("near"), 2, "a dry run changes nothing");
    fine(&stack, &["backup", "prune", "--site", "near"]);
    assert_eq!((count("near"), count("far")), (1, 2));
    fine(&stack, &["backup", "verify"]);
    // Another stack in the same repository sees its own backups, and forgets none of these.
    let file = stack.dir().join("vigie.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let name = format!("name = \"{}\"", stack.spec.project);
    assert!(text.contains(&name), "{text}");
    std::fs::write(&file, text.replace(&name, "name = \"another\"")).unwrap();
    assert_eq!(count("far"), 0);
    fine(&stack, &["backup", "prune", "--site", "far"]);
    std::fs::write(&file, text).unwrap();
    assert_eq!(count("far"), 2);
}

#[test]
fn a_game_that_was_left_held_still_goes_on() {
    let Some(lab) = docker_or_skip("a game held still for its backup") else { return };
    let extra = "exclude = [\"image\", \"database\", \"files\"]\npause = true";
    let stack = begun(&lab, "it-pause", extra);
    fine(&stack, &["backup", "init"]);
    fine(&stack, &["backup", "run", "volume"]);
    let game = &stack.spec.game_container;
    assert_eq!(stack.docker().state(game).unwrap(), "running");
    // A worker was killed while it read the volume.
    let path = stack.dir().join(".vigie/backup/state.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(state["paused"], serde_json::json!([]), "{state:#}");
    state["paused"] = serde_json::json!(["gmod"]);
    std::fs::write(&path, state.to_string()).unwrap();
    stack.docker().text(["pause", game]).unwrap();
    let _watch = crate::watch::Watch::of_paused(&stack);
    let end = std::time::Instant::now() + Duration::from_secs(60);
    while stack.docker().state(game).unwrap() != "running" {
        assert!(std::time::Instant::now() < end, "it is still held");
        std::thread::sleep(Duration::from_millis(200));
    }
    let state: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(state["paused"], serde_json::json!([]), "{state:#}");
}

#[test]
fn drills_prove_what_comes_back_and_leave_nothing() {
    let Some(lab) = docker_or_skip("drills") else { return };
    let stack = begun(&lab, "it-drill", "exclude = [\"image\"]");
    fine(&stack, &["backup", "init"]);
    fine(&stack, &["backup", "run"]);
    let before = stack.docker().text(["ps", "-aq"]).unwrap();
    let drills = json(&stack, &["backup", "drill", "--json"]);
    for (name, drill) in drills.as_object().unwrap() {
        assert!(drill["failed"].is_null(), "{name}: {drill:#}");
        assert!(drill["took_ms"].as_u64().unwrap() > 0, "{drill:#}");
    }
    let database = drills["database:gmod_construction"]["proved"][0].as_str().unwrap();
    assert!(database.contains("counts and checksums are those of the backup"), "{database}");
    let left: Vec<_> = std::fs::read_dir(stack.dir().join(".vigie/backup"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let left = crate::physical::scratch_left(&stack);
    assert!(left.is_empty(), "{left:?} of {before}");

    // The table: two copies beside the living one, all on one disk.
    let (code, text) = run(&stack, &["redundancy", "--json"]);
    let rows: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let row = |name: &str| {
        let all = rows.as_array().unwrap().iter();
        all.clone().find(|row| row["asset"] == name).unwrap_or_else(|| panic!("{rows:#}")).clone()
    };
    let database = row("database:gmod_construction");
    assert_eq!(
        (&database["level"], &database["fresh"]),
        (&"medium".into(), &3.into()),
        "{database:#}"
    );
    assert!(database["raise"].to_string().contains("all are on one disk"), "{database:#}");
    assert!(database["drilled"].is_object(), "{database:#}");
    assert_eq!(row("player blueprints")["level"], "out_of_scope");
    assert_eq!(code, Some(if text.contains("\"low\"") { 1 } else { 0 }), "{text}");

    // A dump that is damaged does not come back, and that is a failed drill, an incident of its own.
    for pack in packs(&stack.dir().join("sites/near")) {
        let mut bytes = std::fs::read(&pack).unwrap();
        for at in (0..bytes.len().saturating_sub(64)).step_by(512) {
            bytes[at] ^= 1;
        }
        std::fs::set_permissions(&pack, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
        std::fs::write(&pack, bytes).unwrap();
    }
    let (code, text) = run(&stack, &["backup", "drill", "files:addons"]);
    assert_eq!(code, Some(1), "{text}");
}

#[test]
fn the_watch_backs_up_by_itself_and_says_what_is_late() {
    let Some(lab) = docker_or_skip("scheduled backups") else { return };
    let extra = "exclude = [\"image\", \"volume\"]\nbinlog = false";
    let stack = begun(&lab, "it-schedule", extra);
    fine(&stack, &["backup", "init"]);
    let password = stack.dir().join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    let file = stack.dir().join("vigie.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("{ env = \"BACKUP_PASSWORD\" }", "{ file = \"password\" }"))
        .unwrap();
    let mut watch = crate::watch::Watch::of(&stack);
    let kept = || {
        let output = watch.run(&["backup", "list", "--json"]);
        let list: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        list.as_array().map_or(0, |_| assets(&list).len())
    };
    let end = std::time::Instant::now() + Duration::from_secs(120);
    while kept() < 3 {
        assert!(std::time::Instant::now() < end, "nothing is kept: {}", watch.log());
        std::thread::sleep(Duration::from_secs(1));
    }
    assert!(watch.incidents().is_empty(), "a first backup is not late: {:#?}", watch.incidents());
    let status = watch.json(&["status", "--json"]);
    assert!(status["backup"]["sites"][0]["oldest"].is_i64(), "{status:#}");
    // A site that is damaged is an incident, whoever found it.
    for pack in packs(&stack.dir().join("sites/far")) {
        std::fs::remove_file(pack).unwrap();
    }
    let output = watch.run(&["backup", "verify", "far"]);
    assert!(!output.status.success());
    let late = |all: &[Value]| {
        all.iter().any(|one| {
            one["title"].as_str().is_some_and(|title| title.contains("site far: damaged"))
        })
    };
    let incidents = watch.wait_for("incident", 60, late);
    assert_eq!(incidents[0]["severity"], "P2", "{incidents:#?}");
    let healed = watch.run(&["backup", "repair", "far", "--from", "near"]);
    assert!(healed.status.success(), "{}", String::from_utf8_lossy(&healed.stderr));
    watch.wait_for("recovery", 90, |all| {
        all.iter().all(|one| one["restored"].is_string() || one["state"] != "escalated")
    });
    assert!(watch.lives());
}
