//! Decides whether the game is asked, or only whether something listens.

use super::Rule;
use crate::doctor::{About, Finding, Level, Project, check};
use crate::stack::Role;

pub(super) const ABOUT: About = About {
    word: "healthcheck-only-listens",
    level: Level::Warning,
    risks: &["R1"],
    why: [
        "a frozen game goes on listening: the check stays green while nobody can play",
        "un jeu figé continue d'écouter : le contrôle reste vert alors que personne ne peut jouer",
    ],
    remedy: ["ask the game itself (A2S)", "interroger le jeu lui-même (A2S)"],
};

/// What only looks for a socket or a process.
const ONLY_LOOK: [&str; 10] = [
    "netstat",
    "ss -",
    "lsof",
    "LISTEN",
    "nc -z",
    "/dev/tcp/",
    "pgrep",
    "pidof",
    "health.sh",
    "ps aux",
];

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    for service in project.of(&[Role::Game]) {
        let (at, words) = service.healthcheck();
        let looks = ONLY_LOOK.iter().any(|word| words.contains(word));
        let by_image = at.is_none() && check::image_only_listens(service);
        if !looks && !by_image {
            continue;
        }
        let name = service.name;
        let rule = Rule::HealthcheckOnlyListens;
        let finding = match at {
            Some(at) => rule.at(&at, service, (
                format!("{name}: its health check only looks whether something listens"),
                format!("{name} : son contrôle de santé regarde seulement si un port est ouvert"),
            )),
            None => rule.at_service(service, (
                format!("{name}: its image's health check only looks whether something listens"),
                format!("{name} : le contrôle de santé de son image regarde seulement si un port est ouvert"),
            )),
        };
        let fix = match at {
            Some(at) => at.own.and_then(|file| check::fix_test(service, file)),
            None => check::fix(service),
        };
        found.push(finding.fixed_by(fix));
    }
}
