//! Decides whether a fresh clone of the project would lack what it binds.

use super::Rule;
use crate::doctor::{About, Finding, Level, Project, Source};

pub(super) const ABOUT: About = About {
    word: "bind-ignored-by-git",
    level: Level::Warning,
    risks: &["R4"],
    why: [
        "a new machine starts from a clone: what git leaves out is an empty directory there, and the game starts without it",
        "une nouvelle machine part d'un clone : ce que git exclut y est un dossier vide, et le jeu démarre sans",
    ],
    remedy: [
        "put it into git, or say in the README where it comes from",
        "le mettre dans git, ou dire dans le README d'où il vient",
    ],
};

/// What only holds what the stack writes itself, which a clone rightly lacks.
const WRITTEN: [&str; 6] = ["data", "log", "backup", "cache", "dump", "secret"];

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    let Some(git) = &project.facts.git else { return };
    for service in &project.services {
        for mount in service.mounts() {
            let Source::Bind(path) = &mount.source else { continue };
            let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            let last = last.to_ascii_lowercase();
            let written =
                WRITTEN.iter().any(|word| last.contains(word)) || last.starts_with(".env");
            if !git.ignored.contains(path) || written {
                continue;
            }
            let name = service.name;
            let what = (
                format!("{name} needs {path}, which git ignores: a fresh clone lacks it"),
                format!("{name} a besoin de {path}, que git ignore : un clone neuf ne l'a pas"),
            );
            found.push(Rule::BindIgnoredByGit.at(&mount.at, service, what));
        }
    }
}
