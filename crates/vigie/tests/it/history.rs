//! What was before is the cure: a corrupt image goes back to the last one that worked, and a young
//! commit that broke an addon is taken back, each after a person's yes, on the real engine.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use vigie_testkit::lab::{Lab, Restart, Stack, docker_or_skip};

use crate::survival::{ready, restored};
use crate::watch::Watch;

const FILE: &str = "addons/patch/lua/patch/server/cleanup.lua";

fn git(at: &Path, arguments: &[&str]) -> String {
    let identity = ["-c", "user.name=anna", "-c", "user.email=anna@localhost"];
    let output = Command::new("git").current_dir(at).args(identity).args(arguments).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A stack whose game has an image of its own, `v0.9-lab`, removed with it. The stack goes first.
fn imaged(lab: &Lab, name: &str) -> (Stack, crate::snapshot::Images) {
    let mut spec = lab.stack(name).unwrap().boot("1s").restart(Restart::No);
    let repository = format!("vigie-it/{}", spec.project);
    let docker = lab.docker().clone();
    let image = format!("{repository}:v0.9-lab");
    crate::snapshot::Images::like(&docker, &spec.game_image, &image);
    let images = crate::snapshot::Images { docker, repository };
    spec.game_image = image;
    let stack = lab.start(spec).unwrap();
    ready(&stack);
    (stack, images)
}

/// Makes the restore point `v1.0-stable`, and lets it be known as good.
fn good_point(stack: &Stack, watch: &Watch) {
    let made = watch.run(&["snapshot", "create", "v1.0-stable"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    // It ran for a day.
    let point = stack.dir().join(".vigie/points/v1.0-stable.json");
    let mut told: Value = serde_json::from_slice(&std::fs::read(&point).unwrap()).unwrap();
    told["good"] = crate::watch::now_ms().into();
    std::fs::write(&point, told.to_string()).unwrap();
}

fn compose_file(stack: &Stack) -> String {
    std::fs::read_to_string(stack.dir().join("docker-compose.yml")).unwrap()
}

fn started(lab: &Lab, name: &str) -> Stack {
    let mut spec = lab.stack(name).unwrap().boot("1s").restart(Restart::No);
    spec.git = true;
    let stack = lab.start(spec).unwrap();
    ready(&stack);
    stack
}

/// Waits until a run asks, and says yes.
fn approve(watch: &Watch) -> Value {
    let asked = || !watch.json(&["status", "--json"])["approvals"].as_array().unwrap().is_empty();
    watch.wait_for("question", 60, |_| asked());
    let shown = watch.json(&["incident", "show", "1", "--json"]);
    let output = watch.run(&["runbook", "approve", "1"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    shown
}

#[test]
fn a_corrupt_image_goes_back_to_the_last_one_that_worked() {
    let Some(lab) = docker_or_skip("a corrupt image") else { return };
    let (stack, images) = imaged(&lab, "it-corrupt");
    let repository = &images.repository;
    let mut watch = Watch::on(&stack, "");
    good_point(&stack, &watch);

    // A new image whose program is not there.
    let broken = format!("{repository}:v1.1-broken");
    let change = "ENTRYPOINT [\"/no/such/program\"]";
    let game = &stack.spec.game_container;
    stack.docker().text(["commit", "--change", change, game, &broken]).unwrap();
    let file = stack.dir().join("docker-compose.yml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace(":v0.9-lab", ":v1.1-broken")).unwrap();
    let _ = stack.compose(["up", "-d", "gmod"]);

    let shown = approve(&watch);
    let evidence = &shown["runs"][0]["way_back"];
    assert_eq!(evidence["point"], "v1.0-stable", "{shown:#}");
    watch.wait_for("repair", 120, restored);
    let shown = watch.json(&["incident", "show", "1", "--json"]);
    assert_eq!(shown["runs"][0]["case"], "C", "{shown:#}");
    let text = compose_file(&stack);
    assert!(text.contains(&format!("{repository}:v1.0-stable")), "{text}");
    let points = watch.run(&["snapshot", "list"]);
    assert!(String::from_utf8_lossy(&points.stdout).contains("before-v1.0-stable"));
    watch.wait_well();
}

#[test]
fn a_commit_that_broke_an_addon_is_taken_back() {
    let Some(lab) = docker_or_skip("a commit that broke an addon") else { return };
    let stack = started(&lab, "it-revert");
    let at = stack.dir();
    std::fs::create_dir_all(at.join(FILE).parent().unwrap()).unwrap();
    let whole: String = (1..=20).map(|line| format!("-- {line}\n")).collect();
    std::fs::write(at.join(FILE), &whole).unwrap();
    git(at, &["add", "addons"]);
    git(at, &["commit", "-q", "-m", "Clean up"]);
    let worse = whole.replace("-- 13\n", "for _, o in pairs(1) do o:Remove() end\n");
    std::fs::write(at.join(FILE), &worse).unwrap();
    git(at, &["commit", "-q", "-am", "Clean up faster"]);
    let blamed = git(at, &["rev-parse", "HEAD"]);

    let watch = Watch::on(&stack, "[service.gmod]\nlimits = { lua_quiet = \"5s\" }");
    let spew = |times: &str| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let limit = std::time::Duration::from_secs(3);
            let address = format!("127.0.0.1:{}", stack.spec.ports.game);
            let secret = &stack.secrets.rcon;
            let link = vigie::observe::RconLink::open(&address, secret, limit).await;
            link.unwrap().ask(&format!("practice spew lua 1 {times}"), limit).await.unwrap();
        });
    };
    spew("1");
    let shown = approve(&watch);
    let suspect = &shown["runs"][0]["suspect"];
    assert_eq!(suspect["commit"], blamed.as_str(), "{shown:#}");
    assert_eq!(suspect["file"], FILE);
    assert!(suspect["diff"].to_string().contains("+for _, o in pairs(1)"), "{suspect:#}");
    assert!(suspect["log"].to_string().contains("Clean up faster"), "{suspect:#}");
    // As a person reads it before the yes.
    let read = watch.run(&["incident", "show", "1"]);
    let read = String::from_utf8_lossy(&read.stdout).into_owned();
    assert!(read.contains("blamed: ") && read.contains("Clean up faster"), "{read}");

    watch.wait_for("repair", 120, restored);
    let shown = watch.json(&["incident", "show", "1", "--json"]);
    assert_eq!(shown["runs"][0]["case"], "A", "{shown:#}");
    assert_eq!(std::fs::read_to_string(at.join(FILE)).unwrap(), whole);
    assert_eq!(git(at, &["log", "-1", "--format=%s"]), "Revert \"Clean up faster\"");
    assert_eq!(git(at, &["status", "--porcelain", "--untracked-files=no"]), "");
}

#[test]
fn a_watched_file_that_changed_is_named_with_what_changed() {
    let Some(lab) = docker_or_skip("a configuration that changed") else { return };
    let (stack, _images) = imaged(&lab, "it-changed");
    let at = stack.dir();
    let config = at.join("addons/construction/lua/construction/sh_config.lua");
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    std::fs::write(&config, "Limit = 200\nPassword = \"s3cr3t-of-lua\"\n").unwrap();
    let watch = Watch::on(&stack, "[service.gmod]\nlimits = { lua_quiet = \"5s\" }");
    good_point(&stack, &watch);
    std::fs::write(&config, "Limit = -1\nPassword = \"s3cr3t-of-lua\"\n").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let limit = std::time::Duration::from_secs(3);
        let address = format!("127.0.0.1:{}", stack.spec.ports.game);
        let link = vigie::observe::RconLink::open(&address, &stack.secrets.rcon, limit).await;
        link.unwrap().ask("practice spew lua 1 1", limit).await.unwrap();
    });
    let escalated = |all: &[Value]| all.iter().any(|one| one["state"] == "escalated");
    watch.wait_for("hand-over", 60, escalated);
    let shown = watch.json(&["incident", "show", "1", "--json"]);
    assert_eq!(shown["runs"][0]["case"], "B", "{shown:#}");
    let changed = &shown["runs"][0]["changed"][0];
    let file = "addons/construction/lua/construction/sh_config.lua";
    assert_eq!((&changed["file"], &changed["since"]), (&file.into(), &"v1.0-stable".into()));
    let diff = changed["diff"].to_string();
    assert!(diff.contains("-Limit = 200") && diff.contains("+Limit = -1"), "{diff}");
    assert!(!shown.to_string().contains("s3cr3t-of-lua"), "{shown:#}");
    let told = shown["timeline"].to_string();
    assert!(told.contains(&format!("changed since it last worked: {file}")), "{told}");
}

#[test]
fn a_step_back_of_the_image_can_be_taken_forward_again() {
    let Some(lab) = docker_or_skip("an image back and forward") else { return };
    let (stack, images) = imaged(&lab, "it-forward");
    let mut watch = Watch::on(&stack, "");
    good_point(&stack, &watch);
    watch.stop();
    let mut config = vigie::config::Config::read(&stack.dir().join("vigie.toml")).unwrap();
    config.file.stack.docker_host = Some(stack.docker().host().to_owned());
    let docker = vigie::app::docker_runtime(&config).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let runs = |tag: &str| {
        let text = compose_file(&stack);
        assert!(text.contains(&format!("image: {}:{tag}", images.repository)), "{text}");
    };
    runtime.block_on(async {
        let (back, forward) = (vigie::snapshot::image_back, vigie::snapshot::image_forward);
        // There is nothing to take back yet.
        forward(&config, &docker, "gmod", "v1.0-stable").await.unwrap();
        runs("v0.9-lab");
        back(&config, &docker, "gmod", "v1.0-stable").await.unwrap();
        runs("v1.0-stable");
        forward(&config, &docker, "gmod", "v1.0-stable").await.unwrap();
        runs("v1.1-before-v1.0-stable");
        let unknown = back(&config, &docker, "gmod", "v7.7-none").await.unwrap_err();
        assert!(unknown.contains("v7.7-none"), "{unknown}");
    });
}
