//! The command line. Every test names the settings that it looks at, because
//! the environment of whoever runs the tests may hold some of them.

use super::*;

fn config(args: &[&str]) -> Config {
    let args = [&["vigie-practice"], args].concat();
    Args::try_parse_from(args).unwrap().config().unwrap()
}

#[test]
fn the_definition_is_sound() {
    use clap::CommandFactory;
    Args::command().debug_assert();
}

#[test]
fn a_flag_wins_over_the_launch_line() {
    let line = "+rcon_password secret -port 1234 +map rp_line +maxplayers 64";
    let settled = config(&["--args", line]);
    assert!(settled.rcon_password.admits(b"secret"));
    assert_eq!(settled.port, 1234);
    let settled =
        config(&["--args", line, "--map", "rp_flag", "--port", "0", "--rcon-password", "x"]);
    assert_eq!((settled.map.as_str(), settled.port), ("rp_flag", 0));
    assert!(settled.rcon_password.admits(b"x"));
    let settled = config(&["--args", line, "--map", "", "--maxplayers", ""]);
    assert_eq!((settled.map.as_str(), settled.max_players), ("rp_line", 64));
}

#[test]
fn the_password_file_wins_and_loses_its_line_break() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("rcon");
    std::fs::write(&file, "from file\n").unwrap();
    let file = file.to_str().unwrap();
    let settled = config(&["--rcon-password", "x", "--rcon-password-file", file]);
    assert!(settled.rcon_password.admits(b"from file"));
    let missing = Args::try_parse_from(["p", "--rcon-password-file", "/no/such/file"]).unwrap();
    let error = missing.config().unwrap_err().to_string();
    assert!(error.contains("/no/such/file") && error.contains("--rcon-password-file"), "{error}");
}

#[test]
fn a_crash_plan_needs_a_time_and_a_counter_for_its_starts() {
    assert!(config(&["--crash-after", "0"]).crash.is_none());
    let plan = config(&["--crash-after", "5s", "--crash-kind", "exit 3"]).crash.unwrap();
    assert_eq!((plan.after, plan.how), (Duration::from_secs(5), Death::Exit(3)));
    let args = Args::try_parse_from(["p", "--crash-after", "5s", "--crash-times", "2"]).unwrap();
    assert!(matches!(args.config(), Err(ConfigError::NoCounter)));
}

#[test]
fn the_password_is_in_no_debug_text() {
    let args = Args::try_parse_from(["p", "--rcon-password", "hunter2"]).unwrap();
    assert!(!format!("{args:?} {:?}", args.config().unwrap()).contains("hunter2"));
}
