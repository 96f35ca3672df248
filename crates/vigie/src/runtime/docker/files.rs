//! Decides whether Compose finds the configured file by itself. Only then does it merge the override
//! file beside it, or what `COMPOSE_FILE` names, as for the person who types `docker compose up`; a
//! file that is given with `-f` stands alone.

use std::path::{Path, PathBuf};

/// The names that Compose looks for, the first one wins.
const NAMES: [&str; 4] =
    ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
/// The same for Compose v1.
const OLD_NAMES: [&str; 4] =
    ["docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml"];
/// What Compose merges over the file that it finds, the first one wins.
const OVERRIDES: [&str; 4] = [
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];
const FILES: &str = "COMPOSE_FILE";
const SEPARATOR: &str = "COMPOSE_PATH_SEPARATOR";

/// The directory in which Compose finds `file` by itself; none where it has to be named. `major` is
/// Compose's generation, `env` the environment that it is given.
pub(super) fn found_in(
    file: &Path,
    major: &str,
    env: impl Fn(&str) -> Option<String>,
) -> Option<PathBuf> {
    let directory = file.parent().filter(|directory| directory.is_absolute())?;
    let dotenv = std::fs::read_to_string(directory.join(".env")).unwrap_or_default();
    // The environment goes before the file, also where it says "none".
    let variable = |name: &str| {
        let set = env(name).or_else(|| in_dotenv(&dotenv, name));
        set.filter(|value| !value.is_empty())
    };
    let found = match variable(FILES) {
        Some(named) => {
            let separator = variable(SEPARATOR).unwrap_or_else(|| String::from(":"));
            named.split(&separator).any(|one| same(&directory.join(one.trim()), file))
        }
        None => {
            let names = if major == "1" { OLD_NAMES } else { NAMES };
            let first = names.iter().map(|name| directory.join(name)).find(|path| path.exists());
            first.is_some_and(|first| same(&first, file))
        }
    };
    found.then(|| directory.to_owned())
}

/// The files that Compose reads in `directory`, in the order in which it merges them; none where there
/// is no compose file. `env` is the environment that it is given.
pub(crate) fn read_in(directory: &Path, env: impl Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let dotenv = std::fs::read_to_string(directory.join(".env")).unwrap_or_default();
    let variable = |name: &str| {
        let set = env(name).or_else(|| in_dotenv(&dotenv, name));
        set.filter(|value| !value.is_empty())
    };
    if let Some(named) = variable(FILES) {
        let separator = variable(SEPARATOR).unwrap_or_else(|| String::from(":"));
        return named.split(&separator).map(|one| directory.join(one.trim())).collect();
    }
    let first = |names: [&str; 4]| {
        names.iter().map(|name| directory.join(name)).find(|path| path.is_file())
    };
    let Some(main) = first(NAMES) else { return Vec::new() };
    [Some(main), first(OVERRIDES)].into_iter().flatten().collect()
}

fn same(one: &Path, other: &Path) -> bool {
    one == other
        || one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|it| it == one))
}

/// A variable of a `.env` file; the last one counts.
fn in_dotenv(text: &str, name: &str) -> Option<String> {
    let value = |line: &str| {
        let line = line.trim();
        let (known, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        (known.trim() == name).then(|| unquoted(value.trim()).to_owned())
    };
    text.lines().filter_map(value).next_back()
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote) {
            return inner.split(quote).next().unwrap_or(inner);
        }
    }
    value.split(" #").next().unwrap_or(value).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether Compose of this generation finds `file` among `files`.
    fn found(major: &str, file: &str, files: &[(&str, &str)], env: &[(&str, &str)]) -> bool {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        let env = |name: &str| {
            let value = env.iter().find(|(known, _)| *known == name);
            value.map(|(_, value)| (*value).to_owned())
        };
        found_in(&directory.path().join(file), major, env).is_some()
    }

    #[test]
    fn the_usual_names_are_found_in_each_generations_order() {
        let both = [("compose.yaml", ""), ("docker-compose.yml", "")];
        assert!(found("2", "docker-compose.yml", &both[1..], &[]));
        assert!(found("2", "compose.yaml", &both, &[]));
        assert!(!found("2", "docker-compose.yml", &both, &[]));
        assert!(found("1", "docker-compose.yml", &both, &[]));
        assert!(!found("1", "compose.yaml", &both, &[]));
    }

    #[test]
    fn the_files_that_are_read_are_those_that_are_merged() {
        let directory = tempfile::tempdir().unwrap();
        let read = |named: Option<&str>| -> Vec<String> {
            let env = |name: &str| named.filter(|_| name == FILES).map(str::to_owned);
            let files = read_in(directory.path(), env);
            files.iter().map(|file| file.file_name().unwrap().to_string_lossy().into()).collect()
        };
        assert!(read(None).is_empty());
        for name in ["docker-compose.yml", "docker-compose.override.yml", "other.yml"] {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        assert_eq!(read(None), ["docker-compose.yml", "docker-compose.override.yml"]);
        assert_eq!(read(Some("other.yml:docker-compose.yml")), ["other.yml", "docker-compose.yml"]);
    }

    #[test]
    fn another_name_has_to_be_given() {
        let files = [("docker-compose.yml", ""), ("production.yml", "")];
        assert!(!found("2", "production.yml", &files, &[]));
        assert!(!found("2", "compose.yaml", &[], &[]), "a file that is not there is named");
    }

    #[test]
    fn what_compose_file_names_counts() {
        let files = |dotenv| [("docker-compose.yml", ""), ("production.yml", ""), (".env", dotenv)];
        let both = files("A=1\nexport COMPOSE_FILE=\"docker-compose.yml:production.yml\" # both\n");
        assert!(found("2", "docker-compose.yml", &both, &[]));
        assert!(found("2", "production.yml", &both, &[]));
        let other = files("COMPOSE_FILE=production.yml # alone\n");
        assert!(!found("2", "docker-compose.yml", &other, &[]));
        assert!(found("2", "production.yml", &other, &[]));
        // The environment goes before the file.
        assert!(found("2", "docker-compose.yml", &other, &[(FILES, "docker-compose.yml")]));
        assert!(found("2", "docker-compose.yml", &other, &[(FILES, "")]));
        let separated = [(FILES, "a.yml;production.yml"), (SEPARATOR, ";")];
        assert!(found("2", "production.yml", &files(""), &separated));
    }
}
