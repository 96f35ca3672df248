//! The images of a restore point in a real registry, and back from there.

use super::*;

/// A registry without logins on a port of its own.
struct Registry {
    directory: tempfile::TempDir,
    port: u16,
    child: std::process::Child,
}

impl Registry {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = vigie_testkit::lab::free_port().unwrap();
        let config = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}/data\nhttp:\n  addr: 127.0.0.1:{port}\n",
            directory.path().display()
        );
        let path = directory.path().join("config.yml");
        std::fs::write(&path, config).unwrap();
        let child = std::process::Command::new(REGISTRY)
            .arg("serve")
            .arg(path)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        Self { directory, port, child }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        assert!(self.directory.path().join("data").exists(), "nothing was ever pushed");
    }
}

const REGISTRY: &str = "/usr/bin/docker-registry";

#[test]
fn the_images_of_a_point_go_to_a_registry_and_come_back() {
    const WHAT: &str = "a restore point's image in a registry";
    let Some(lab) = docker_or_skip(WHAT) else { return };
    if !Path::new(REGISTRY).exists() {
        return skip("docker-registry", WHAT, "the package is not installed");
    }
    let (stack, _images) = begun(&lab, "it-snapshot-push");
    let world = World::new(&stack);
    world.change("kept");
    fine(&stack, &["snapshot", "create", "v1.0-base"]);
    let registry = Registry::start();
    let to = format!("127.0.0.1:{}/town/gmod", registry.port);
    let would = fine(&stack, &["snapshot", "push", "v1.0-base", "--to", &to, "--dry-run"]);
    assert!(would.contains("would push 127.0.0.1"), "{would}");
    let told = fine(&stack, &["snapshot", "push", "v1.0-base", "--to", &to]);
    assert!(told.contains(&format!("off-site: {to}:v1.0-base@sha256:")), "{told}");
    let points = json(&stack, &["snapshot", "list", "--json"]);
    assert_eq!(points[0]["off_site"], true);

    // The machine loses its image; the registry has it.
    let own = format!("{}:v1.0-base", points[0]["images"][0]["repository"].as_str().unwrap());
    let pushed = format!("{to}:v1.0-base");
    stack.docker().text(["rmi", &own, &pushed]).unwrap();
    world.change("other");
    let (code, text) = run(&stack, &["snapshot", "rollback", "v1.0-base", "--yes"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("vigie snapshot pull v1.0-base"), "{text}");
    fine(&stack, &["snapshot", "pull", "v1.0-base"]);
    fine(&stack, &["snapshot", "rollback", "v1.0-base", "--yes"]);
    assert_eq!(world.read(), all("kept"));
    let _ = stack.docker().text(["rmi", &pushed]);
}
