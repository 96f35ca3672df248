//! Decides which files of a project its own files name, without which they cannot be used: the `env_file`
//! of a service, and the files in which the configuration looks for secrets. Never reads a secret.

use std::path::{Path, PathBuf};

use vigie_core::compose::{Document, View};

use crate::config::{Config, Secret};

/// The files that the compose files `composes` and the configuration name.
pub(super) fn named(config: &Config, composes: &[PathBuf]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for compose in composes {
        let Ok(text) = std::fs::read_to_string(compose) else { continue };
        let directory = compose.parent().unwrap_or(Path::new(""));
        found.extend(env_files(&text).into_iter().map(|name| directory.join(name)));
    }
    let services = config.file.service.values();
    let secrets = services.flat_map(|service| {
        let rcon = service.rcon.iter().map(|rcon| &rcon.password);
        rcon.chain(service.database.iter().map(|database| &database.password))
    });
    let files = secrets.filter_map(|secret| match secret {
        Secret::File(path) => Some(config.directory().join(path)),
        Secret::Env(_) => None,
    });
    found.extend(files);
    found
}

/// The `env_file` of every service: one, a list of them, or a list of mappings with a `path`.
fn env_files(compose: &str) -> Vec<String> {
    let Ok(document) = Document::parse(compose) else { return Vec::new() };
    let services = document.at(&["services"]).map(View::entries).unwrap_or_default();
    let mut found = Vec::new();
    for (_, _, service) in services {
        let Some(named) = service.get("env_file") else { continue };
        found.extend(named.text().map(str::to_owned));
        for item in named.items() {
            let path = item.text().or_else(|| item.get("path").and_then(View::text));
            found.extend(path.map(str::to_owned));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_name_a_file_of_variables() {
        let compose = "services:\n  a:\n    env_file: a.env\n  b:\n    env_file:\n      - b.env\n      \
            - path: ./c.env\n        required: false\n  d:\n    image: x\n";
        assert_eq!(env_files(compose), ["a.env", "b.env", "./c.env"]);
        assert_eq!(env_files(": ["), Vec::<String>::new());
    }
}
