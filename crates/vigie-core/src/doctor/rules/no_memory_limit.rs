//! Decides whether one service can take the memory of all.

use super::Rule;
use crate::doctor::{About, Finding, Level, Project};
use crate::stack::Role;

pub(super) const ABOUT: About = About {
    word: "no-memory-limit",
    level: Level::Warning,
    risks: &["R7"],
    why: [
        "a leak takes the whole host: the kernel then kills whatever it likes, often the database",
        "une fuite prend tout l'hôte : le noyau tue alors ce qu'il veut, souvent la base",
    ],
    remedy: [
        "write mem_limit, a quarter above what it needs on a full evening",
        "écrire mem_limit, un quart au-dessus de ce qu'il faut un soir d'affluence",
    ],
};

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    for service in &project.services {
        let limit = ["deploy", "resources", "limits", "memory"];
        if service.find(&["mem_limit"]).is_some() || service.find(&limit).is_some() {
            continue;
        }
        let name = service.name;
        let what =
            (format!("{name} has no memory limit"), format!("{name} n'a pas de limite de mémoire"));
        let level = if service.role == Role::Other { Level::Note } else { ABOUT.level };
        found.push(Rule::NoMemoryLimit.at_service(service, what).with_level(level));
    }
}
