//! Decides which files of a project its own files name, without which they cannot be used: compose files
//! that others include or extend, files of variables, configs and secrets, and what the configuration needs
//! to log in. Never reads the file of a secret.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use vigie_core::compose::{Document, references, template};

use crate::config::{Config, Secret};

/// A compose file is smaller.
const LARGEST: u64 = 16 << 20;

/// The files that the compose files `composes` and the configuration name.
pub(super) fn named(config: &Config, composes: &[PathBuf]) -> Vec<PathBuf> {
    let mut named = Named { config, found: Vec::new(), seen: BTreeSet::new() };
    // What is merged into the first file is read from that one's directory, what stands alone from its own.
    let main = composes.first().and_then(|first| first.parent());
    for compose in composes {
        for base in compose.parent().into_iter().chain(main) {
            named.compose(compose, base);
        }
    }
    let mut found = named.found;
    found.extend(to_log_in(config).into_iter().map(|path| config.directory().join(path)));
    found
}

/// The files of secrets, and those with which sites are reached; without that of the backups' own password,
/// which is of no use inside what it opens.
fn to_log_in(config: &Config) -> Vec<PathBuf> {
    let secrets = config.secrets().into_iter();
    let mut found: Vec<PathBuf> = secrets
        .filter_map(|secret| match secret {
            Secret::File(path) => Some(path),
            Secret::Env(_) => None,
        })
        .collect();
    for site in config.file.backup.iter().flat_map(|backup| backup.site.values()) {
        let keys = site.sftp.iter().flat_map(|sftp| [&sftp.key_file, &sftp.known_hosts]);
        let rclone = site.rclone.iter().map(|rclone| &rclone.config);
        found.extend(keys.chain(rclone).flatten().cloned());
    }
    found
}

/// What compose files name.
struct Named<'a> {
    config: &'a Config,
    found: Vec<PathBuf>,
    /// Files that were read, and from which directory: some include each other.
    seen: BTreeSet<(PathBuf, PathBuf)>,
}

impl Named<'_> {
    /// The compose file `path`, and what it names, relative to `base`.
    fn compose(&mut self, path: &Path, base: &Path) {
        self.found.push(path.to_owned());
        // By their real names: links go round in circles as well.
        let (Ok(file), Ok(from)) = (path.canonicalize(), base.canonicalize()) else { return };
        let seen = file.metadata();
        if !seen.is_ok_and(|seen| seen.is_file() && seen.len() < LARGEST) {
            return;
        }
        let Ok(text) = std::fs::read_to_string(&file) else { return };
        let Ok(document) = Document::parse(&text) else { return };
        if !self.seen.insert((file, from)) {
            return;
        }
        let config = self.config;
        let at = |name: &str| base.join(filled(config, name));
        let files = [references::env_files(&document), references::sources(&document)];
        self.found.extend(files.iter().flatten().map(|name| at(name)));
        for name in references::extended(&document) {
            let path = at(&name);
            self.compose(&path, path.parent().unwrap_or(base));
        }
        for include in references::included(&document) {
            let paths: Vec<PathBuf> = include.paths.iter().map(|name| at(name)).collect();
            let own = paths.first().and_then(|first| first.parent()).unwrap_or(base);
            let below = include.directory.as_ref().map_or_else(|| own.to_owned(), |name| at(name));
            self.found.extend(include.env_files.iter().map(|name| at(name)));
            self.found.push(below.join(".env"));
            for path in &paths {
                self.compose(path, &below);
            }
        }
    }
}

/// A path with the variables in it that Compose would put in.
fn filled(config: &Config, name: &str) -> String {
    let value = |variable: &str| config.vault.reveal(&Secret::Env(variable.to_owned())).ok();
    template::fill(name, &value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::outside::plain;

    const STACK: &str = "[stack]\nname = \"x\"\n[service.a]\nrole = \"other\"\n";

    #[test]
    fn compose_files_name_files_from_their_own_directories() {
        let project = tempfile::tempdir().unwrap();
        let at = |name: &str| project.path().join(name);
        for (name, text) in [
            (
                "compose.yaml",
                "include:\n  - web/compose.yaml\n  - path: [db/a.yaml, db/b.yaml]\n    \
                 project_directory: db/home\n    env_file: db.env\nservices:\n  \
                 a: {extends: {file: base/base.yaml, service: a}}\nsecrets:\n  key: {file: ./key.txt}\n\
                 configs:\n  set: {file: \"${VIGIE_TEST_CONFIGS}/set.cfg\"}\n",
            ),
            (
                "web/compose.yaml",
                "include: [../compose.yaml, more.yaml]\nservices: {w: {image: x, env_file: w.env}}\n",
            ),
            ("web/more.yaml", "services: {m: {image: x, env_file: [{path: m.env}]}}\n"),
            ("db/a.yaml", "services: {d: {image: x, env_file: d.env}}\n"),
            ("db/b.yaml", "services: {d: {extends: {file: ../../base/more.yaml, service: d}}}\n"),
            ("db/home/.env", ""),
            ("base/base.yaml", "services: {a: {image: x, env_file: a.env}}\n"),
            (".env", "VIGIE_TEST_CONFIGS=conf\n"),
        ] {
            std::fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            std::fs::write(at(name), text).unwrap();
        }
        let config = Config::parse(&at("vigie.toml"), STACK).unwrap();
        let found = named(&config, &[at("compose.yaml")]);
        let found: BTreeSet<PathBuf> = found.iter().map(|path| plain(path)).collect();
        let wanted = [
            "compose.yaml",
            "web/compose.yaml",
            "web/.env",
            "web/w.env",
            "web/more.yaml",
            "web/m.env",
            "db/a.yaml",
            "db/b.yaml",
            "db/home/.env",
            "db/home/d.env",
            "db.env",
            "base/base.yaml",
            "base/a.env",
            "base/more.yaml",
            "key.txt",
            "conf/set.cfg",
            // The first file is included by another one.
            ".env",
        ];
        let wanted: BTreeSet<PathBuf> = wanted.into_iter().map(at).collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn what_is_merged_is_read_from_the_first_files_directory() {
        let project = tempfile::tempdir().unwrap();
        let at = |name: &str| project.path().join(name);
        std::fs::create_dir(at("live")).unwrap();
        std::fs::write(at("compose.yaml"), "services: {a: {image: x}}\n").unwrap();
        std::fs::write(at("live/live.yaml"), "services: {a: {env_file: a.env}}\n").unwrap();
        let config = Config::parse(&at("vigie.toml"), STACK).unwrap();
        let found = named(&config, &[at("compose.yaml"), at("live/live.yaml")]);
        assert!(found.contains(&at("a.env")), "{found:?}");
    }

    #[test]
    fn the_files_of_all_secrets_are_kept_but_that_of_the_backups_password() {
        let text = format!(
            "{STACK}rcon = {{ address = \"a:1\", password = {{ file = \"rcon\" }} }}\n\
             env = {{ TOKEN = {{ file = \"token\" }} }}\n\
             [notify.discord]\nurl = {{ file = \"discord\" }}\n\
             [heartbeat]\nurl = {{ file = \"beat\" }}\n\
             [backup]\npassword = {{ file = \"password\" }}\n\
             [backup.site.a]\n\
             sftp = {{ host = \"h\", path = \"p\", key_file = \"key\", known_hosts = \"hosts\" }}\n\
             [backup.site.b]\nrclone = {{ remote = \"d:x\", config = \"rclone.conf\" }}\n\
             [backup.site.c]\n\
             rest = {{ url = \"https://r.example\", password = {{ file = \"/etc/rest\" }} }}\n"
        );
        let config = Config::parse(Path::new("nowhere/vigie.toml"), &text).unwrap();
        let found: BTreeSet<PathBuf> = named(&config, &[]).into_iter().collect();
        let wanted =
            ["rcon", "token", "discord", "beat", "key", "hosts", "rclone.conf", "/etc/rest"];
        let at = |name: &str| config.directory().join(name);
        let wanted: BTreeSet<PathBuf> = wanted.into_iter().map(at).collect();
        assert_eq!(found, wanted);
    }
}
