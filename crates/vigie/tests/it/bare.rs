//! A bare host is not always bare: files that belong outside of the project, another image under a name, and
//! volumes whose files are somewhere else. Nothing of it is written over, and all of it is said.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use vigie_testkit::lab::{Stack, docker_or_skip};

use crate::backup::fine;
use crate::recover::town_at;
use crate::survival::ready;

/// Gives the stack what it has outside of its directory, in `host`.
fn spread(stack: &Stack, host: &Path) {
    std::fs::create_dir_all(host.join("bound")).unwrap();
    std::fs::write(host.join("bound/b.txt"), "bound").unwrap();
    std::fs::write(host.join("game.env"), "FROM_OUTSIDE=yes\n").unwrap();
    for (name, text) in [("rcon.secret", "s3cr3t"), ("motd.txt", "welcome")] {
        std::fs::write(host.join(name), text).unwrap();
        let mode = std::fs::Permissions::from_mode(0o604);
        std::fs::set_permissions(host.join(name), mode).unwrap();
    }
    let file = stack.dir().join("docker-compose.yml");
    let text = std::fs::read_to_string(&file).unwrap();
    let at = host.display();
    let mounts = format!(
        "      - {at}/rcon.secret:/run/rcon.secret:ro\n      - {at}/motd.txt:/run/motd.txt:ro\n      \
         - bound:/bound\n      - memory:/memory\n      - ./lua-bin:"
    );
    let volumes = format!(
        "\nvolumes:\n  bound:\n    driver: local\n    driver_opts:\n      type: none\n      o: bind\n      \
         device: {at}/bound\n  memory:\n    driver: local\n    driver_opts:\n      type: tmpfs\n      \
         device: tmpfs\n  gmod-server-data:\n"
    );
    let text = text
        .replace("  gmod:\n", &format!("  gmod:\n    env_file: {at}/game.env\n"))
        .replace("      - ./lua-bin:", &mounts)
        .replace("\nvolumes:\n  gmod-server-data:\n", &volumes);
    assert!(text.contains("memory:/memory") && text.contains("tmpfs") && text.contains("env_file"));
    std::fs::write(&file, text).unwrap();
    stack.up().unwrap();
    ready(stack);
}

#[test]
fn what_is_in_the_way_is_left_alone_and_said() {
    let Some(lab) = docker_or_skip("a host that is not quite bare") else { return };
    let town = town_at(&lab, "it-bare", |stack, at| {
        spread(stack, &at.join("host"));
        format!("[backup.site.near]\nlocal = \"{}/near\"\n", at.display())
    });
    let host = town.sites.path().join("host");
    let beside = town.stack.dir().join("beside");
    let to = beside.to_str().unwrap();
    let text = fine(&town.stack, &["backup", "restore", "project", "--to", to]);
    let line =
        format!("belongs outside of the project, to {}/rcon.secret, where it is", host.display());
    assert!(text.contains(&line), "{text}");

    town.lose();
    std::fs::remove_dir_all(&host).unwrap();
    std::fs::create_dir_all(host.join("bound")).unwrap();
    std::fs::write(host.join("motd.txt"), "mine").unwrap();
    std::fs::write(host.join("bound/mine.txt"), "mine").unwrap();
    let docker = town.docker();
    let name = &town.stack.spec.game_image;
    let empty = town.sites.path().join("empty.tar");
    std::fs::write(&empty, [0; 1024]).unwrap();
    let other = docker.text(["import", empty.to_str().unwrap(), name]).unwrap().trim().to_owned();
    let (near, target) = (town.near(), town.stack.dir().display().to_string());
    let arguments = ["--from", &near, "--to", &target, "--yes"];

    let (code, text) = town.run(&arguments);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("_bound is on this host and has something in it"), "{text}");
    assert!(!host.join("game.env").exists(), "what was lent is gone: {text}");
    std::fs::remove_file(host.join("bound/mine.txt")).unwrap();

    let (code, text) = town.run(&arguments);
    assert_eq!(code, Some(0), "{text}");
    let at = host.display();
    for told in [
        format!("{name} is another image here"),
        format!("{at}/rcon.secret is outside of the project, and comes back there"),
        format!("{at}/motd.txt is outside of the project, and another one is there"),
        String::from("_memory is in memory: it begins empty"),
        format!(
            "another {at}/motd.txt is there, the one in the backup is {target}/.outside{at}/motd.txt"
        ),
    ] {
        assert!(text.contains(&told), "{told}: {text}");
    }
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    assert_eq!(read(&host.join("rcon.secret")), "s3cr3t");
    let mode = std::fs::metadata(host.join("rcon.secret")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o604);
    assert_eq!(read(&host.join("motd.txt")), "mine", "nothing is written over");
    let outside = town.stack.dir().join(".outside");
    let kept = |name: &str| outside.join(host.strip_prefix("/").unwrap()).join(name);
    assert_eq!(read(&kept("motd.txt")), "welcome");
    assert!(!kept("rcon.secret").exists(), "what is back is not here a second time");
    assert_eq!(read(&host.join("bound/b.txt")), "bound");
    let id = |name: &str| docker.text(["image", "inspect", "-f", "{{.Id}}", name]).unwrap();
    assert_ne!(id(name).trim(), other, "the image of the backup has its name");
    let digits = other.trim_start_matches("sha256:").get(..12).unwrap();
    let repository = name.split(':').next().unwrap();
    assert_eq!(
        id(&format!("{repository}:before-{digits}")).trim(),
        other,
        "the other is still there"
    );
    town.is_back();
}
