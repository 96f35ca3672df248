//! What vigie itself has to survive: its own death at any moment, an engine that goes away, a flood,
//! a compose file that turns invalid, renames.

use std::time::Duration;

use serde_json::Value;
use vigie_testkit::lab::{Restart, Stack, docker_or_skip};

use crate::watch::{Watch, vigie};

pub(crate) const READY: &str = "VAC secure mode is activated";
/// What the server prints first of all.
const FIRST_LINE: &str = "Setting breakpad minidump AppID";

fn steps(incidents: &[Value]) -> Vec<String> {
    let runs = incidents.iter().flat_map(|one| one["runs"].as_array().unwrap().clone());
    let steps = runs.flat_map(|run| run["steps"].as_array().unwrap().clone());
    steps.map(|step| format!("{}: {}", step["step"], step["result"])).collect()
}

fn runs(incidents: &[Value]) -> usize {
    incidents.iter().map(|one| one["runs"].as_array().unwrap().len()).sum()
}

pub(crate) fn restored(incidents: &[Value]) -> bool {
    incidents.first().is_some_and(|incident| !incident["restored"].is_null())
}

pub(crate) fn ready(stack: &Stack) {
    stack.wait_for_console(READY, Duration::from_secs(30)).unwrap();
}

#[test]
fn killed_at_any_moment_of_a_run_it_loses_and_repeats_nothing() {
    let Some(lab) = docker_or_skip("kill -9 of vigie during a run") else { return };
    let spec = lab.stack("it-kill").unwrap().boot("2s").restart(Restart::No);
    let stack = lab.start(spec).unwrap();
    ready(&stack);
    let patient =
        "[budget]\nrestarts = 20\nbackoff = \"100ms\"\n[service.gmod]\nlimits = { exits = 50 }";
    let mut watch = Watch::on(&stack, patient);
    for (round, moment) in [0_u64, 40, 150, 400, 900, 2_500].into_iter().enumerate() {
        let game = &stack.spec.game_container;
        let container = || stack.docker().inspect(game).unwrap()["Id"].clone();
        let starts = (container(), stack.seen_on_console(FIRST_LINE).unwrap());
        stack.crash_game().unwrap();
        std::thread::sleep(Duration::from_millis(moment));
        watch.kill();
        watch.start_again();
        watch.wait_well();
        // Each crash is a relapse of the same incident; none is lost, none is doubled.
        let relapses = |all: &[Value]| restored(all) && runs(all) > round;
        let incidents = watch.wait_for("repair", 60, relapses);
        assert_eq!(incidents.len(), 1, "after {moment} ms: {incidents:#?}");
        // The server itself counts: what was done is not done again, by whatever run.
        // A container that was made afresh (case B) has a console of its own.
        let before = if container() == starts.0 { starts.1 } else { 0 };
        let now = stack.seen_on_console(FIRST_LINE).unwrap();
        assert_eq!(now, before + 1, "after {moment} ms: {incidents:#?}");
        let unknown = steps(&incidents).iter().filter(|step| step.contains("unknown")).count();
        assert!(unknown <= round + 1, "{:?}", steps(&incidents));
        for run in incidents[0]["runs"].as_array().unwrap() {
            let ups = run["steps"].as_array().unwrap().len();
            assert!(ups <= 1, "a step was repeated: {run:#}");
        }
    }
}

#[test]
fn an_engine_that_goes_away_is_said_and_survived() {
    let Some(lab) = docker_or_skip("an engine that is restarted") else { return };
    let image = lab.practice_image().unwrap();
    let mut second = lab.second_engine(&[image]).unwrap();
    let spec = lab.stack("it-engine").unwrap().boot("1s").restart(Restart::Always);
    let stack = lab.start_on(&second.docker().clone(), spec).unwrap();
    ready(&stack);
    let mut watch = Watch::on(&stack, "");
    second.engine().stop().unwrap();
    std::thread::sleep(Duration::from_secs(60));
    assert!(watch.lives());
    assert!(watch.log().contains("the runtime cannot be reached"), "{}", watch.log());
    second.engine().start_again().unwrap();
    watch.wait_well();
    assert!(watch.log().contains("the runtime can be reached"), "{}", watch.log());
    // What happens afterwards is seen as before.
    stack.docker().text(["kill", &stack.spec.game_container]).unwrap();
    watch.wait_for("repair", 60, restored);
}

#[test]
fn a_flood_of_lines_hides_no_crash() {
    let Some(lab) = docker_or_skip("a flood of 100,000 lines a second") else { return };
    let spec = lab.stack("it-flood").unwrap().boot("1s").restart(Restart::No);
    let stack = lab.start(spec).unwrap();
    ready(&stack);
    let mut watch = Watch::on(&stack, "");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let limit = Duration::from_secs(3);
        let address = format!("127.0.0.1:{}", stack.spec.ports.game);
        let secret = &stack.secrets.rcon;
        let mut link = vigie::observe::RconLink::open(&address, secret, limit).await.unwrap();
        link.ask("practice spew flood 100000 10", limit).await.unwrap();
    });
    std::thread::sleep(Duration::from_secs(12));
    assert!(watch.lives());
    stack.crash_game().unwrap();
    let incidents = watch.wait_for("repair", 60, restored);
    assert_eq!(incidents[0]["symptoms"][0]["kind"], "down", "{incidents:#?}");
}

#[test]
fn renamed_and_removed_containers_and_a_broken_compose_file_are_survived() {
    let Some(lab) = docker_or_skip("renames, removals, a broken compose file") else { return };
    let spec = lab.stack("it-rename").unwrap().boot("1s").restart(Restart::No);
    let stack = lab.start(spec).unwrap();
    ready(&stack);
    let mut watch = Watch::on(&stack, "[budget]\nbackoff = \"200ms\"");
    let name = stack.spec.game_container.clone();
    let other = format!("{name}-renamed");
    stack.docker().text(["rename", &name, &other]).unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert!(watch.log().contains("is now called"), "{}", watch.log());
    assert!(watch.incidents().is_empty());
    stack.docker().text(["rename", &other, &name]).unwrap();
    // Removed: missing, and made again by Compose.
    stack.docker().text(["rm", "-f", &name]).unwrap();
    let incidents = watch.wait_for("a new container", 60, restored);
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    // A compose file that turns invalid: the repair fails, a person is told, vigie lives.
    let file = std::fs::read_dir(stack.dir()).unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    let file = file.into_iter().find(|path| path.to_string_lossy().contains("compose")).unwrap();
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{good}\n  broken: [")).unwrap();
    stack.crash_game().unwrap();
    watch.wait_for("escalation", 60, |all| all[0]["state"] == "escalated");
    assert!(watch.lives());
    std::fs::write(&file, good).unwrap();
    stack.up().unwrap();
    watch.wait_for("repair by the person", 60, restored);
}

#[test]
fn a_second_watch_is_refused_and_bad_words_are_explained() {
    let Some(lab) = docker_or_skip("two watches of one stack") else { return };
    let spec = lab.stack("it-twice").unwrap().boot("1s").restart(Restart::No);
    let stack = lab.start(spec).unwrap();
    ready(&stack);
    let watch = Watch::on(&stack, "");
    let output = vigie().arg("watch").current_dir(stack.dir()).output().unwrap();
    assert!(!output.status.success());
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(errors.contains("another vigie already watches"), "{errors}");
    for (words, exit, text) in [
        (&["incident", "ack", "99"][..], 2, "there is no incident"),
        (&["incident", "show", "99"], 2, "vigie incident list"),
        (&["runbook", "run", "nope", "--service", "gmod"], 2, "vigie runbook list"),
        (&["stop", "nope"], 2, "the stack has: gmod"),
    ] {
        let output = watch.run(words);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(exit), "{words:?}: {errors}");
        assert!(errors.contains(text), "{words:?}: {errors}");
    }
    // A dry run asks the watch, which knows more than a look does, and nothing is begun.
    let plan = watch.run(&["runbook", "run", "p1-unreachable", "--service", "gmod", "--dry-run"]);
    let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
    assert!(plan.contains("no case matches") && plan.contains("works again by itself"), "{plan}");
    assert!(watch.incidents().is_empty(), "a dry run opens nothing");
    // A bundle of everything, with no secret in it.
    let bundle = stack.dir().join("all.tar.zst");
    let output = watch.run(&["diagnose", "--bundle", "all.tar.zst"]);
    assert!(output.status.code().is_some_and(|code| code <= 1), "{output:?}");
    let bytes = zstd::decode_all(std::fs::File::open(bundle).unwrap()).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("report.json") && text.contains("vigie.toml"));
    assert!(!text.contains(&stack.secrets.rcon), "the RCON password is in the bundle");
    for command in [&["status"][..], &["diagnose"], &["runbook", "list"]] {
        let output = watch.run(command);
        assert!(!String::from_utf8_lossy(&output.stdout).contains(&stack.secrets.rcon));
    }
}
