//! Telling others that the watch lives: a heartbeat elsewhere, and systemd, with the unit for it.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use vigie_testkit::chat::{Fault, Heartbeat};
use vigie_testkit::lab::skip;

use crate::notify::{Place, runtime, wait_for};
use crate::watch::vigie;

#[test]
fn the_heartbeat_is_heard_elsewhere_until_the_watch_ends() {
    let runtime = runtime();
    let check = runtime.block_on(Heartbeat::start()).unwrap();
    let place = Place::new(
        "[heartbeat]\nurl = { env = \"HEARTBEAT_URL\" }\nevery = \"1s\"",
        &format!("HEARTBEAT_URL={}", check.url()),
    );
    let mut watch = place.watch();
    wait_for("beats", &watch, || check.beats() >= 2);
    let heartbeat = || watch.json(&["status", "--json"])["heartbeat"].clone();
    assert!(heartbeat()["last"].is_string() && heartbeat()["why"].is_null(), "{}", heartbeat());
    // Elsewhere has a bad time, which is said once.
    for fault in [Fault::answer(404, "no such check"), Fault::Drop, Fault::answer(302, "")] {
        check.order(fault);
    }
    wait_for("a failure", &watch, || heartbeat()["failing_since"].is_string());
    wait_for("the end of it", &watch, || heartbeat()["failing_since"].is_null());
    let count = |text: &str| watch.log().matches(text).count();
    assert_eq!(count("the heartbeat does not arrive"), 1, "{}", watch.log());
    assert_eq!(count("the heartbeat arrives again"), 1, "{}", watch.log());
    let shown = watch.run(&["status"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("heartbeat: "), "{shown}");
    for text in [watch.log(), shown] {
        assert!(!text.contains(check.secret()), "{text}");
    }
    watch.kill();
    let before = check.beats();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(check.beats(), before);
    assert!(check.seen().iter().all(|seen| seen.method == "GET"));
}

#[test]
fn systemd_hears_that_it_is_ready_that_it_lives_and_that_it_stops() {
    let place = Place::new("", "");
    let watch = place.watch();
    let at = place.directory.path().join("notify.sock");
    let manager = UnixDatagram::bind(&at).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let hear = || {
        let mut buffer = [0; 4096];
        let length = manager.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let (usec, other) = (Path::new("1000000"), Path::new("1"));
    let mut watch = watch.with_env(&[("NOTIFY_SOCKET", &at), ("WATCHDOG_USEC", usec)]);
    let ready = hear();
    let status = "STATUS=1 service, no open incident";
    assert_eq!(ready, format!("READY=1\nWATCHDOG=1\n{status}"));
    let began = std::time::Instant::now();
    for _ in 0..4 {
        assert_eq!(hear(), format!("WATCHDOG=1\n{status}"));
    }
    // At half of the watchdog's time.
    assert!(began.elapsed() < Duration::from_millis(4_000), "{:?}", began.elapsed());
    // What it starts is not told who the manager is.
    place.crash();
    watch.wait_for("repair", 40, crate::survival::restored);
    let environment = std::fs::read(format!("/proc/{}/environ", place.server())).unwrap();
    let environment = String::from_utf8_lossy(&environment).into_owned();
    assert!(!environment.contains("NOTIFY_SOCKET"), "{environment}");
    assert!(!environment.contains("WATCHDOG"), "{environment}");
    while !hear().contains("WATCHDOG=1") {}
    watch.stop();
    let mut last = hear();
    while last.contains("WATCHDOG=1") {
        last = hear();
    }
    assert_eq!(last, "STOPPING=1");
    // A watchdog that is meant for another process hears nothing.
    let env = [("NOTIFY_SOCKET", at.as_path()), ("WATCHDOG_USEC", usec), ("WATCHDOG_PID", other)];
    watch.start_with(&env);
    assert_eq!(hear(), format!("READY=1\n{status}"));
}

const STACKS: [&str; 2] = [
    "[stack]\nname = \"x\"\n[service.gmod]\nrole = \"game\"\n",
    "[stack]\nname = \"x\"\nruntime = \"process\"\n[service.gmod]\nrole = \"game\"\ncommand = [\"true\"]\n",
];

#[test]
fn the_unit_is_one_that_systemd_takes() {
    for text in STACKS {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("a server's 100% \"own\"");
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(directory.join("vigie.toml"), text).unwrap();
        let unit = place.path().join("vigie-test.service");
        let run = |words: &[&str]| {
            let mut command = vigie();
            command.arg("systemd").args(words).current_dir(&directory);
            let output = command.output().unwrap();
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), errors)
        };
        let to = unit.to_str().unwrap();
        let (code, shown, errors) = run(&[]);
        assert_eq!(code, Some(0), "{errors}");
        assert!(errors.contains("has to be there before the unit is started"), "{errors}");
        assert!(shown.contains("Type=notify") && shown.contains("WatchdogSec="), "{shown}");
        let (code, would, errors) = run(&["--install", "--to", to, "--dry-run"]);
        assert_eq!((code, would == shown), (Some(0), true), "{would}");
        assert!(errors.contains("nothing was written") && !unit.exists(), "{errors}");
        let (code, said, errors) = run(&["--install", "--to", to]);
        assert_eq!(code, Some(0), "{errors}");
        assert!(said.contains("systemctl enable --now vigie-test.service"), "{said}");
        assert_eq!(std::fs::read_to_string(&unit).unwrap(), shown);
        assert!(directory.join(".vigie").is_dir(), "the watch has somewhere to write");
        verify(&unit);
        // The same again is fine; another one is only replaced on request, and kept.
        assert_eq!(run(&["--install", "--to", to]).0, Some(0));
        std::fs::write(&unit, "mine").unwrap();
        let (code, _, errors) = run(&["--install", "--to", to]);
        assert_eq!((code, errors.contains("--force")), (Some(4), true), "{errors}");
        assert_eq!(run(&["--install", "--to", to, "--force"]).0, Some(0));
        let kept = std::fs::read_to_string(place.path().join("vigie-test.service.bak")).unwrap();
        assert_eq!(kept, "mine");
        let (code, _, errors) = run(&["--install", "--to", "/nowhere/vigie.service"]);
        assert_eq!((code, errors.contains("without --install")), (Some(1), true), "{errors}");
    }
}

/// Nothing in the unit is unknown to systemd, or wrong.
fn verify(unit: &Path) {
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no"]).arg(unit);
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => {
            return skip("systemd-analyze", "the unit, as systemd reads it", &error.to_string());
        }
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let about_it: Vec<_> = said.lines().filter(|line| line.contains("vigie-test")).collect();
    assert!(about_it.is_empty(), "{said}");
    // It finds what is wrong, so its silence says something.
    let wrong = unit.with_file_name("vigie-test-wrong.service");
    let text = std::fs::read_to_string(unit).unwrap();
    std::fs::write(&wrong, text.replace("Restart=always", "Restart=perhaps")).unwrap();
    let mut command = Command::new("systemd-analyze");
    let output = command.args(["verify", "--man=no"]).arg(&wrong).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("perhaps"), "{said}");
}
