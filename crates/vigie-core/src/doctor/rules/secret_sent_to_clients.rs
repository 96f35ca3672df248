//! Decides whether a Lua file with a secret in it goes to the players.

use super::Rule;
use crate::doctor::finding::text;
use crate::doctor::{About, Finding, Level, Project, lua};

pub(super) const ABOUT: About = About {
    word: "secret-sent-to-clients",
    level: Level::Error,
    risks: &["R5", "R8"],
    why: [
        "every player who ever joined has this file in their Lua cache, and the secret with it",
        "chaque joueur qui s'est connecté a ce fichier dans son cache Lua, et le secret avec",
    ],
    remedy: [
        "move it into a file that only the server reads, and change the secret: it is known",
        "la déplacer dans un fichier que seul le serveur lit, et changer le secret : il est connu",
    ],
};

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    let sent = lua::Sent::read(&project.facts.bound);
    for bound in &project.facts.bound {
        let secrets = lua::secrets(bound);
        if secrets.is_empty() || !sent.has(bound) {
            continue;
        }
        for (place, name) in secrets {
            found.push(Finding {
                rule: Rule::SecretSentToClients,
                level: ABOUT.level,
                file: bound.file.path.clone(),
                place,
                service: Some(bound.service.clone()),
                what: text(
                    format!("{name} stands in a file that is sent to every player"),
                    format!("{name} est écrit dans un fichier envoyé à chaque joueur"),
                ),
                fix: None,
            });
        }
    }
}
