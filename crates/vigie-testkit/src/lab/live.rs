//! The lab on a real engine: what tests of vigie will stand on has to hold first.

use std::net::UdpSocket;
use std::time::Duration;

use super::{ComposeVersion, Lab, Restart, Stack, docker_or_skip, is_alive};

const LONG: Duration = Duration::from_secs(30);
const READY: &str = "VAC secure mode is activated";

/// Whether the game answers anything at all to a source query from outside.
fn answers(stack: &Stack) -> bool {
    let query = b"\xff\xff\xff\xff\x54Source Engine Query\0";
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    socket.send_to(query, ("127.0.0.1", stack.spec.ports.game)).unwrap();
    socket.recv(&mut [0; 1400]).is_ok()
}

fn game(lab: &Lab, name: &str) -> Stack {
    let stack = lab.start(lab.stack(name).unwrap()).unwrap();
    stack.wait_for_console(READY, LONG).unwrap();
    stack
}

#[test]
fn a_game_server_answers_freezes_thaws_and_crashes() {
    let Some(lab) = docker_or_skip("faults of a real container") else { return };
    let stack = game(&lab, "live-faults");
    assert!(answers(&stack));

    stack.freeze_game().unwrap();
    assert!(!answers(&stack));
    let name = &stack.spec.game_container;
    assert_eq!(stack.docker().state(name).unwrap(), "running");
    stack.thaw_game().unwrap();
    assert!(answers(&stack));

    let pid = stack.game_pid().unwrap();
    stack.crash_game().unwrap();
    let exited = |d: &super::Docker| d.state(name).is_ok_and(|s| s == "exited");
    stack.docker().wait("the end of the container", LONG, exited).unwrap();
    assert!(!is_alive(pid));
    assert_eq!(stack.docker().inspect(name).unwrap()["State"]["ExitCode"], 137);
}

#[test]
fn both_composes_start_the_whole_stack() {
    for version in [ComposeVersion::V1, ComposeVersion::V2] {
        let Some(lab) = docker_or_skip("both generations of compose") else { return };
        let spec = lab.stack("live-compose").unwrap().compose(version).restart(Restart::Always);
        let mut spec = lab.with_database(spec).unwrap();
        spec.waits_for_health = true;
        let stack = lab.start(spec).unwrap();
        stack.wait_for_database(LONG).unwrap();
        stack.wait_for_console(READY, LONG).unwrap();
        let query = "SELECT COUNT(*) FROM shared_blueprints";
        let password = format!("-p{}", stack.secrets.database_user);
        let container = stack.spec.database_container.as_str();
        let args =
            ["exec", container, "mysql", "-ugmod", &password, "-Ne", query, "gmod_construction"];
        assert_eq!(stack.docker().text(args).unwrap(), "3");
        assert!(is_alive(stack.database_pid().unwrap()));
    }
}

#[test]
fn what_a_stack_made_is_gone_after_it() {
    let Some(lab) = docker_or_skip("clean-up of a stack") else { return };
    let stack = game(&lab, "live-cleanup");
    let (project, dir) = (stack.spec.project.clone(), stack.dir().to_owned());
    drop(stack);
    let filter = format!("name={project}");
    for args in [["ps", "-aq"], ["volume", "ls"], ["network", "ls"]] {
        let left = lab.docker().text([args.as_slice(), &["--filter", &filter, "-q"]].concat());
        assert_eq!(left.unwrap(), "", "{args:?}");
    }
    assert!(!dir.exists());
}

#[test]
fn a_second_engine_is_killed_and_started_again() {
    let Some(lab) = docker_or_skip("an engine that is killed") else { return };
    let image = lab.practice_image().unwrap();
    let mut second = lab.second_engine(&[image]).unwrap();
    let spec = lab.stack("live-engine").unwrap().restart(Restart::Always);
    let stack = lab.start_on(&second.docker().clone(), spec).unwrap();
    stack.wait_for_console(READY, LONG).unwrap();
    assert!(lab.docker().inspect(&stack.spec.game_container).is_err());

    second.engine().stop().unwrap();
    assert!(!second.docker().answers());
    second.engine().start_again().unwrap();
    let again = |_: &super::Docker| stack.seen_on_console(READY).is_ok_and(|count| count == 2);
    stack.docker().wait("the game after the engine's restart", LONG, again).unwrap();
    assert!(answers(&stack));

    second.engine().kill().unwrap();
    second.engine().start_again().unwrap();
    assert!(second.docker().answers());
}

#[test]
fn the_newer_engine_runs_a_stack_too() {
    let Some(lab) = docker_or_skip("the newer engine") else { return };
    let Some(program) = lab.facts().dockerd_new.clone() else {
        return super::skip("dockerd_new", "the newer engine", "it was not downloaded");
    };
    let image = lab.practice_image().unwrap();
    let second = lab.engine_of(program, &[image], &[]).unwrap();
    let version = second.docker().text(["version", "--format", "{{.Server.Version}}"]).unwrap();
    assert!(version.starts_with("26."), "{version}");
    for compose in [ComposeVersion::V1, ComposeVersion::V2] {
        let spec = lab.stack("live-newer").unwrap().compose(compose);
        let stack = lab.start_on(second.docker(), spec).unwrap();
        stack.wait_for_console(READY, LONG).unwrap();
        assert!(answers(&stack));
    }
}
