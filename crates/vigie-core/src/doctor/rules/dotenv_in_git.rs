//! Decides whether git leaves out the file that has the secrets.

use super::Rule;
use crate::compose::Dotenv;
use crate::doctor::finding::text;
use crate::doctor::{About, Change, Finding, Fix, Level, Project, looks_secret, secret};

pub(super) const ABOUT: About = About {
    word: "dotenv-in-git",
    level: Level::Error,
    risks: &["R1", "R8"],
    why: [
        "the next `git add .` publishes every password",
        "le prochain `git add .` publie tous les mots de passe",
    ],
    remedy: [
        "write .env into .gitignore, and git rm --cached .env where git has it already",
        "écrire .env dans .gitignore, et git rm --cached .env si git l'a déjà",
    ],
};

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    let facts = project.facts;
    let (Some(git), Some(dotenv)) = (&facts.git, &facts.dotenv) else { return };
    if git.ignores_dotenv {
        return;
    }
    let Ok(file) = Dotenv::parse(&dotenv.text) else { return };
    let secret = file
        .variables()
        .iter()
        .find(|one| looks_secret(&one.name) && !secret::is_harmless(&one.value));
    let Some(secret) = secret else { return };
    found.push(Finding {
        rule: Rule::DotenvInGit,
        level: ABOUT.level,
        file: dotenv.path.clone(),
        place: secret.place,
        service: None,
        what: text(
            format!("{} is in this file, and git does not leave it out", secret.name),
            format!("{} est dans ce fichier, que git n'exclut pas", secret.name),
        ),
        fix: (!git.tracks_dotenv).then(|| Fix { safe: true, changes: vec![Change::IgnoreDotenv] }),
    });
}
