//! The shipped matrix is the seed's; a user's own risk takes its place; what came true is counted.

use std::path::Path;

use vigie_core::incident::Severity;
use vigie_core::learn::risk::State;

use super::*;

const TEXT: &str = "[stack]\nname = \"x\"\nruntime = \"process\"\n\
    [service.gmod]\nrole = \"game\"\ncommand = [\"true\"]\n";

fn config(more: &str) -> Config {
    Config::parse(Path::new("nowhere/vigie.toml"), &format!("{TEXT}{more}")).unwrap()
}

#[test]
fn the_shipped_matrix_has_its_gravities_in_both_languages() {
    let all = risks(&config(""));
    let told: Vec<String> =
        all.iter().map(|risk| format!("{} {}", risk.id, risk.gravity().word())).collect();
    assert_eq!(told.join(", "), "R1 P1, R2 P2, R3 P1, R4 P1, R5 P2, R6 P2, R7 P2, R8 P3");
    for risk in &all {
        assert!(risk.title.fr.is_some() && risk.mitigation.fr.is_some() && !risk.checks.is_empty());
    }
}

#[test]
fn a_risk_in_the_configuration_takes_its_place() {
    let all = risks(&config(
        "[[risk]]\nid = \"R4\"\ntitle = { en = \"Fire\" }\nprobability = \"low\"\n\
         impact = \"medium\"\nmitigation = { en = \"Insurance\" }\n",
    ));
    assert_eq!(all.len(), 8);
    assert_eq!((all[3].title.en.as_str(), all[3].gravity()), ("Fire", Severity::P3));
    let wrong = format!("{TEXT}[[risk]]\nid = \"R4\"\nchecks = [\"prayer\"]\n");
    let error = Config::parse(Path::new("nowhere/vigie.toml"), &wrong).unwrap_err().to_string();
    assert!(error.contains("prayer"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_looked_at_says_why() {
    let config = config("");
    let facts = collect(&config).await;
    let register = Register::open(Path::new("nowhere/journal.db")).unwrap();
    let report = assess(&config, &facts, &register, Lang::En).unwrap();
    let row = |id: &str| report.risks.iter().find(|risk| risk.id == id).unwrap();
    assert_eq!(row("R1").checks[0].state, State::Unknown);
    assert!(row("R1").checks[0].why.contains("vigie itself starts it again"));
    assert_eq!(
        row("R8").checks[0].why,
        "no backup yet: [backup] in vigie.toml, then `vigie backup run`"
    );
    assert_eq!(row("R1").came_true.as_ref().unwrap().times, 0);
    assert!(row("R3").came_true.is_none());
    // The machine's loss needs backups, and there are none.
    assert!(report.open.contains(&String::from("R4")));
    insta::assert_json_snapshot!(row("R1"));
    let french = assess(&config, &facts, &register, Lang::Fr).unwrap();
    assert_eq!(
        french.risks[7].checks[0].why,
        "pas encore de sauvegarde : [backup] dans vigie.toml, puis `vigie backup run`"
    );
    let [policy, start] = [&french.risks[0].checks[0].why, &french.risks[1].checks[1].why];
    assert_eq!(policy, "gmod : il n'a pas de conteneur : c'est vigie qui le relance");
    assert_eq!(start, "gmod : vigie.toml ne nomme aucun fichier compose");
}

#[tokio::test]
async fn the_age_of_a_backup_is_that_of_the_best_site() {
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        "{TEXT}[backup]\npassword = {{ env = \"P\" }}\n[backup.site.near]\nlocal = \"near\"\n\
         [backup.site.far]\nlocal = \"far\"\n"
    );
    let config = Config::parse(&directory.path().join("vigie.toml"), &text).unwrap();
    assert_eq!(collect(&config).await.backup_age, Ok(None));
    let now = jiff::Timestamp::now().as_millisecond();
    let state = serde_json::json!({ "sites": {
        "near": { "newest": { "a": now - 7_200_000, "b": now } },
        "far": { "newest": { "a": now - 60_000 }, "trouble": "damaged: data 00" },
    }});
    let path = config.state_directory().join("backup/state.json");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, state.to_string()).unwrap();
    let age = collect(&config).await.backup_age.unwrap().unwrap();
    // The oldest asset of the sound site: not the newest one, and not what is damaged.
    assert!((7_200..7_300).contains(&age), "{age}");
}
