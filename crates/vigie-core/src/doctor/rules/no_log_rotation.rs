//! Decides whether a service's log can fill the disk.

use super::{Rule, set};
use crate::compose::Value;
use crate::doctor::{About, Change, Finding, Fix, Level, Project};

pub(super) const ABOUT: About = About {
    word: "no-log-rotation",
    level: Level::Warning,
    risks: &["R1", "R2"],
    why: [
        "Docker keeps every line for ever by default: one Lua error in a loop fills the disk, and then the database stops too",
        "Docker garde chaque ligne pour toujours par défaut : une erreur Lua en boucle remplit le disque, et la base s'arrête aussi",
    ],
    remedy: [
        "write logging with max-size and max-file",
        "écrire logging avec max-size et max-file",
    ],
};

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    for service in &project.services {
        let name = service.name;
        let what = (
            format!("{name}: its log has no limit"),
            format!("{name} : son journal n'a pas de limite"),
        );
        let limits = || [("max-size", Value::text("10m")), ("max-file", Value::text("5"))];
        let Some(logging) = service.find(&["logging"]).filter(|at| at.view.is_mapping()) else {
            let value = Value::map([
                ("driver", Value::text("json-file")),
                ("options", Value::map(limits())),
            ]);
            let fix = set(service, &["logging"], value);
            found.push(Rule::NoLogRotation.at_service(service, what).fixed_by(Some(fix)));
            continue;
        };
        let driver = service.find(&["logging", "driver"]).and_then(|driver| driver.view.text());
        let bounded = service.find(&["logging", "options", "max-size"]).is_some();
        if bounded || !matches!(driver, None | Some("json-file")) {
            continue;
        }
        let fix = logging.own.map(|file| {
            let path = ["services", name, "logging", "options"];
            let changes = limits()
                .map(|(key, value)| Change::set(file, &[&path[..], &[key]].concat(), value));
            Fix { safe: true, changes: changes.into() }
        });
        found.push(Rule::NoLogRotation.at(&logging, service, what).fixed_by(fix));
    }
}
