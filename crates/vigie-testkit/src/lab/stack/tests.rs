//! The text of a stack, without an engine.

use std::os::unix::fs::PermissionsExt as _;

use super::{Restart, Stack, StackSpec, file};
use crate::lab::{Compose, Docker};

fn write(dir: &std::path::Path, spec: StackSpec) -> Stack {
    let docker = Docker::new("docker", "unix:///nowhere.sock");
    let compose = Compose::v2(&docker);
    Stack::write(dir, spec, docker, compose).unwrap()
}

#[test]
fn the_reference_names_and_ports() {
    let yaml = file::compose_yaml(&StackSpec::reference(0, "db:1"));
    for line in [
        "container_name: gmod-server",
        "container_name: gmod-mysql",
        "image: projetfilrouge/gmod-server:v1.0-base",
        "- \"127.0.0.1:27015:27015/udp\"",
        "- \"127.0.0.1:3306:3306\"",
        "mem_limit: 3g",
        "restart: unless-stopped",
        "- gmod-server-data:/home/gmod/server\n",
    ] {
        assert!(yaml.contains(line), "{line} is not in:\n{yaml}");
    }
}

#[test]
fn an_offset_moves_everything_that_could_collide() {
    let yaml = file::compose_yaml(&StackSpec::reference(7, "db:1"));
    assert!(yaml.contains("container_name: lab7-gmod-server"));
    assert!(yaml.contains("27022:27015/udp"));
    assert!(yaml.contains("3313:3306"));
}

#[test]
fn secrets_are_fresh_private_and_only_in_dot_env() {
    let dir = tempfile::tempdir().unwrap();
    let stack = write(dir.path(), StackSpec::reference(3, "db:1"));
    let path = dir.path().join(".env");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let env = std::fs::read_to_string(&path).unwrap();
    assert!(env.contains("COMPOSE_PROJECT_NAME=lab3\n"));
    assert!(env.contains(&stack.secrets.rcon));
    let yaml = std::fs::read_to_string(dir.path().join("docker-compose.yml")).unwrap();
    assert!(!yaml.contains(&stack.secrets.rcon));
    let again = write(dir.path(), StackSpec::reference(3, "db:1"));
    assert_ne!(stack.secrets.rcon, again.secrets.rcon);
}

#[test]
fn the_project_has_a_history_without_its_secrets() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), StackSpec::reference(0, "db:1"));
    let git = |args: &[&str]| {
        let mut command = std::process::Command::new("git");
        crate::lab::run::text(command.current_dir(dir.path()).args(args)).unwrap()
    };
    assert_eq!(git(&["log", "--oneline"]).lines().count(), 2);
    assert!(!git(&["ls-files"]).contains(".env"));
    assert_eq!(git(&["status", "--porcelain"]), "");
}

#[test]
fn values_survive_yaml_and_compose() {
    let spec = StackSpec::private("t", "img").unwrap().env("A", "say \"$HOME\"");
    let yaml = file::compose_yaml(&spec.restart(Restart::No));
    assert!(yaml.contains(r#"A: "say \"$$HOME\"""#), "{yaml}");
    assert!(yaml.contains("restart: \"no\""));
    assert!(!yaml.contains("mysql:"));
}
