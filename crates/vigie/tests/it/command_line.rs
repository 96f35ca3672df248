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
    let mut todo = vec![Vec::new()];
    let mut seen = 0;
    while let Some(words) = todo.pop() {
        let output = vigie().args(&words).arg("--help").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("Exit codes: 0 fine"), "{words:?}: {text}");
        seen += 1;
        let commands = text.split("Commands:\n").nth(1).unwrap_or_default();
        let commands = commands.lines().take_while(|line| !line.is_empty());
        let names = commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
        for name in names.filter(|name| !name.is_empty() && *name != "help") {
            todo.push([words.clone(), vec![name.to_owned()]].concat());
        }
    }
    assert!(seen > 25, "{seen} commands");
    assert!(vigie().arg("man").output().unwrap().status.success());
    assert!(vigie().args(["completions", "bash"]).output().unwrap().status.success());
}

const PROJECT: &str = "[stack]\nname = \"x\"\n[service.gmod]\nrole = \"game\"\n";

#[test]
fn every_order_has_a_dry_run_that_needs_no_daemon() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("vigie.toml"), PROJECT).unwrap();
    for (words, exit, told) in [
        ("incident report --service gmod shop is empty", 0, "would open an incident P2 on gmod"),
        ("incident report --service nope shop is empty", 2, "the stack has: gmod"),
        ("incident report --severity P9 shop", 2, "a severity is P1, P2, P3 or P4"),
        ("incident ack 9", 2, "there is no incident 9"),
        ("incident close 9", 2, "vigie incident list"),
        ("runbook approve 9", 2, "there is no run 9"),
        ("maintenance start 30m", 0, "would declare maintenance of 30 min"),
        ("stop gmod", 0, "would stop gmod"),
    ] {
        let mut command = vigie();
        command.args(words.split(' ')).args(["--dry-run"]).current_dir(directory.path());
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let text = text + &String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(exit), "{words}: {text}");
        assert!(text.contains(told), "{words}: {text}");
    }
}

#[test]
fn another_account_is_told_so_and_not_that_all_is_well() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    if !rustix::process::getuid().is_root() {
        return vigie_testkit::lab::skip("root", "another account's register", "needs root");
    }
    let directory = tempfile::tempdir().unwrap();
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(directory.path(), open.clone()).unwrap();
    std::fs::write(directory.path().join("vigie.toml"), PROJECT).unwrap();
    let state = directory.path().join(".vigie");
    std::fs::create_dir(&state).unwrap();
    std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o700)).unwrap();
    // The build directory may be closed to others too.
    let binary = directory.path().join("vigie");
    // By another process: this one may be forking while it has the copy open for writing, and then it
    // could not be run ("text file busy").
    let mut copy = std::process::Command::new("cp");
    copy.arg(env!("CARGO_BIN_EXE_vigie")).arg(&binary);
    assert!(copy.status().unwrap().success());
    std::fs::set_permissions(&binary, open).unwrap();
    for (words, exit) in
        [(["incident", "list"], 1), (["incident", "show"], 1), (["status", "--json"], 3)]
    {
        let mut command = std::process::Command::new(&binary);
        command.args(words).uid(65_534).gid(65_534).current_dir(directory.path());
        if words[1] == "show" {
            command.arg("1");
        }
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{words:?}: {errors}");
        assert!(errors.contains("as the account that runs `vigie watch`"), "{words:?}: {errors}");
    }
}
