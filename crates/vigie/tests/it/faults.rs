//! Faults of a real stack on a real engine: detected, repaired by the right case, verified.

use std::time::Duration;

use serde_json::Value;
use vigie_testkit::lab::{Lab, Restart, Signal, Stack, docker_or_skip, send_signal};

use crate::watch::{Watch, millis, now_ms};

const READY: &str = "VAC secure mode is activated";

fn game(lab: &Lab, name: &str, restart: Restart) -> Stack {
    let spec = lab.stack(name).unwrap().boot("1500ms").restart(restart);
    let stack = lab.start(spec).unwrap();
    stack.wait_for_console(READY, Duration::from_secs(30)).unwrap();
    stack
}

fn restored(incidents: &[Value]) -> bool {
    incidents.first().is_some_and(|incident| !incident["restored"].is_null())
}

fn rcon(stack: &Stack, command: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let limit = Duration::from_secs(3);
        let address = format!("127.0.0.1:{}", stack.spec.ports.game);
        let mut link =
            vigie::observe::RconLink::open(&address, &stack.secrets.rcon, limit).await.unwrap();
        link.ask(command, limit).await.unwrap();
    });
}

#[test]
fn a_crash_is_seen_at_once_and_repaired_by_case_a() {
    let Some(lab) = docker_or_skip("a crash, repaired by vigie alone") else { return };
    let stack = game(&lab, "it-crash", Restart::No);
    let watch = Watch::on(&stack, "");
    let killed = now_ms();
    stack.crash_game().unwrap();
    let incidents = watch.wait_for("repair", 40, restored);
    let incident = &incidents[0];
    assert!(millis(&incident["detected"]) - killed < 1_000, "{incident:#}");
    // Its own boot is 1.5 s.
    assert!(millis(&incident["restored"]) - killed < 1_500 + 3_000, "{incident:#}");
    assert_eq!(incident["severity"], "P1");
    let run = &incident["runs"][0];
    assert_eq!((&run["case"], &run["verified"]), (&Value::from("A"), &Value::from(true)));
    assert!(run["rejected"].as_array().unwrap().iter().all(|one| one["why"].is_string()));
    assert_eq!(run["steps"][0]["result"], "done");
}

#[test]
fn dockers_own_restart_is_waited_for_and_verified() {
    let Some(lab) = docker_or_skip("a crash under a restart policy") else { return };
    let stack = game(&lab, "it-policy", Restart::UnlessStopped);
    let watch = Watch::on(&stack, "");
    stack.crash_game().unwrap();
    let incidents = watch.wait_for("repair", 40, restored);
    let run = &incidents[0]["runs"][0];
    assert!(run["case"] == "R" || run["case"] == "A", "{run:#}");
    assert_eq!(run["verified"], true);
}

#[test]
fn a_freeze_is_seen_within_20_s_and_repaired_by_case_e() {
    let Some(lab) = docker_or_skip("a freeze") else { return };
    let stack = game(&lab, "it-freeze", Restart::UnlessStopped);
    let watch = Watch::on(&stack, "");
    let frozen = now_ms();
    stack.freeze_game().unwrap();
    let incidents = watch.wait_for("repair", 60, restored);
    let incident = &incidents[0];
    assert!(millis(&incident["detected"]) - frozen <= 20_000, "{incident:#}");
    assert_eq!(incident["runs"][0]["case"], "E");
    assert_eq!(incident["symptoms"][0]["kind"], "frozen");
}

#[test]
fn a_crash_loop_ends_with_the_budget_and_one_escalation() {
    let Some(lab) = docker_or_skip("a crash loop") else { return };
    crash_loop(&lab, "it-loop", Restart::No);
}

#[test]
fn a_crash_loop_under_a_restart_policy_ends_too() {
    // Docker's own backoff starts afresh after ten seconds of life: without vigie this goes on for ever.
    let Some(lab) = docker_or_skip("a crash loop under a restart policy") else { return };
    crash_loop(&lab, "it-policy-loop", Restart::UnlessStopped);
}

fn crash_loop(lab: &Lab, name: &str, restart: Restart) {
    let stack = game(lab, name, restart);
    let watch = Watch::on(&stack, "[budget]\nbackoff = \"500ms\"");
    // Crashes whenever it is up.
    for _ in 0..120 {
        let escalated = watch.incidents().iter().any(|incident| incident["state"] == "escalated");
        if escalated {
            break;
        }
        let _ = stack.crash_game();
        std::thread::sleep(Duration::from_millis(700));
    }
    let incidents = watch.wait_for("escalation", 30, |all| all[0]["state"] == "escalated");
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    let count = |text: &str| watch.log().matches(text).count();
    assert_eq!(count("handed to a person"), 1);
    let restarts = count("step: up") + count("step: recreate");
    assert!(restarts <= 3, "{restarts} restarts");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(stack.docker().state(&stack.spec.game_container).unwrap(), "exited");
}

#[test]
fn a2s_alone_failing_touches_nothing() {
    let Some(lab) = docker_or_skip("one proof alone") else { return };
    let stack = game(&lab, "it-deaf", Restart::UnlessStopped);
    let watch = Watch::on(&stack, "");
    let pid = stack.game_pid().unwrap();
    rcon(&stack, "practice deaf a2s");
    let incidents = watch.wait_for("page", 40, |all| !all.is_empty());
    assert_eq!(incidents[0]["severity"], "P3");
    assert_eq!(incidents[0]["symptoms"][0]["kind"], "unreachable");
    std::thread::sleep(Duration::from_secs(8));
    assert_eq!(stack.game_pid().unwrap(), pid, "the server was touched");
    assert!(watch.incidents()[0]["runs"].as_array().unwrap().is_empty());
}

#[test]
fn an_operators_stop_is_respected() {
    let Some(lab) = docker_or_skip("an operator's stop") else { return };
    let stack = game(&lab, "it-stop", Restart::No);
    let watch = Watch::on(&stack, "");
    let name = &stack.spec.game_container;
    stack.docker().text(["stop", name]).unwrap();
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(stack.docker().state(name).unwrap(), "exited");
    assert!(watch.incidents().is_empty(), "{:#?}", watch.incidents());
    assert!(watch.log().contains("stopped by an operator: respected"));
    assert_eq!(watch.json(&["status", "--json"])["services"][0]["state"], "stopped");
}

#[test]
fn a_killed_database_is_one_incident_and_comes_back() {
    let Some(lab) = docker_or_skip("a killed database") else { return };
    let spec = lab.stack("it-database").unwrap().boot("1s").restart(Restart::UnlessStopped);
    let spec = lab.with_database(spec).unwrap();
    let stack = lab.start(spec).unwrap();
    stack.wait_for_database(Duration::from_secs(60)).unwrap();
    stack.wait_for_console(READY, Duration::from_secs(30)).unwrap();
    let watch = Watch::on(&stack, "");
    stack.docker().text(["kill", &stack.spec.database_container]).unwrap();
    let incidents = watch.wait_for("repair", 60, restored);
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert_eq!(incidents[0]["service"], "mysql");
    let log = watch.log();
    assert!(log.contains("degraded: the stack works without mysql"), "{log}");
    assert!(log.contains("no longer degraded"), "{log}");
}

#[test]
fn a_frozen_database_is_one_incident_and_is_restarted() {
    let Some(lab) = docker_or_skip("a frozen database") else { return };
    let spec = lab.stack("it-hung-db").unwrap().boot("1s").restart(Restart::UnlessStopped);
    let spec = lab.with_database(spec).unwrap();
    let stack = lab.start(spec).unwrap();
    stack.wait_for_database(Duration::from_secs(60)).unwrap();
    stack.wait_for_console(READY, Duration::from_secs(30)).unwrap();
    let watch = Watch::on(&stack, "");
    let frozen = stack.database_pid().unwrap();
    send_signal(frozen, Signal::STOP).unwrap();
    let incidents = watch.wait_for("repair", 120, restored);
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert_eq!(incidents[0]["service"], "mysql");
    assert_ne!(stack.database_pid().unwrap(), frozen, "it was not restarted");
}
