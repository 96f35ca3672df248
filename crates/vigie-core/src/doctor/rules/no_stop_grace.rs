//! Decides whether a service has the time to end in order.

use super::{Rule, set};
use crate::compose::Value;
use crate::doctor::{About, Finding, Level, Project};
use crate::stack::Role;

pub(super) const ABOUT: About = About {
    word: "no-stop-grace",
    level: Level::Warning,
    risks: &["R8"],
    why: [
        "Docker kills ten seconds after it asked to stop: a database in the middle of its pages, a game before it has saved",
        "Docker tue dix secondes après la demande d'arrêt : une base au milieu de ses pages, un jeu avant d'avoir sauvegardé",
    ],
    remedy: ["write stop_grace_period", "écrire stop_grace_period"],
};

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    for service in project.of(&[Role::Game, Role::Database]) {
        if service.find(&["stop_grace_period"]).is_some() {
            continue;
        }
        let name = service.name;
        let what = (
            format!("{name} is killed ten seconds after it was asked to stop"),
            format!("{name} est tué dix secondes après la demande d'arrêt"),
        );
        let grace = if service.role == Role::Database { "1m" } else { "30s" };
        let fix = set(service, &["stop_grace_period"], Value::text(grace));
        found.push(Rule::NoStopGrace.at_service(service, what).fixed_by(Some(fix)));
    }
}
