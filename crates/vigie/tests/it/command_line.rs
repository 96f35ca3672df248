//! The command line where no daemon runs: errors, exit codes, what is written and what is not.

use crate::watch::vigie;

const COMPOSE: &str = "services:\n  gmod:\n    image: x/gmod\n    ports: [\"27015:27015/udp\", \"27015:27015\"]\n    environment: {RCON_PASSWORD: very-secret-words}\n";

#[test]
fn init_writes_once_and_never_a_secret() {
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        vigie().args(arguments).current_dir(directory.path()).output().unwrap()
    };
    let nothing = run(&["init"]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("no compose file"));
    std::fs::write(directory.path().join("compose.yaml"), COMPOSE).unwrap();
    let dry = run(&["init", "--dry-run"]);
    assert!(dry.status.success() && !directory.path().join("vigie.toml").exists());
    let first = run(&["init"]);
    assert!(first.status.success(), "{first:?}");
    assert!(String::from_utf8_lossy(&first.stdout).contains("RCON_PASSWORD=…"));
    let text = std::fs::read_to_string(directory.path().join("vigie.toml")).unwrap();
    assert!(!text.contains("very-secret-words"));
    assert_eq!(run(&["init"]).status.code(), Some(4));
    assert!(run(&["init", "--force"]).status.success());
    assert!(directory.path().join("vigie.toml.bak").exists());
    assert!(run(&["runbook", "check"]).status.success());
}

#[test]
fn errors_point_at_the_place_and_name_the_next_command() {
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = vigie().args(arguments).current_dir(directory.path()).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), errors + &String::from_utf8_lossy(&output.stdout))
    };
    let (code, text) = run(&["status"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("vigie init"), "{text}");
    let path = directory.path().join("vigie.toml");
    std::fs::write(
        &path,
        "[stack]\nname = \"x\"\nmoed = \"auto\"\n[service.a]\nrole = \"other\"\n",
    )
    .unwrap();
    let (code, text) = run(&["status"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("vigie.toml:3:1") && text.contains("did you mean `mode`?"), "{text}");
    let secret = "[stack]\nname = \"x\"\n[service.a]\nrole = \"game\"\nrcon = { address = \"127.0.0.1:1\", password = \"hunter2hunter2\" }\n";
    std::fs::write(&path, secret).unwrap();
    let (code, text) = run(&["status"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("{ env = \"NAME\" }") && !text.contains("hunter2"), "{text}");
    std::fs::write(&path, "[stack]\nname = \"x\"\n[service.a]\nrole = \"other\"\n").unwrap();
    let (code, text) = run(&["status"]);
    assert_eq!(code, Some(3));
    assert!(text.contains("vigie watch"), "{text}");
    let (code, _) = run(&["incident", "list", "--json"]);
    assert_eq!(code, Some(0), "the register is read without a daemon");
}

#[test]
fn help_and_manual_say_the_exit_codes() {
    for arguments in [&["--help"][..], &["watch", "--help"], &["status", "--help"]] {
        let output = vigie().args(arguments).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains("Exit codes: 0 fine"));
    }
    assert!(vigie().arg("man").output().unwrap().status.success());
    assert!(vigie().args(["completions", "bash"]).output().unwrap().status.success());
}
