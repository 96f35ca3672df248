//! The program itself: its output, its signals, its exit codes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::wire::{Asker, PASSWORD, Rcon, eventually};

fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie-practice"));
    command
        .env_clear()
        .args(["--bind", "127.0.0.1", "--boot", "0"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// A program that is up; killed when the test forgets to end it.
struct Running(Child, BufReader<std::process::ChildStdout>, u16);

impl Running {
    fn start(args: &[&str]) -> Self {
        let mut child =
            program(args).args(["--port", "0"]).env("RCON_PASSWORD", PASSWORD).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (mut port, mut line) = (0, String::new());
        // The port and the boot are printed by two threads: any order.
        let mut ready = false;
        while port == 0 || !ready {
            line.clear();
            assert!(output.read_line(&mut line).unwrap() > 0, "ended before it was up");
            if let Some(number) = line.strip_prefix("practice: port ") {
                port = number.trim().parse().unwrap();
            }
            ready |= line.starts_with("VAC secure");
        }
        Self(child, output, port)
    }

    fn healthcheck(&self) -> Option<i32> {
        let port = self.2.to_string();
        let asked = program(&["--healthcheck", "--port", &port]).stderr(Stdio::null()).status();
        asked.unwrap().code()
    }

    fn signal(&self, name: &str) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// The exit code and the last line.
    fn end(mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        while self.0.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(5), "still alive");
            std::thread::sleep(Duration::from_millis(5));
        }
        let last = (&mut self.1).lines().map_while(Result::ok).last().unwrap_or_default();
        (self.0.wait().unwrap().code(), last)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn signals_stop_and_crash_it() {
    for (signal, code, line) in [
        ("TERM", 0, "Server Quit"),
        ("INT", 0, "Server Quit"),
        ("USR1", 139, "Segmentation fault (core dumped)"),
    ] {
        let running = Running::start(&[]);
        running.signal(signal);
        assert_eq!(running.end(), (Some(code), line.to_owned()), "{signal}");
    }
}

#[test]
fn a_signal_freezes_and_thaws_it_and_a_frozen_one_still_stops() {
    let running = Running::start(&[]);
    let addr = ([127, 0, 0, 1], running.2).into();
    let answers = || Asker::new(addr).patience(Duration::from_millis(200)).answers();
    running.signal("USR2");
    eventually("frozen", || !answers());
    running.signal("USR2");
    eventually("thawed", answers);
    running.signal("USR2");
    eventually("frozen again", || !answers());
    running.signal("TERM");
    assert_eq!(running.end(), (Some(0), "Server Quit".to_owned()));
}

#[test]
fn every_crash_has_its_code() {
    for (kind, code) in [
        ("segv", 139),
        ("lua-panic", 134),
        ("engine-error", 100),
        ("watchdog", 134),
        ("quit", 0),
        ("exit 42", 42),
        ("port-taken", 1),
    ] {
        let running = Running::start(&[]);
        let addr = ([127, 0, 0, 1], running.2).into();
        Rcon::login(addr).run(&format!("practice crash {kind}"));
        assert_eq!(running.end().0, Some(code), "{kind}");
    }
}

#[test]
fn the_console_is_read_when_asked() {
    let mut running = Running::start(&["--console"]);
    running.0.stdin.take().unwrap().write_all(b"echo typed\nquit\n").unwrap();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut running.1, &mut said).unwrap();
    assert!(said.contains("typed\n"), "{said}");
    assert_eq!(running.end().0, Some(0));
}

#[test]
fn a_taken_port_prints_the_line_of_the_engine() {
    let running = Running::start(&[]);
    let port = running.2.to_string();
    let output = program(&["--port", &port]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!("ERROR: Port {port} was unavailable - quitting due to \"-strictportbind\"\n")
    );
}

#[test]
fn a_crash_loop_ends_when_its_starts_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let counter = dir.path().join("starts");
    let counter = counter.to_str().unwrap();
    let args = [
        "--crash-after",
        "300ms",
        "--crash-kind",
        "exit:9",
        "--crash-times",
        "2",
        "--crash-counter",
        counter,
    ];
    for _ in 0..2 {
        assert_eq!(Running::start(&args).end().0, Some(9));
    }
    let running = Running::start(&args);
    std::thread::sleep(Duration::from_millis(600));
    running.signal("TERM");
    assert_eq!(running.end().0, Some(0));
}

#[test]
fn what_cannot_be_used_is_a_usage_error() {
    for args in [
        &["--boot", "soon"][..],
        &["--crash-after", "1s", "--crash-times", "1"],
        &["--rcon-password-file", "/no/such"],
    ] {
        let output = program(args).stderr(Stdio::piped()).args(["--port", "0"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn the_help_holds_the_faults_and_no_password() {
    let output = program(&["--help"]).env("RCON_PASSWORD", PASSWORD).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(help.contains("practice crash KIND") && help.contains("--crash-after"));
    assert!(!help.contains(PASSWORD));
}

#[test]
fn its_health_check_tells_a_living_server_from_a_frozen_one() {
    let server = Running::start(&[]);
    assert_eq!(server.healthcheck(), Some(0));
    server.signal("STOP");
    assert_eq!(server.healthcheck(), Some(1));
    server.signal("CONT");
    assert_eq!(server.healthcheck(), Some(0));
}
