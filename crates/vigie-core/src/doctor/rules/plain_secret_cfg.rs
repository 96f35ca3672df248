//! Decides whether a secret stands in a configuration file of the game.

use super::Rule;
use crate::compose::Place;
use crate::doctor::finding::text;
use crate::doctor::{About, Finding, Level, Project, secret};

pub(super) const ABOUT: About = About {
    word: "plain-secret-cfg",
    level: Level::Warning,
    risks: &["R1"],
    why: [
        "server.cfg goes into git with the rest: whoever reads it has the console of the server",
        "server.cfg part dans git avec le reste : qui le lit a la console du serveur",
    ],
    remedy: [
        "give it in ARGS: +rcon_password ${RCON_PASSWORD}",
        "la donner dans ARGS : +rcon_password ${RCON_PASSWORD}",
    ],
};

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    for bound in project.facts.bound.iter().filter(|bound| bound.file.path.ends_with(".cfg")) {
        for (number, line) in bound.file.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for (setting, _) in secret::SETTINGS {
                let begins = code.trim_start().to_ascii_lowercase().starts_with(setting);
                let Some(value) = secret::value_of(code, setting).filter(|_| begins) else {
                    continue;
                };
                let column = code[..value.start].chars().count() + 1;
                found.push(Finding {
                    rule: Rule::PlainSecretCfg,
                    level: ABOUT.level,
                    file: bound.file.path.clone(),
                    place: Place { line: number + 1, column },
                    service: Some(bound.service.clone()),
                    what: text(
                        format!("{setting} stands here in plain text"),
                        format!("{setting} est écrit ici en clair"),
                    ),
                    fix: None,
                });
            }
        }
    }
}
