//! Decides whether a secret stands in a Lua file that stays on the server.

use super::Rule;
use crate::doctor::finding::text;
use crate::doctor::{About, Finding, Level, Project, lua};

pub(super) const ABOUT: About = About {
    word: "plain-secret-lua",
    level: Level::Warning,
    risks: &["R8"],
    why: [
        "Lua goes into git, and one AddCSLuaFile later every player has it",
        "le Lua part dans git, et un AddCSLuaFile plus tard chaque joueur l'a",
    ],
    remedy: [
        "read it from a file under garrysmod/data that git leaves out",
        "la lire dans un fichier sous garrysmod/data, hors de git",
    ],
};

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    let sent = lua::Sent::read(&project.facts.bound);
    for bound in &project.facts.bound {
        if sent.has(bound) {
            continue;
        }
        for (place, name) in lua::secrets(bound) {
            found.push(Finding {
                rule: Rule::PlainSecretLua,
                level: ABOUT.level,
                file: bound.file.path.clone(),
                place,
                service: Some(bound.service.clone()),
                what: text(
                    format!("{name} stands here in plain text"),
                    format!("{name} est écrit ici en clair"),
                ),
                fix: None,
            });
        }
    }
}
