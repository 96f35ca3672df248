//! The demo as a user runs it: every scenario goes as told.

use serde_json::Value;

use crate::watch::vigie;

#[test]
fn every_scenario_goes_as_told() {
    let output = vigie().args(["demo", "--json"]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\n{}", String::from_utf8_lossy(&output.stdout));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let scenarios = value["scenarios"].as_array().unwrap();
    let told: Vec<_> = scenarios
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["case"].as_str(), one["verified"] == true))
        .collect();
    assert_eq!(
        told,
        [
            ("crash", Some("A"), true),
            ("freeze", Some("E"), true),
            ("crash-loop", Some("B"), true),
            ("memory-leak", Some("D"), true),
            ("lua-errors", Some("Z"), true),
            ("operator-stop", None, true),
        ]
    );
    for one in scenarios {
        assert!(one["detected_ms"].is_u64(), "{one}");
    }
}

#[test]
fn an_unknown_scenario_is_named_with_the_known_ones() {
    let output = vigie().args(["demo", "--scenario", "nope"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("operator-stop"));
}

#[test]
fn an_interrupted_tour_leaves_nothing_behind() {
    let place = tempfile::tempdir().unwrap();
    let mut command = vigie();
    command.args(["demo", "--scenario", "freeze"]).env("TMPDIR", place.path());
    let (out, errors) = (std::process::Stdio::null(), std::process::Stdio::piped());
    let child = command.stdout(out).stderr(errors).spawn().unwrap();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while servers_in(place.path()) == 0 {
        assert!(std::time::Instant::now() < end, "the practice server never started");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"));
    assert_eq!(servers_in(place.path()), 0, "the practice server is left");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "files are left");
}

/// Practice servers whose temporary directory is `place`.
fn servers_in(place: &std::path::Path) -> usize {
    let marker = format!("TMPDIR={}", place.display());
    let processes =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    let has = |file: std::path::PathBuf, text: &str| {
        let bytes = std::fs::read(file).unwrap_or_default();
        String::from_utf8_lossy(&bytes).split('\0').any(|part| part == text)
    };
    processes
        .filter(|one| has(one.join("environ"), &marker) && has(one.join("cmdline"), "practice"))
        .count()
}
