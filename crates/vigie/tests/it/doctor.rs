//! `vigie doctor` on real projects: what it finds, what it writes, and that Compose still reads it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use vigie_testkit::lab::{Compose, Docker, Stack, StackSpec, facts_or_skip, free_port};

use crate::watch::vigie;

fn fixture() -> tempfile::TempDir {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/doctor/reference");
    let directory = tempfile::tempdir().unwrap();
    let mut copy = Command::new("cp");
    assert!(copy.arg("-R").arg(from.join(".")).arg(directory.path()).status().unwrap().success());
    // Under its own name it would be one of this repository.
    std::fs::rename(directory.path().join("gitignore"), directory.path().join(".gitignore"))
        .unwrap();
    let git = Command::new("git").args(["init", "--quiet"]).current_dir(directory.path()).status();
    assert!(git.unwrap().success());
    directory
}

/// The doctor, on an engine that is not there.
fn doctor(directory: &Path, words: &[&str]) -> (Option<i32>, String) {
    let mut command = vigie();
    command.arg("doctor").args(words).current_dir(directory);
    command.env("DOCKER_HOST", "unix:///nowhere.sock").env_remove("COMPOSE_FILE");
    let output = command.output().unwrap();
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.code(), text.concat())
}

fn rules(directory: &Path, words: &[&str]) -> Vec<String> {
    let (_, text) = doctor(directory, &[words, &["--json"]].concat());
    let told: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let rows = told["findings"].as_array().unwrap().clone();
    rows.iter()
        .map(|row| {
            format!(
                "{}:{}:{} {}",
                row["file"].as_str().unwrap(),
                row["line"],
                row["column"],
                row["rule"].as_str().unwrap()
            )
        })
        .collect()
}

/// The secrets of the fixture.
const SECRETS: [&str; 5] =
    ["construction-rcon", "root-construction", "word-construction", "0A1B2C", "0123456789ABCDEF"];

#[test]
fn the_reference_stack_has_exactly_its_weaknesses() {
    let directory = fixture();
    insta::assert_snapshot!(rules(directory.path(), &[]).join("\n"));
    let (exit, text) = doctor(directory.path(), &[]);
    assert_eq!(exit, Some(1));
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is shown");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn it_speaks_french_where_the_configuration_does() {
    let directory = fixture();
    let config = "[stack]\nname = \"x\"\nlang = \"fr\"\n[service.gmod]\nrole = \"game\"\n";
    std::fs::write(directory.path().join("vigie.toml"), config).unwrap();
    let (_, text) = doctor(directory.path(), &["--rule", "port-public", "--rule", "no-stop-grace"]);
    insta::assert_snapshot!(text);
    let (_, text) = doctor(directory.path(), &["--lang", "en", "--rule", "port-public"]);
    assert!(text.contains("open to everybody"), "{text}");
}

#[test]
fn without_a_path_it_looks_here_or_where_the_configuration_says() {
    let directory = fixture();
    let config = "[stack]\nname = \"x\"\ncompose = \"docker-compose.yml\"\n[service.gmod]\nrole = \"game\"\n";
    std::fs::write(directory.path().join("vigie.toml"), config).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let path = directory.path().join("vigie.toml").display().to_string();
    let one = ["--rule", "authkey-unused"];
    let (exit, text) = doctor(elsewhere.path(), &[&["--config", path.as_str()][..], &one].concat());
    assert!(exit == Some(1) && text.contains("docker-compose.yml:15:16"), "{text}");
    // One that is only found, in the home directory, does not take the place of what is here.
    let home = elsewhere.path().join("vigie");
    std::fs::create_dir(&home).unwrap();
    let config = config.replace("docker-compose.yml", "nowhere.yml");
    std::fs::write(home.join("vigie.toml"), config).unwrap();
    std::fs::remove_file(directory.path().join("vigie.toml")).unwrap();
    let mut command = vigie();
    command.args(["doctor", "--rule", "authkey-unused"]).current_dir(directory.path());
    command.env("XDG_CONFIG_HOME", elsewhere.path()).env("DOCKER_HOST", "unix:///nowhere.sock");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("docker-compose.yml:15:16"), "{output:?}");
}

#[test]
fn levels_and_rules_choose_what_counts() {
    let directory = fixture();
    let errors = rules(directory.path(), &["--level", "error"]);
    assert!(errors.len() > 5 && !errors.iter().any(|row| row.contains("authkey")), "{errors:?}");
    let one = rules(directory.path(), &["--rule", "authkey-unused"]);
    assert_eq!(one, ["docker-compose.yml:15:16 authkey-unused"]);
    let words = ["--rule", "authkey-unused", "--level", "warning"];
    assert_eq!(doctor(directory.path(), &words).0, Some(0));
    let (exit, text) = doctor(directory.path(), &["--rule", "port-publik"]);
    assert!(exit == Some(2) && text.contains("did you mean port-public?"), "{text}");
    let (exit, text) = doctor(directory.path(), &["--level", "fatal"]);
    assert!(exit == Some(2) && text.contains("note, warning or error"), "{text}");
}

#[test]
fn a_healthy_stack_has_nothing() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/gmod-darkrp");
    let (exit, text) = doctor(&example, &["--lang", "en"]);
    assert_eq!(exit, Some(0), "{text}");
    assert!(text.starts_with("compose.yaml: nothing found"), "{text}");
}

#[test]
fn the_labs_stack_has_exactly_its_weaknesses() {
    let docker = Docker::new("docker", "unix:///nowhere.sock");
    let compose = Compose::v2(&docker);
    let told = [false, true].map(|public| {
        let directory = tempfile::tempdir().unwrap();
        let spec = StackSpec { public, ..StackSpec::reference(0, "vigie-lab/mariadb:10.11") };
        let stack = Stack::write(directory.path(), spec, docker.clone(), compose.clone()).unwrap();
        format!("public: {public}\n{}\n", rules(stack.dir(), &[]).join("\n"))
    });
    insta::assert_snapshot!(told.concat());
}

#[test]
fn what_cannot_be_read_is_said_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let (exit, text) = doctor(directory.path(), &[]);
    assert!(exit == Some(2) && text.contains("vigie doctor PATH"), "{text}");
    std::fs::write(directory.path().join("compose.yaml"), "services:\n  a: [\n").unwrap();
    let (exit, text) = doctor(directory.path(), &[]);
    assert!(exit == Some(2) && text.contains("compose.yaml: line 3, column 1"), "{text}");
    let (exit, text) = doctor(directory.path(), &["nowhere.yaml"]);
    assert!(exit == Some(2) && text.contains("nowhere.yaml cannot be read"), "{text}");
}

#[test]
fn a_dry_run_writes_nothing_and_shows_no_secret() {
    let directory = fixture();
    let before = std::fs::read_to_string(directory.path().join("docker-compose.yml")).unwrap();
    let (exit, text) = doctor(directory.path(), &["--fix", "--dry-run"]);
    assert_eq!(exit, Some(1));
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is shown:\n{text}");
    }
    insta::assert_snapshot!(text);
    let after = std::fs::read_to_string(directory.path().join("docker-compose.yml")).unwrap();
    assert_eq!(before, after);
    assert!(!directory.path().join(".env").exists());
}

#[test]
fn a_fix_is_made_once_with_a_copy_and_private_secrets() {
    let directory = fixture();
    let path = directory.path().join("docker-compose.yml");
    let before = std::fs::read_to_string(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let (_, text) = doctor(directory.path(), &["--fix", "--json"]);
    let told: Value = serde_json::from_str(&text).unwrap();
    let written = told["written"].as_array().unwrap();
    let names: Vec<_> = written.iter().map(|path| path.as_str().unwrap()).collect();
    assert_eq!((names[0], names[1], names[3]), (".gitignore", ".env", "docker-compose.yml"));
    let copy = directory.path().join(names[2]);
    assert!(names[2].starts_with("docker-compose.yml.vigie-") && names[2].ends_with(".bak"));
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), before);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&copy), mode(&path)), (0o640, 0o640));
    assert_eq!(mode(&directory.path().join(".env")), 0o600);
    let after = std::fs::read_to_string(&path).unwrap();
    for secret in &SECRETS[..4] {
        assert!(!after.contains(secret), "{secret} is still there");
    }
    let left: Vec<_> = rules(directory.path(), &[]);
    for ended in told["fixed"].as_array().unwrap() {
        let rule = ended["rule"].as_str().unwrap();
        assert!(!left.iter().any(|row| row.ends_with(rule)), "{rule} is found again: {left:#?}");
    }
    assert!(told["fixed"].as_array().unwrap().len() > 12, "{told:#}");
    // A second time there is nothing to do.
    let (_, text) = doctor(directory.path(), &["--fix", "--json"]);
    let again: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&again["patch"], &again["written"]), (&Value::from(""), &serde_json::json!([])));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), after);
}

#[test]
fn compose_reads_what_was_written() {
    let directory = fixture();
    doctor(directory.path(), &["--fix"]);
    let client = facts_or_skip("docker-compose v2", "the fixed file, by Compose v2", |facts| {
        Some((facts.docker_cli?, facts.docker_config?))
    });
    let docker = client
        .map(|(cli, config)| Docker::new(cli, "unix:///nowhere.sock").with_config(Some(config)));
    let old = facts_or_skip("docker-compose v1", "the fixed file, by Compose v1", |facts| {
        facts.compose_v1
    });
    let any = Docker::new("docker", "unix:///nowhere.sock");
    let both = [docker.map(|docker| Compose::v2(&docker)), old.map(|old| Compose::v1(&any, old))];
    for compose in both.into_iter().flatten() {
        let told = compose.text(directory.path(), ["config"]).unwrap();
        // What it puts in is what stood there before, and what waits, waits for a health.
        for word in ["construction-rcon", "root-construction", "service_healthy"] {
            assert!(told.contains(word), "{word} is not in:\n{told}");
        }
        assert!(told.contains("pa$$word-construction"), "{told}");
    }
}

#[test]
fn sarif_has_the_shape_that_forges_read() {
    let directory = fixture();
    let (exit, text) = doctor(directory.path(), &["--sarif"]);
    assert_eq!(exit, Some(1));
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["version"], "2.1.0");
    assert!(told["$schema"].as_str().unwrap().ends_with("sarif-schema-2.1.0.json"));
    let run = &told["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
        assert!(result["message"]["text"].is_string());
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.starts_with('/') && directory.path().join(uri).is_file(), "{uri}");
        assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
        assert!(place["region"]["startColumn"].as_u64().unwrap() >= 1);
    }
    insta::assert_json_snapshot!(run["results"][0]);
}

/// A practice server that ends with its test.
struct Practice(std::process::Child);

impl Practice {
    fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Practice {
    fn drop(&mut self) {
        self.end();
    }
}

#[test]
fn the_health_check_for_the_game_passes_on_a_game_and_not_on_a_frozen_one() {
    let port = free_port().unwrap();
    let mut practice = vigie();
    practice.args([
        "practice",
        "--bind",
        "127.0.0.1",
        "--boot",
        "100ms",
        "--port",
        &port.to_string(),
    ]);
    practice.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut practice = Practice(practice.spawn().unwrap());
    let check = || {
        let asked = vigie_core::doctor::ask_game(port);
        let mut bash = Command::new("bash");
        bash.args(["-c", &asked]).stderr(std::process::Stdio::null());
        bash.status().unwrap().success()
    };
    let begun = std::time::Instant::now();
    while !check() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(20), "it never answers");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    let pid = rustix::process::Pid::from_child(&practice.0);
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let frozen = check();
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    practice.end();
    assert!(!frozen, "a frozen game passes");
    assert!(!check(), "nothing at all passes");
}
