//! What this account cannot read is refused before anything is made.

use std::os::unix::fs::{PermissionsExt as _, chown};

use super::*;

/// An account of nobody else.
const OTHER: u32 = 54_321;

/// `vigie` as a root that may not read what is not its own: what anybody but root is.
fn humble(stack: &Stack, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = std::process::Command::new("setpriv");
    stack.docker().point(&mut command);
    command.arg("--bounding-set=-dac_override,-dac_read_search");
    command.arg(vigie().get_program()).args(arguments).current_dir(stack.dir());
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

/// Makes `path` readable by another account alone.
fn shut(path: &Path) {
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    chown(path, Some(OTHER), Some(OTHER)).unwrap();
}

#[test]
fn what_cannot_be_read_is_refused_before_anything_is_made() {
    const WHAT: &str = "a volume that this account cannot read";
    let Some(lab) = docker_or_skip(WHAT) else { return };
    let (stack, images) = game_alone(&lab, "it-unreadable");
    let secret = stack.dir().join("secret");
    std::fs::write(&secret, "").unwrap();
    // Only root can give a file away, and only where it has the right to do so.
    if chown(&secret, Some(OTHER), Some(OTHER)).is_err() {
        return skip("root", WHAT, "files cannot be given to another account");
    }
    let before = tags(&images);
    let points = || std::fs::read_dir(stack.dir().join(".vigie/points")).unwrap().count();
    let deep = volume(&stack).join("maps/night");
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(deep.join("map"), "x").unwrap();
    let server_cfg = stack.dir().join("server-config/server.cfg");
    let bind = stack.dir().join("addons/construction");
    for path in [deep.join("map"), deep.clone(), bind, server_cfg] {
        shut(&path);
        let (code, text) = humble(&stack, &["snapshot", "create", "v1.0-base"]);
        assert_eq!(code, Some(4), "{}: {text}", path.display());
        let told = format!("{} cannot be read by this account", path.display());
        assert!(text.contains(&told) && text.contains("nothing was begun"), "{text}");
        assert!(!text.contains("image of gmod"), "it was begun: {text}");
        assert_eq!((tags(&images), points()), (before.clone(), 1), "only the lock is there");
        chown(&path, Some(0), Some(0)).unwrap();
    }
    // The same account with nothing that it may not read.
    let (code, text) = humble(&stack, &["snapshot", "create", "v1.0-base"]);
    assert_eq!(code, Some(0), "{text}");
}
