//! Decides whether a game or a database has a health check at all.

use super::Rule;
use crate::doctor::{About, Finding, Level, Project, check};
use crate::stack::Role;

pub(super) const ABOUT: About = About {
    word: "no-healthcheck",
    level: Level::Warning,
    risks: &["R1", "R2"],
    why: [
        "without a check a frozen server is \"running\" for Docker, and nothing can wait until it is ready",
        "sans contrôle, un serveur figé « tourne » pour Docker, et rien ne peut attendre qu'il soit prêt",
    ],
    remedy: [
        "write a healthcheck that asks as a player or an addon does",
        "écrire un healthcheck qui interroge comme un joueur ou un addon",
    ],
};

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    for service in project.of(&[Role::Game, Role::Database]) {
        let (at, words) = service.healthcheck();
        if !words.is_empty() || (at.is_none() && check::image_only_listens(service)) {
            continue;
        }
        let name = service.name;
        let what =
            (format!("{name} has no health check"), format!("{name} n'a pas de contrôle de santé"));
        let rule = Rule::NoHealthcheck;
        let finding = match at {
            // Somebody has switched it off, which is left to them.
            Some(at) => rule.at(&at, service, what),
            None => rule.at_service(service, what).fixed_by(check::fix(service)),
        };
        found.push(finding);
    }
}
