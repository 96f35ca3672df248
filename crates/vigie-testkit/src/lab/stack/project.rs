//! Writes a stack as a compose project directory, with small samples of everything the reference
//! stack binds into its containers.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Secrets, StackSpec, file, git};

const SERVER_CFG: &str = "// rcon_password comes from the environment of the container\n\
    hostname \"Construction RP [lab]\"\nsv_lan 0\nsv_region 3\nsbox_maxprops 200\n";
const ADDON_JSON: &str = "{ \"title\": \"Construction\", \"type\": \"servercontent\", \"tags\": [\"roleplay\", \"build\"], \"ignore\": [] }\n";
const ADDON_LUA: &str = "-- Loads the construction addon.\n\
    if SERVER then\n    print(\"[Construction] Module blueprint chargé\")\nend\n";
const GAMEMODE: &str = "\"darkrp\"\n{\n\t\"base\"\t\"sandbox\"\n\t\"title\"\t\"DarkRP\"\n}\n";

/// Files that belong to the project's git history.
const TRACKED: [(&str, &str); 6] = [
    ("addons/construction/addon.json", ADDON_JSON),
    ("addons/construction/lua/autorun/construction_init.lua", ADDON_LUA),
    ("gamemodes/darkrp/darkrp.txt", GAMEMODE),
    ("server-config/server.cfg", SERVER_CFG),
    ("mysql-init/01-blueprints.sql", include_str!("seed.sql")),
    (".gitignore", ".env\nmysql-data/\ndownload/\nlua-bin/\n"),
];

/// Directories that git ignores, as in the reference stack.
const LOCAL: [&str; 3] = ["lua-bin", "download", "mysql-data"];

/// Writes the whole project into `dir`, which may exist. A compose file already there is replaced.
pub(super) fn write(dir: &Path, spec: &StackSpec, secrets: &Secrets) -> Result<()> {
    for path in LOCAL {
        let path = dir.join(path);
        fs::create_dir_all(&path).with_context(|| format!("cannot make {path:?}"))?;
    }
    for (path, text) in TRACKED {
        put(&dir.join(path), text)?;
    }
    put(&dir.join("docker-compose.yml"), &file::compose_yaml(spec))?;
    put_secret(&dir.join(".env"), &file::dot_env(spec, secrets))?;
    if spec.git {
        git::init(dir)?;
    }
    Ok(())
}

fn put(path: &Path, text: &str) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make {parent:?}"))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {path:?}"))
}

/// Only its owner may read it, from its first byte on.
fn put_secret(path: &Path, text: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).with_context(|| format!("cannot write {path:?}"))?;
    // The mode above counts only for a new file.
    file.set_permissions(fs::Permissions::from_mode(0o600))
        .and_then(|()| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {path:?}"))
}
