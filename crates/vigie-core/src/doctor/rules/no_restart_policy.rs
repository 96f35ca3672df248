//! Decides whether a service comes back by itself.

use super::{Rule, set};
use crate::compose::Value;
use crate::doctor::{About, Finding, Level, Project, Service};
use crate::stack::Role;

pub(super) const ABOUT: About = About {
    word: "no-restart-policy",
    level: Level::Warning,
    risks: &["R1", "R2", "R7"],
    why: [
        "after a crash, or after the host's own restart, nothing starts it again",
        "après un crash, ou après un redémarrage de l'hôte, rien ne le relance",
    ],
    remedy: ["write restart: unless-stopped", "écrire restart: unless-stopped"],
};

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    for service in &project.services {
        let set_somehow = service.find(&["restart"]).is_some()
            || service.find(&["deploy", "restart_policy"]).is_some();
        if set_somehow || is_one_shot(project, service) {
            continue;
        }
        let name = service.name;
        let what = (
            format!("{name} has no restart policy"),
            format!("{name} n'a pas de politique de redémarrage"),
        );
        let fix = set(service, &["restart"], Value::text("unless-stopped"));
        let finding = Rule::NoRestartPolicy.at_service(service, what);
        // Of anything else nobody knows whether it is meant to end.
        found.push(match service.role {
            Role::Other => finding.fixed_by(Some(fix.not_by_itself())).with_level(Level::Note),
            _ => finding.fixed_by(Some(fix)),
        });
    }
}

/// Whether others wait until it has ended, or it only runs when it is asked for.
fn is_one_shot(project: &Project<'_>, service: &Service<'_>) -> bool {
    let awaited = project.services.iter().any(|other| {
        let condition = other.find(&["depends_on", service.name, "condition"]);
        condition.and_then(|at| at.view.text()) == Some("service_completed_successfully")
    });
    awaited || service.find(&["profiles"]).is_some()
}
