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
            ("lua-errors", Some("A"), true),
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
