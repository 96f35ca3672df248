//! Decides whether a key is handed over that the game no longer reads.

use super::Rule;
use crate::doctor::{About, Finding, Level, Project};
use crate::stack::Role;

pub(super) const ABOUT: About = About {
    word: "authkey-unused",
    level: Level::Note,
    risks: &["R3"],
    why: [
        "the game reads Workshop collections without a key by now: it is one more secret to lose, for nothing",
        "le jeu lit désormais les collections Workshop sans clé : un secret de plus à perdre, pour rien",
    ],
    remedy: [
        "take it out, and revoke it at steamcommunity.com/dev/apikey",
        "la retirer, et la révoquer sur steamcommunity.com/dev/apikey",
    ],
};

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    for service in project.of(&[Role::Game]) {
        let name = service.name;
        let what = || {
            (
                format!("{name}: the game no longer needs the Steam key that it is given"),
                format!("{name} : le jeu n'a plus besoin de la clé Steam qui lui est donnée"),
            )
        };
        if let Some(key) = service.variable("AUTHKEY").filter(|key| key.raw.as_deref() != Some(""))
        {
            found.push(Rule::AuthkeyUnused.at(&key.at, service, what()));
        }
        let given = service.words().into_iter().find(|(_, _, text)| text.contains("-authkey"));
        if let Some((at, ..)) = given {
            found.push(Rule::AuthkeyUnused.at(&at, service, what()));
        }
    }
}
