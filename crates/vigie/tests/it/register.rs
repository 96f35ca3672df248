//! The register and the risk matrix on the command line: without a daemon, with one, and beside a
//! real stack.

use std::path::Path;
use std::process::Output;

use serde_json::Value;
use vigie_testkit::lab::{Restart, docker_or_skip};

use crate::survival::{ready, restored};
use crate::watch::{Watch, vigie};

const CONFIG: &str = "[stack]\nname = \"x\"\nruntime = \"process\"\n\
    [service.gmod]\nrole = \"game\"\ncommand = [\"true\"]\n";
const TABLE: &str = "# | Incident | Gravité | Cause racine | Résolution | Temps\n";

fn run(directory: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output: Output = vigie().args(arguments).current_dir(directory).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

fn json(directory: &Path, arguments: &[&str]) -> Value {
    let output = vigie().args(arguments).current_dir(directory).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_table_is_imported_once_without_a_daemon() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    std::fs::write(here.join("vigie.toml"), CONFIG).unwrap();
    let rows = "| 1 | MySQLOO ne charge pas | P2 | x | y | 2h |\n| 2 | Carte noire | P3 | a | b | 10min |\n";
    let table = format!("| {}|---|---|---|---|---|---|\n{rows}", TABLE.replace('\n', " |\n"));
    std::fs::write(here.join("incidents.md"), table).unwrap();
    let (code, text) = run(here, &["incident", "import", "incidents.md", "--dry-run"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("would learn: K11 P3 Carte noire"), "{text}");
    assert!(!here.join(".vigie").exists(), "a dry run writes nothing");
    let (code, text) = run(here, &["incident", "import", "incidents.md"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("1 learned") && text.contains("known already: MySQLOO"), "{text}");
    let (_, text) = run(here, &["incident", "import", "incidents.md"]);
    assert!(!text.contains("learned"), "{text}");
    let known = json(here, &["incident", "known", "--json", "--lang", "fr"]);
    assert_eq!(known.as_array().unwrap().len(), 11);
    assert_eq!(known[0]["title"], "MySQLOO ne charge pas");
    assert_eq!(known[10]["took_ms"], 600_000);
    std::fs::write(here.join("bad.csv"), "Incident,Severity,Resolution\nx,huge,y\n").unwrap();
    let (code, text) = run(here, &["incident", "import", "bad.csv"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("bad.csv:2: column Severity: `huge`"), "{text}");
}

#[test]
fn an_empty_register_answers_every_question() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    std::fs::write(here.join("vigie.toml"), CONFIG).unwrap();
    let filters = ["--severity", "P2", "--since", "7d", "--state", "active", "--service", "gmod"];
    let (code, text) = run(here, &[&["incident", "list"][..], &filters].concat());
    assert_eq!((code, text.trim()), (Some(0), "no such incident"));
    for wrong in [["--service", "nobody"], ["--state", "sad"], ["--since", "later"]] {
        let (code, text) = run(here, &[&["incident", "list"][..], &wrong].concat());
        assert_eq!(code, Some(2), "{text}");
    }
    let told = json(here, &["incident", "stats", "--json"]);
    assert_eq!(told["counts"][0], serde_json::json!({ "severity": "P1", "incidents": 0 }));
    assert_eq!(told["mttr"], serde_json::json!({ "n": 0, "median_ms": null }));
    assert_eq!(told["services"][0]["service"], "gmod");
    assert_eq!(run(here, &["incident", "stats", "--since", "all"]).0, Some(0));
    let (code, text) = run(here, &["incident", "similar", "7"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("there is no incident 7; try: vigie incident list"), "{text}");
    let (code, text) = run(here, &["risk"]);
    assert_eq!(code, Some(1));
    assert!(
        text.contains("backup_age") && text.contains("no backup yet: [backup] in vigie.toml"),
        "{text}"
    );
}

fn check<'a>(report: &'a Value, risk: &str, check: &str) -> &'a Value {
    let risks = report["risks"].as_array().unwrap();
    let risk = risks.iter().find(|one| one["id"] == risk).unwrap();
    let checks = risk["checks"].as_array().unwrap();
    &checks.iter().find(|one| one["check"] == check).unwrap()["state"]
}

#[test]
fn the_matrix_is_checked_on_a_real_stack_and_says_what_came_true() {
    let Some(lab) = docker_or_skip("the risk matrix beside a real stack") else { return };
    let spec = lab.stack("it-risk").unwrap().boot("1s").restart(Restart::UnlessStopped);
    let stack = lab.start(spec).unwrap();
    ready(&stack);
    let watch = Watch::on(&stack, "");
    let report = watch.json(&["risk", "--json"]);
    assert_eq!(check(&report, "R1", "restart_policy"), "present", "{report:#}");
    assert_eq!(check(&report, "R7", "memory_limit"), "present");
    // The practice image was only made here.
    assert_eq!(check(&report, "R1", "image_in_registry"), "missing");
    assert_eq!(check(&report, "R8", "backup_age"), "missing");
    assert_eq!(report["risks"][0]["came_true"]["times"], 0);
    assert!(report["open"].as_array().unwrap().contains(&Value::from("R1")));
    assert_eq!(watch.run(&["risk"]).status.code(), Some(1));

    stack.crash_game().unwrap();
    watch.wait_for("repair", 60, restored);
    let report = watch.json(&["risk", "--json"]);
    assert_eq!(report["risks"][0]["came_true"]["times"], 1, "{report:#}");
    let told = watch.json(&["incident", "stats", "--json"]);
    assert_eq!((&told["counts"][0]["incidents"], &told["mttr"]["n"]), (&1.into(), &1.into()));
    let month = &told["services"][0]["months"][0];
    assert!(month["down_ms"]["most"].as_i64().unwrap() > 0, "{told:#}");
    let similar = watch.json(&["incident", "similar", "1", "--json"]);
    assert_eq!(similar["similar"], serde_json::json!([]));

    // The daemon holds the journal: what is imported goes through it.
    let table = stack.dir().join("more.csv");
    std::fs::write(&table, "Incident,Resolution\nBlack map,recompiled\n").unwrap();
    let output = watch.run(&["incident", "import", "more.csv"]);
    assert!(output.status.success(), "{output:?}");
    let known = watch.json(&["incident", "known", "--json"]);
    assert_eq!(known.as_array().unwrap().len(), 11);
    assert_eq!(known[10]["title"], "Black map");
}
