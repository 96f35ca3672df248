//! `vigie up`: what the compose file says is applied in order, proved, and is no incident.

use std::process::{Child, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use vigie_testkit::lab::{Restart, Signal, Stack, docker_or_skip, send_signal};

use crate::survival::ready;
use crate::watch::{Watch, vigie};

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// Changes the compose file.
fn edit(stack: &Stack, from: &str, to: &str) {
    let path = stack.dir().join("docker-compose.yml");
    let file = std::fs::read_to_string(&path).unwrap();
    assert!(file.contains(from), "the file has no {from}");
    std::fs::write(&path, file.replacen(from, to, 1)).unwrap();
}

fn made(stack: &Stack, container: &str) -> String {
    stack.docker().inspect(container).unwrap()["Created"].as_str().unwrap().to_owned()
}

fn env(stack: &Stack) -> String {
    stack.docker().inspect(&stack.spec.game_container).unwrap()["Config"]["Env"].to_string()
}

fn start(stack: &Stack, arguments: &[&str]) -> Child {
    let mut command = vigie();
    stack.docker().point(&mut command);
    command.args(arguments).current_dir(stack.dir());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_changed_file_is_applied_in_order_and_is_no_incident() {
    let Some(lab) = docker_or_skip("a changed compose file, applied") else { return };
    let spec = lab.stack("it-up").unwrap().boot("1s").restart(Restart::UnlessStopped);
    let stack = lab.start(lab.with_database(spec).unwrap()).unwrap();
    ready(&stack);
    let watch = Watch::on(&stack, "");
    let same = watch.run(&["up", "--dry-run"]);
    assert_eq!(same.status.code(), Some(0), "{same:?}");
    assert_eq!(text(&same).matches("is what the compose file says").count(), 2, "{same:?}");
    edit(&stack, "MAP: gm_construct", "MAP: gm_flatgrass");
    edit(&stack, "mem_limit: 512m", "mem_limit: 500m");
    let before = [&stack.spec.game_container, &stack.spec.database_container]
        .map(|container| made(&stack, container));
    let dry = watch.run(&["up", "--dry-run"]);
    let said = text(&dry);
    assert_eq!(dry.status.code(), Some(0), "{said}");
    assert!(said.contains("the variable MAP is gm_construct instead of gm_flatgrass"), "{said}");
    assert!(said.contains("the memory limit is 512MiB instead of 500MiB"), "{said}");
    assert!(env(&stack).contains("MAP=gm_construct"), "a dry run changes nothing");
    let done = watch.run(&["up", "--by", "ada"]);
    let said = text(&done);
    assert_eq!(done.status.code(), Some(0), "{said}\n{}", watch.log());
    // The database first, and the game only when it answers.
    let order =
        ["mysql: is made afresh", "mysql: well after", "gmod: is made afresh", "gmod: well"];
    let places: Vec<_> = order.iter().map(|line| said.find(line).unwrap()).collect();
    assert!(places.is_sorted(), "{said}");
    assert!(said.contains("verified: the watch sees every service well"), "{said}");
    assert!(env(&stack).contains("MAP=gm_flatgrass"));
    let after = [&stack.spec.game_container, &stack.spec.database_container]
        .map(|container| made(&stack, container));
    assert!(before[0] != after[0] && before[1] != after[1] && after[1] < after[0], "{after:?}");
    // The watch took none of it for a fault, and goes on with its work.
    assert!(watch.json(&["status", "--json"])["maintenance"].is_null());
    std::thread::sleep(Duration::from_secs(2));
    assert!(watch.incidents().is_empty(), "{:#?}", watch.incidents());
    let again = watch.run(&["up"]);
    assert_eq!(text(&again).matches("is what the compose file says").count(), 2, "{again:?}");
    assert_eq!(made(&stack, &stack.spec.game_container), after[0], "it was made afresh again");
}

#[test]
fn what_does_not_come_up_is_said_and_the_watch_goes_on() {
    let Some(lab) = docker_or_skip("a compose file that breaks the game") else { return };
    let spec = lab.stack("it-up-bad").unwrap().boot("1s").restart(Restart::No);
    let stack = lab.start(spec).unwrap();
    ready(&stack);
    let watch = Watch::on(&stack, "[service.gmod]\nboot_grace = \"8s\"");
    // A port on which nobody looks.
    let game = stack.spec.ports.game;
    edit(&stack, &format!("127.0.0.1:{game}:27015/udp"), "127.0.0.1::27015/udp");
    let done = watch.run(&["up"]);
    let said = text(&done);
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("gmod is not well: a2s: "), "{said}");
    assert!(said.contains("vigie diagnose"), "{said}");
    assert!(watch.json(&["status", "--json"])["maintenance"].is_null(), "{said}");
    // A file that is none: nothing was touched.
    let before = made(&stack, &stack.spec.game_container);
    edit(&stack, "services:", "services: [");
    let done = watch.run(&["up"]);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    assert!(text(&done).contains("compose"), "{done:?}");
    assert_eq!(made(&stack, &stack.spec.game_container), before);
}

#[test]
fn an_interrupted_one_ends_its_maintenance() {
    let Some(lab) = docker_or_skip("`vigie up`, interrupted") else { return };
    let spec = lab.stack("it-up-int").unwrap().boot("1s").restart(Restart::No);
    let stack = lab.start(spec).unwrap();
    ready(&stack);
    let watch = Watch::on(&stack, "");
    edit(&stack, "PRACTICE_BOOT: \"1s\"", "PRACTICE_BOOT: \"60s\"");
    let child = start(&stack, &["up"]);
    let began = std::time::Instant::now();
    while watch.json(&["status", "--json"])["maintenance"].is_null() {
        assert!(began.elapsed() < Duration::from_secs(20), "no maintenance: {}", watch.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    send_signal(child.id().try_into().unwrap(), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output).contains("interrupted"), "{output:?}");
    assert_eq!(watch.json(&["status", "--json"])["maintenance"], Value::Null);
}

#[test]
fn without_a_watch_it_looks_itself_and_starts_what_is_missing() {
    let Some(lab) = docker_or_skip("`vigie up` without a watch") else { return };
    let spec = lab.stack("it-up-alone").unwrap().boot("500ms").restart(Restart::No);
    let stack = lab.start(lab.with_database(spec).unwrap()).unwrap();
    let run = |arguments: &[&str]| start(&stack, arguments).wait_with_output().unwrap();
    assert!(run(&["init"]).status.success());
    stack.wait_for_database(Duration::from_secs(90)).unwrap();
    stack.compose(["down"]).unwrap();
    // The game alone is named; what it needs comes first.
    let done = run(&["up", "gmod"]);
    let said = text(&done);
    assert_eq!(done.status.code(), Some(0), "{said}");
    let places = ["mysql: is started, it was missing", "gmod: is started, it was missing"]
        .map(|line| said.find(line).unwrap());
    assert!(places.is_sorted() && said.contains("no watch runs"), "{said}");
    let nobody = run(&["up", "nobody"]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(text(&nobody).contains("the stack has: gmod, mysql"), "{nobody:?}");
    let mut away = vigie();
    stack.docker().point(&mut away);
    away.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    let away = away.args(["up"]).current_dir(stack.dir()).output().unwrap();
    assert_eq!(away.status.code(), Some(3), "{away:?}");
}
