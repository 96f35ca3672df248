//! Decides whether a database is asked for a login, or only whether it is there.

use super::Rule;
use crate::doctor::{About, Finding, Level, Project, check};
use crate::stack::Role;

pub(super) const ABOUT: About = About {
    word: "ping-proves-nothing",
    level: Level::Warning,
    risks: &["R2"],
    why: [
        "mysqladmin ping says OK on \"Access denied\" too, and on the server that only fills its directory: it does not prove that the addon can log in",
        "mysqladmin ping répond OK même sur « Access denied », et pendant le tout premier démarrage : il ne prouve pas que l'addon peut se connecter",
    ],
    remedy: ["log in and SELECT 1", "se connecter et faire SELECT 1"],
};

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    for service in project.of(&[Role::Database]) {
        let (at, words) = service.healthcheck();
        let admin = ["mysqladmin", "mariadb-admin"].iter().any(|word| words.contains(word));
        if !(admin && words.contains("ping")) {
            continue;
        }
        let name = service.name;
        let what = (
            format!("{name}: its health check is content when the login is refused"),
            format!("{name} : son contrôle de santé se contente d'une connexion refusée"),
        );
        let rule = Rule::PingProvesNothing;
        let finding = match at {
            Some(at) => {
                let fix = at.own.and_then(|file| check::fix_test(service, file));
                rule.at(&at, service, what).fixed_by(fix)
            }
            None => rule.at_service(service, what).fixed_by(check::fix(service)),
        };
        found.push(finding);
    }
}
