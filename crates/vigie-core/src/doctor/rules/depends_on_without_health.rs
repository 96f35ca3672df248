//! Decides whether a service starts before the database that it needs is ready.

use super::Rule;
use crate::compose::{Value, View};
use crate::doctor::project::Found;
use crate::doctor::{About, Finding, Fix, Level, Project};
use crate::stack::Role;

pub(super) const ABOUT: About = About {
    word: "depends-on-without-health",
    level: Level::Warning,
    risks: &["R2"],
    why: [
        "a container that has started is not a database that answers: the addon connects too early and goes on without it until the next restart",
        "un conteneur démarré n'est pas une base qui répond : l'addon se connecte trop tôt et reste sans base jusqu'au prochain redémarrage",
    ],
    remedy: ["write condition: service_healthy", "écrire condition: service_healthy"],
};

const HEALTHY: &str = "service_healthy";

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    for service in &project.services {
        let Some(depends) = service.find(&["depends_on"]) else { continue };
        let needed = |name: &str| {
            let other = project.service(name)?;
            (other.role == Role::Database).then(|| !other.healthcheck().1.is_empty())
        };
        for (name, at, condition) in entries(&depends) {
            let waits = matches!(condition, Some(HEALTHY | "service_completed_successfully"));
            let Some(has_check) = needed(name).filter(|_| !waits) else { continue };
            let what = (
                format!("{} does not wait until {name} is healthy", service.name),
                format!("{} n'attend pas que {name} soit sain", service.name),
            );
            // Compose refuses to wait for a health that nobody checks.
            let fix = depends.own.filter(|_| has_check).map(|file| {
                let path = ["services", service.name, "depends_on"];
                if depends.view.is_list() {
                    Fix::set(file, &path, mapping(&depends, &|name| needed(name) == Some(true)))
                } else {
                    let path = [&path[..], &[name, "condition"]].concat();
                    Fix::set(file, &path, Value::text(HEALTHY))
                }
            });
            found.push(Rule::DependsOnWithoutHealth.at(&at, service, what).fixed_by(fix));
        }
    }
}

/// What is depended on, its place, and the condition.
fn entries<'a>(depends: &Found<'a>) -> Vec<(&'a str, Found<'a>, Option<&'a str>)> {
    if depends.view.is_list() {
        let items = depends.view.items().into_iter();
        return items
            .filter_map(|view| Some((view.text()?, Found { view, ..*depends }, None)))
            .collect();
    }
    let entries = depends.view.entries().into_iter().map(|(name, _, view)| {
        let condition = view.get("condition");
        let at = Found { view: condition.unwrap_or(view), ..*depends };
        (name, at, condition.and_then(View::text))
    });
    entries.collect()
}

/// The same as a mapping, which can hold conditions.
fn mapping(depends: &Found<'_>, healthy: &dyn Fn(&str) -> bool) -> Value {
    Value::map(entries(depends).into_iter().map(|(name, ..)| {
        let condition = if healthy(name) { HEALTHY } else { "service_started" };
        (name, Value::map([("condition", Value::text(condition))]))
    }))
}
