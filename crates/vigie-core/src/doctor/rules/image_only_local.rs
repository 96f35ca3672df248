//! Decides whether an image is nowhere but on this machine.

use super::Rule;
use crate::doctor::{About, Finding, Level, Project};

pub(super) const ABOUT: About = About {
    word: "image-only-local",
    level: Level::Warning,
    risks: &["R1", "R3", "R4"],
    why: [
        "when the machine is lost the image is lost with it, with hours of Workshop downloads in it",
        "si la machine est perdue, l'image l'est aussi, avec des heures de téléchargement du Workshop",
    ],
    remedy: ["push it to a registry", "la pousser dans un registre"],
};

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    for service in &project.services {
        let Some(at) = service.find(&["image"]).filter(|_| service.find(&["build"]).is_none())
        else {
            continue;
        };
        if !service.image_facts().is_some_and(|facts| facts.digests.is_empty()) {
            continue;
        }
        let (name, image) = (service.name, &service.image);
        let what = (
            format!("{name}: {image} is in no registry, only on this machine"),
            format!("{name} : {image} n'est dans aucun registre, seulement sur cette machine"),
        );
        found.push(Rule::ImageOnlyLocal.at(&at, service, what));
    }
}
