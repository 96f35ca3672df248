//! The drill of the whole stack on a real engine: it comes up beside the living one from the backups alone,
//! answers, and is gone again, and the living one has not noticed; what does not come back is an incident,
//! and what a killed drill has left goes.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::Value;
use vigie_testkit::lab::{Signal, Stack, docker_or_skip, send_signal};

use crate::backup::{begun, begun_from, fine, json, run, sql};
use crate::snapshot::Images;
use crate::survival::ready;
use crate::watch::vigie;

/// What an engine or a disk has of scratch stacks of `stack`.
fn left(stack: &Stack) -> Vec<String> {
    let docker = stack.docker();
    let prefix = format!("vigie-drill-{}", stack.spec.project.chars().take(20).collect::<String>());
    let label = "{{.Label \"com.docker.compose.project\"}}";
    let mut found = Vec::new();
    for listed in [
        docker.text(["ps", "-a", "--format", label]),
        docker.text(["network", "ls", "--format", label]),
        docker.text(["volume", "ls", "--format", label]),
        docker.text(["images", "--format", "{{.Repository}}"]),
    ] {
        let listed = listed.unwrap();
        found.extend(listed.lines().filter(|one| one.starts_with(&prefix)).map(str::to_owned));
    }
    let inside = std::fs::read_dir(stack.dir().join(".vigie/backup")).unwrap();
    let names = inside.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    found.extend(names.filter(|name| name.starts_with(".drill-")));
    found
}

/// What must be the same before and after: containers, their starts, their mounts, the image's name.
fn living(stack: &Stack) -> Vec<String> {
    let docker = stack.docker();
    let of = |name: &str| {
        let seen = docker.inspect(name).unwrap();
        let mut mounts: Vec<_> =
            seen["Mounts"].as_array().unwrap().iter().map(ToString::to_string).collect();
        mounts.sort();
        format!("{} {} {mounts:?}", seen["Id"], seen["State"]["StartedAt"])
    };
    let volume = format!("{}_gmod-server-data", stack.spec.project);
    let created =
        docker.text(["volume", "inspect", "--format", "{{.CreatedAt}}", &volume]).unwrap();
    vec![of(&stack.spec.game_container), of(&stack.spec.database_container), created]
}

fn volume(stack: &Stack) -> PathBuf {
    let name = format!("{}_gmod-server-data", stack.spec.project);
    let inspected = ["volume", "inspect", "--format", "{{.Mountpoint}}", &name];
    PathBuf::from(stack.docker().text(inspected).unwrap().trim())
}

fn proved<'a>(drill: &'a Value, start: &str) -> &'a str {
    let all = drill["proved"].as_array().unwrap();
    let found = all.iter().filter_map(Value::as_str).find(|line| line.starts_with(start));
    found.unwrap_or_else(|| panic!("{start}: {drill:#}"))
}

#[test]
fn the_whole_stack_comes_up_beside_the_living_one_and_leaves_nothing() {
    let Some(lab) = docker_or_skip("the drill of a whole stack") else { return };
    let mut spec = lab.stack("it-whole").unwrap();
    // An image that the engine has only once.
    let (docker, first) = (lab.docker().clone(), spec.game_image.clone());
    let repository = format!("vigie-it/{}", spec.project);
    let image = format!("{repository}:v0.9-lab");
    let maker = format!("{}-maker", spec.project);
    docker.text(["create", "--name", &maker, &first]).unwrap();
    let label = format!("LABEL it={}", spec.project);
    let id = docker.text(["commit", "--change", &label, &maker, &image]).unwrap().trim().to_owned();
    docker.text(["rm", &maker]).unwrap();
    spec.game_image.clone_from(&image);
    let images = Images { docker: docker.clone(), repository };
    let never = ["database", "files", "images", "prune", "verify", "drill"];
    let never = never.map(|work| format!("{work} = \"never\"")).join(", ");
    let extra = format!("exclude = [\"image:mysql\"]\nbinlog = false\nschedule = {{ {never} }}");
    let stack = begun_from(&lab, spec, &extra);
    std::fs::write(volume(&stack).join("volume.txt"), "kept").unwrap();
    std::fs::write(stack.dir().join("addons/word.txt"), "kept").unwrap();
    fine(&stack, &["backup", "init"]);
    fine(&stack, &["backup", "run"]);

    // The living stack goes on: another image, other rows, other files.
    let compose = stack.dir().join("docker-compose.yml");
    let text = std::fs::read_to_string(&compose).unwrap();
    std::fs::write(&compose, text.replace(&image, &first)).unwrap();
    stack.up().unwrap();
    ready(&stack);
    docker.text(["rmi", &image]).unwrap();
    assert!(docker.text(["image", "inspect", &id]).is_err(), "the engine has it no more");
    sql(&stack, "UPDATE shared_blueprints SET name = 'later' WHERE id = 1");
    std::fs::write(volume(&stack).join("volume.txt"), "later").unwrap();
    let before = living(&stack);
    let watch = crate::watch::Watch::of(&stack);

    let planned = fine(&stack, &["backup", "drill", "stack", "--dry-run"]);
    assert_eq!(planned.lines().count(), 1, "{planned}");
    assert!(planned.starts_with("would bring the whole stack up beside"), "{planned}");
    let drill = json(&stack, &["backup", "drill", "stack", "--json"])["stack"].clone();
    assert!(drill["failed"].is_null(), "{drill:#}");
    assert_eq!(drill["missed"], serde_json::json!([]), "{drill:#}");
    assert!(drill["took_ms"].as_u64().unwrap() > 0 && drill["age_ms"].as_u64().unwrap() > 0);
    assert!(proved(&drill, "gmod answers: a2s: ").contains("rcon: login works"), "{drill:#}");
    let database = proved(&drill, "database:gmod_construction: ");
    assert!(database.ends_with("checksums as they were kept"), "{database}");
    assert!(proved(&drill, "image:gmod: ").ends_with("loaded, as it was kept"), "{drill:#}");
    assert!(proved(&drill, &stack.spec.database_image.clone().unwrap()).contains("in no backup"));
    proved(&drill, "files:addons: ");
    proved(&drill, "volume:");
    assert!(!drill.to_string().contains("mysql-data"), "a dump stands for it: {drill:#}");

    assert_eq!(left(&stack), [""; 0]);
    assert!(docker.text(["image", "inspect", &id]).is_err(), "the image went with it");
    assert_eq!(living(&stack), before, "the living stack has not noticed");
    assert_eq!(watch.incidents(), [Value::Null; 0], "nor has its watch: {}", watch.log());
    let row = sql(&stack, "SELECT name FROM shared_blueprints WHERE id = 1");
    assert_eq!(row.trim(), "later");
    assert_eq!(std::fs::read_to_string(volume(&stack).join("volume.txt")).unwrap(), "later");
    let (_, table) = run(&stack, &["redundancy", "--json"]);
    let rows: Value = serde_json::from_str(&table).unwrap_or_else(|why| panic!("{why}: {table}"));
    let row = rows.as_array().unwrap().iter().find(|row| row["asset"] == "stack").unwrap();
    assert!(row["drilled"].is_object() && row["fresh"] == 3, "{row:#}");
    assert!(images.repository.starts_with("vigie-it/"));
}

#[test]
fn a_stack_that_does_not_come_back_is_an_incident_and_a_killed_drill_is_swept() {
    let Some(lab) = docker_or_skip("a drill that fails, and one that is killed") else { return };
    let stack = begun(&lab, "it-killed", "exclude = [\"image\"]\nbinlog = false");
    let password = stack.dir().join("password");
    std::fs::write(&password, "correct-horse-battery").unwrap();
    let file = stack.dir().join("vigie.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("{ env = \"BACKUP_PASSWORD\" }", "{ file = \"password\" }");
    std::fs::write(&file, text).unwrap();
    fine(&stack, &["backup", "init"]);
    fine(&stack, &["backup", "run", "project", "files", "volume"]);
    let near = stack.dir().join("sites/near");
    let others = crate::backup::packs(&near);
    fine(&stack, &["backup", "run", "database"]);
    let before = living(&stack);

    // Killed while its game starts: another drill removes what is left, and works; with the old Compose, too.
    killed(&stack, "  start gmod\n");
    assert!(left(&stack).len() > 3, "{:?}", left(&stack));
    shares_nothing(&stack);
    let (code, text) = with_the_old_compose(&stack, &["backup", "drill", "stack", "--json"]);
    let drills: Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
    assert_eq!((code, drills["stack"]["failed"].is_null()), (Some(0), true), "{drills:#}");
    assert!(proved(&drills["stack"], "gmod answers: a2s: ").contains("rcon: login works"));
    assert_eq!(left(&stack), [""; 0]);

    // Killed while its database starts; then its dump is damaged, which is found.
    killed(&stack, "  start mysql\n");
    assert!(!left(&stack).is_empty());
    let packs = crate::backup::packs(&near);
    for pack in packs.iter().filter(|pack| !others.contains(pack)) {
        spoil(pack);
    }
    let (code, text) = run(&stack, &["backup", "drill", "stack"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("✗ stack: site near: "), "{text}");
    assert_eq!(left(&stack), [""; 0], "also when it fails");
    assert_eq!(living(&stack), before, "the living stack has not noticed");

    // Killed once more; the watch sweeps when it starts, and says what failed.
    killed(&stack, "  start mysql\n");
    assert!(!left(&stack).is_empty());
    let watch = crate::watch::Watch::of_paused(&stack);
    let end = Instant::now() + Duration::from_secs(60);
    while !left(&stack).is_empty() {
        assert!(Instant::now() < end, "{:?}: {}", left(&stack), watch.log());
        std::thread::sleep(Duration::from_millis(200));
    }
    let failed = |one: &Value| {
        one["severity"] == "P2"
            && one["title"].as_str().is_some_and(|title| title.contains("drills failed: stack: "))
    };
    watch.wait_for("incident of the drill", 60, |all| all.iter().any(failed));
    drop(watch);

    // What has the host's own ports cannot be brought up twice, which is said and is no incident.
    let compose = stack.dir().join("docker-compose.yml");
    let text = std::fs::read_to_string(&compose).unwrap();
    std::fs::write(&compose, text.replace("  gmod:\n", "  gmod:\n    network_mode: host\n"))
        .unwrap();
    let (_, text) = run(&stack, &["backup", "run", "project"]);
    assert!(text.contains("kept project: "), "the other site is told as damaged: {text}");
    let (code, text) = run(&stack, &["backup", "drill", "stack"]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("gmod is on the host's own network"), "{text}");
    let (_, table) = run(&stack, &["redundancy", "--json"]);
    let rows: Value = serde_json::from_str(&table).unwrap_or_else(|why| panic!("{why}: {table}"));
    let row = rows.as_array().unwrap().iter().find(|row| row["asset"] == "stack").unwrap();
    assert_eq!(
        (&row["drill_failed"], &row["drill_every"]),
        (&false.into(), &Value::Null),
        "{row:#}"
    );
    assert!(row["raise"].to_string().contains("host's own network"), "{row:#}");
    assert_eq!(left(&stack), [""; 0]);
}

/// What is left of a drill that was killed has nothing of the living stack, and no way out.
fn shares_nothing(stack: &Stack) {
    let docker = stack.docker();
    let project = left(stack).into_iter().find(|one| one.starts_with("vigie-drill-")).unwrap();
    let filter = format!("label=com.docker.compose.project={project}");
    let ids = docker.text(["ps", "-aq", "--filter", &filter]).unwrap();
    assert_eq!(ids.lines().count(), 2, "{ids}");
    for id in ids.lines() {
        let seen = docker.inspect(id).unwrap();
        assert_eq!(seen["HostConfig"]["PortBindings"], serde_json::json!({}), "{seen:#}");
        assert_eq!(seen["HostConfig"]["RestartPolicy"]["Name"], "no", "{seen:#}");
        for mount in seen["Mounts"].as_array().unwrap() {
            let (source, name) = (mount["Source"].as_str().unwrap(), mount["Name"].as_str());
            let is_own = name.is_some_and(|name| name.starts_with(&format!("{project}_")));
            assert!(is_own || source.contains("/.vigie/backup/.drill-"), "{mount:#}");
        }
        let networks = seen["NetworkSettings"]["Networks"].as_object().unwrap();
        assert_eq!(networks.keys().collect::<Vec<_>>(), [&format!("{project}_default")]);
    }
    let network = format!("{project}_default");
    let inside = docker.text(["network", "inspect", "--format", "{{.Internal}}", &network]);
    assert_eq!(inside.unwrap().trim(), "true");
}

/// `vigie` where `docker compose` is not installed, only `docker-compose`.
fn with_the_old_compose(stack: &Stack, arguments: &[&str]) -> (Option<i32>, String) {
    let empty = tempfile::tempdir().unwrap();
    let mut command = vigie();
    stack.docker().point(&mut command);
    command.env("DOCKER_CONFIG", empty.path()).args(arguments).current_dir(stack.dir());
    let output = command.output().unwrap();
    let text = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

/// Kills a drill with -9, its worker first, when it says `line`.
fn killed(stack: &Stack, line: &str) {
    let path = stack.dir().join("killed.log");
    let log = std::fs::File::create(&path).unwrap();
    let mut command: Command = vigie();
    stack.docker().point(&mut command);
    command.args(["backup", "drill", "stack"]).current_dir(stack.dir());
    let mut drill = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
    let read = || std::fs::read_to_string(&path).unwrap();
    let end = Instant::now() + Duration::from_secs(240);
    while !read().contains(line) {
        assert!(drill.try_wait().unwrap().is_none(), "it was over before {line:?}: {}", read());
        assert!(Instant::now() < end, "never said {line:?}: {}", read());
        std::thread::sleep(Duration::from_millis(20));
    }
    // Until there is something to leave behind.
    while left(stack).iter().filter(|one| !one.starts_with('.')).count() < 2 {
        assert!(drill.try_wait().unwrap().is_none() && Instant::now() < end, "{}", read());
    }
    send_signal(worker(&drill), Signal::KILL).unwrap();
    drill.kill().unwrap();
    drill.wait().unwrap();
}

/// The process that does the work for `drill`.
fn worker(drill: &Child) -> i32 {
    let parent = drill.id().to_string();
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let mut mine = all.filter_map(|process| {
        let stat = std::fs::read_to_string(process.path().join("stat")).ok()?;
        let fields = stat.rsplit_once(") ")?.1.split_whitespace().nth(1)?;
        (fields == parent).then(|| process.file_name().to_str()?.parse().ok()).flatten()
    });
    mine.next().unwrap()
}

/// Flips bits all over a file.
fn spoil(pack: &Path) {
    let mut bytes = std::fs::read(pack).unwrap();
    for at in (0..bytes.len().saturating_sub(64)).step_by(512) {
        bytes[at] ^= 1;
    }
    std::fs::set_permissions(pack, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::write(pack, bytes).unwrap();
}
