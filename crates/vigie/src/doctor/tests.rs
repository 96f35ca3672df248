//! Which files are read, what the engine adds, what is written and what is left alone.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use vigie_core::doctor::{Level, Rule, diagnose};

use super::patch::Kind;
use super::*;
use crate::config::Lang;
use crate::runtime::docker::fake_engine::FakeEngine;

const NOWHERE: Option<&str> = Some("unix:///nowhere.sock");
const COMPOSE: &str = "services:\n  db:\n    image: mysql:8.4\n    environment:\n      MYSQL_PASSWORD: hidden-words # why\n    mem_limit: 1g\n    logging: {driver: local}\n    stop_grace_period: 1m\n    healthcheck: {test: \"true\"}\n";

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    directory
}

async fn looked(path: &Path) -> Looked {
    look(path, NOWHERE).await.unwrap()
}

fn names(looked: &Looked) -> Vec<String> {
    looked.paths.iter().map(|path| path.file_name().unwrap().to_string_lossy().into()).collect()
}

fn has(looked: &Looked, rule: Rule) -> bool {
    diagnose(&looked.facts).findings.iter().any(|finding| finding.rule == rule)
}

#[tokio::test]
async fn the_files_are_those_that_compose_reads() {
    let directory = project(&[
        (
            "compose.yaml",
            "include: [more/web.yaml]\nservices: {db: {image: mysql, extends: {file: base.yaml, service: b}}}",
        ),
        ("compose.override.yaml", "services: {db: {restart: always}}"),
        ("more/web.yaml", "services: {web: {image: nginx}}"),
        ("base.yaml", "services: {b: {image: x, mem_limit: 1g}}"),
        ("other.yaml", "services: {web: {image: nginx}}"),
    ]);
    let all = looked(directory.path()).await;
    assert_eq!(names(&all), ["compose.yaml", "web.yaml", "compose.override.yaml"]);
    assert_eq!(all.facts.extended.len(), 1);
    assert!(!diagnose(&all.facts).findings.iter().any(|one| {
        one.service.as_deref() == Some("db")
            && [Rule::NoRestartPolicy, Rule::NoMemoryLimit].contains(&one.rule)
    }));
    // Named, it is read as Compose would by itself, and another stands alone.
    let named = looked(&directory.path().join("compose.yaml")).await;
    assert_eq!(names(&named), names(&all));
    assert_eq!(names(&looked(&directory.path().join("other.yaml")).await), ["other.yaml"]);
}

#[tokio::test]
async fn what_the_engine_knows_of_the_images_counts() {
    let engine = FakeEngine::start();
    let text =
        "services:\n  gmod: {image: a/gmod, volumes: ['d:/srv/game']}\n  web: {image: missing}\n";
    let directory = project(&[("compose.yaml", text)]);
    let asked = look(directory.path(), Some(&engine.host())).await.unwrap();
    assert_eq!(asked.engine, None);
    for rule in [Rule::ImageOnlyLocal, Rule::HealthcheckOnlyListens, Rule::VolumeOverImage] {
        assert!(has(&asked, rule), "{rule:?}");
    }
    let local = diagnose(&asked.facts).findings.into_iter();
    let local: Vec<_> = local.filter(|one| one.rule == Rule::ImageOnlyLocal).collect();
    assert_eq!(local.len(), 1, "of an image that is not here nothing is known");
    let without = looked(directory.path()).await;
    assert!(without.engine.is_some() && !has(&without, Rule::ImageOnlyLocal));
}

fn planned(looked: &Looked) -> Vec<FileChange> {
    let plan = plan(looked, |_| true).unwrap();
    changes(looked, &plan.before, &plan.after)
}

#[tokio::test]
async fn what_was_changed_meanwhile_is_left_alone() {
    let directory = project(&[("compose.yaml", COMPOSE)]);
    let looked = looked(directory.path()).await;
    let changes = planned(&looked);
    assert_eq!(
        changes.iter().map(|one| one.kind).collect::<Vec<_>>(),
        [Kind::Dotenv, Kind::Compose(0)]
    );
    let path = directory.path().join("compose.yaml");
    std::fs::write(&path, format!("{COMPOSE}# mine\n")).unwrap();
    assert!(matches!(write(&looked, &changes, "x"), Err(DoctorError::Changed(_))));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{COMPOSE}# mine\n"));
    assert!(!directory.path().join(".env").exists());
}

#[tokio::test]
async fn links_stay_links_and_secrets_become_private() {
    let directory = project(&[("real/stack.yaml", COMPOSE), (".env", "A=1 # one\n")]);
    let link = directory.path().join("compose.yaml");
    std::os::unix::fs::symlink("real/stack.yaml", &link).unwrap();
    let looked = looked(directory.path()).await;
    write(&looked, &planned(&looked), "x").unwrap();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    let text = std::fs::read_to_string(directory.path().join("real/stack.yaml")).unwrap();
    assert!(text.contains("MYSQL_PASSWORD: ${MYSQL_PASSWORD} # why"), "{text}");
    assert!(directory.path().join("real/stack.yaml.vigie-x.bak").exists());
    let dotenv = directory.path().join(".env");
    assert_eq!(
        std::fs::read_to_string(&dotenv).unwrap(),
        "A=1 # one\nMYSQL_PASSWORD=hidden-words\n"
    );
    assert_eq!(dotenv.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_variable_that_has_another_value_is_not_taken() {
    let directory = project(&[("compose.yaml", COMPOSE), (".env", "MYSQL_PASSWORD=another\n")]);
    let looked = looked(directory.path()).await;
    let changes = planned(&looked);
    assert_eq!(changes[0].after, "MYSQL_PASSWORD=another\nDB_MYSQL_PASSWORD=hidden-words\n");
    assert!(changes[1].after.contains("MYSQL_PASSWORD: ${DB_MYSQL_PASSWORD} # why"));
}

#[tokio::test]
async fn two_secrets_in_one_text_are_both_moved() {
    let text = "services:\n  gmod:\n    image: gmod\n    environment:\n      ARGS: +rcon_password one11 +sv_setsteamaccount two22 +map x\n";
    let directory = project(&[("compose.yaml", text)]);
    let looked = looked(directory.path()).await;
    let changes = planned(&looked);
    let dotenv = "RCON_PASSWORD=one11\nSTEAM_ACCOUNT_TOKEN=two22\n";
    assert_eq!(changes[0].after, dotenv);
    let args = "+rcon_password ${RCON_PASSWORD} +sv_setsteamaccount ${STEAM_ACCOUNT_TOKEN} +map x";
    assert!(changes[1].after.contains(args), "{}", changes[1].after);
}

#[tokio::test]
async fn the_copy_of_a_file_with_secrets_is_kept_out_of_git() {
    let directory = project(&[("compose.yaml", COMPOSE), (".gitignore", ".env*\r\n")]);
    let mut looked = looked(directory.path()).await;
    let git = vigie_core::doctor::GitFacts { ignores_dotenv: true, ..Default::default() };
    looked.facts.git = Some(git);
    let changes = planned(&looked);
    assert_eq!(
        (changes[0].kind, changes[0].after.as_str()),
        (Kind::Gitignore, ".env*\r\n*.vigie-*.bak\r\n")
    );
    looked.facts.git = Some(vigie_core::doctor::GitFacts::default());
    assert_eq!(planned(&looked)[0].after, ".env*\r\n.env\r\n*.vigie-*.bak\r\n");
}

#[tokio::test]
async fn what_stands_around_a_change_is_no_secret_either() {
    let text = COMPOSE
        .replace("    environment:\n", "    environment:\n      # MYSQL_PASSWORD: older-words\n");
    let text = text.replace("    mem_limit", "      OTHER: harmless\n    mem_limit");
    let dotenv = "# OLD_TOKEN=older-words\nA='one older-words\nolder-words two'\nB=older-words";
    let directory = project(&[("compose.yaml", text.as_str()), (".env", dotenv)]);
    let looked = looked(directory.path()).await;
    let masks = Masks::of(&[&looked.facts]);
    let told: String = planned(&looked).iter().map(|change| change.diff(&masks)).collect();
    assert!(!told.contains("older-words") && !told.contains("hidden-words"), "{told}");
    assert!(told.contains("# MYSQL_PASSWORD:…") && told.contains("OTHER: harmless"), "{told}");
}

#[tokio::test]
async fn what_the_editor_refuses_is_said_with_its_line() {
    let text = "services:\n  a: &a\n    image: mysql:8.4\n    environment: {MYSQL_PASSWORD: hidden-words}\n  b:\n    <<: *a\n";
    let directory = project(&[("compose.yaml", text)]);
    let looked = looked(directory.path()).await;
    let shown = Shown { level: Level::Note, rules: vec![Rule::NoRestartPolicy] };
    let told = report(&looked, &diagnose(&looked.facts), &shown, Lang::En).unwrap();
    let refused = told.findings[0].refused.as_deref().unwrap();
    assert!(
        refused.contains("line 3, column 5") && refused.contains("line 6, column 9"),
        "{refused}"
    );
    assert!(told.findings[0].patch.is_none() && !told.findings[0].fixable);
    // Once the one that takes it over has its own, it can be set for itself.
    let plan = plan(&looked, |finding| shown.has(finding)).unwrap();
    assert_eq!((plan.ended.len(), plan.refused.len()), (2, 0));
    assert_eq!(plan.after.compose[0].text().matches("restart: unless-stopped").count(), 2);
}

#[tokio::test]
async fn the_report_is_as_documented() {
    let directory = project(&[("compose.yaml", COMPOSE)]);
    let looked = looked(directory.path()).await;
    let shown = Shown { level: Level::Note, rules: Vec::new() };
    let mut told = report(&looked, &diagnose(&looked.facts), &shown, Lang::En).unwrap();
    let here = format!("{}/", directory.path().display());
    told.files.iter_mut().for_each(|file| *file = file.replace(&here, ""));
    for row in &mut told.findings {
        row.file = row.file.replace(&here, "");
        row.patch = row.patch.take().map(|patch| patch.replace(&here, ""));
        assert!(!row.patch.as_deref().unwrap_or_default().contains("hidden-words"));
    }
    insta::assert_json_snapshot!(told);
}

#[test]
fn every_rule_is_in_the_guide_and_about_risks_of_the_matrix() {
    let guide = include_str!("../../../../docs/guide/doctor.md");
    let matrix = include_str!("../../knowledge/risks.toml");
    for rule in Rule::ALL {
        let about = rule.about();
        let row =
            format!("| `{}` | {} | {} |", about.word, about.level.word(), about.risks.join(", "));
        assert!(guide.contains(&row), "{row} is not in the guide");
        for risk in about.risks {
            assert!(matrix.contains(&format!("id = \"{risk}\"")), "{risk} is no risk");
        }
    }
}
