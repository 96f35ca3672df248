//! Decides whether the game runs under a debugger because nobody said that players are on it.

use super::{Rule, set};
use crate::compose::Value;
use crate::doctor::{About, Finding, Level, Project, check};
use crate::stack::Role;

pub(super) const ABOUT: About = About {
    word: "production-unset",
    level: Level::Warning,
    risks: &["R1", "R6"],
    why: [
        "without PRODUCTION the image starts the game under gdb: a crash waits in the debugger, and its log goes elsewhere",
        "sans PRODUCTION l'image lance le jeu sous gdb : un crash attend dans le débogueur, et son journal part ailleurs",
    ],
    remedy: ["write PRODUCTION: \"1\"", "écrire PRODUCTION: \"1\""],
};

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    for service in project.of(&[Role::Game]) {
        // Only images of this family read these variables.
        let family = service.variable("GAMEMODE").is_some() || check::is_known_game(service);
        let set_to = service.variable("PRODUCTION");
        let on = set_to.as_ref().and_then(|one| one.raw.as_deref()).map(|raw| service.fill(raw));
        if !family || on.is_some_and(|on| !matches!(on.trim(), "" | "0")) {
            continue;
        }
        let name = service.name;
        let what = (
            format!("{name}: PRODUCTION is not set, so the game runs under gdb"),
            format!("{name} : PRODUCTION n'est pas défini, le jeu tourne donc sous gdb"),
        );
        let rule = Rule::ProductionUnset;
        let finding = match set_to {
            Some(one) => rule.at(&one.at, service, what),
            None => {
                let environment = service.find(&["environment"]);
                let listed = environment.is_some_and(|at| at.view.is_list());
                // It also switches off that Lua is read again while the game runs.
                let fix = set(service, &["environment", "PRODUCTION"], Value::text("1"));
                let fix = fix.not_by_itself();
                rule.at_service(service, what).fixed_by((!listed).then_some(fix))
            }
        };
        found.push(finding);
    }
}
