//! Decides whether a secret stands in a compose file.

use super::Rule;
use crate::compose::{Value, template};
use crate::doctor::project::Found;
use crate::doctor::{About, Change, Finding, Fix, Level, Project, Service, looks_secret, secret};
use crate::stack::Role;

pub(super) const ABOUT: About = About {
    word: "plain-secret-compose",
    level: Level::Error,
    risks: &["R1", "R8"],
    why: [
        "a compose file goes into git, into chats and into every backup: whoever reads it has the server or its data",
        "un fichier compose part dans git, dans les discussions et dans toutes les sauvegardes : qui le lit a le serveur ou ses données",
    ],
    remedy: [
        "write ${NAME} here and the value into .env, mode 0600",
        "écrire ${NOM} ici et la valeur dans .env, en mode 0600",
    ],
};

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    for service in &project.services {
        for variable in service.environment() {
            let Some(raw) = variable.raw.as_deref() else { continue };
            let secret = looks_secret(&variable.name) && !variable.name.ends_with("_FILE");
            // The key is for nothing any more; another rule says so.
            let unused = service.role == Role::Game && variable.name == "AUTHKEY";
            if !secret || unused || secret::is_harmless(raw) || !template::variables(raw).is_empty()
            {
                continue;
            }
            let name = &variable.name;
            let before = if variable.item { format!("{name}=") } else { String::new() };
            let place = Place { at: &variable.at, path: &variable.path, before, after: "" };
            found.push(finding(project, service, &place, name, raw));
        }
        for (at, text) in service.check_words() {
            if secret::flag_value(text).is_some() {
                let what = (
                    format!("{}: a password stands here in plain text", service.name),
                    format!("{} : un mot de passe est écrit ici en clair", service.name),
                );
                found.push(Rule::PlainSecretCompose.at(&at, service, what));
            }
        }
        for (at, path, text) in service.words() {
            for (setting, name) in secret::SETTINGS {
                let Some(value) = secret::value_of(&text, setting) else { continue };
                let (before, after) = (text[..value.start].to_owned(), &text[value.end..]);
                let raw = &text[value];
                if template::variables(raw).is_empty() && !raw.contains('$') {
                    let place = Place { at: &at, path: &path, before, after };
                    found.push(finding(project, service, &place, name, raw));
                }
            }
        }
    }
}

/// Where the secret stands, and what stands around it.
struct Place<'a> {
    at: &'a Found<'a>,
    path: &'a [String],
    before: String,
    after: &'a str,
}

fn finding(
    project: &Project<'_>,
    service: &Service<'_>,
    place: &Place<'_>,
    name: &str,
    raw: &str,
) -> Finding {
    let what = (
        format!("{}: {name} stands here in plain text", service.name),
        format!("{} : {name} est écrit ici en clair", service.name),
    );
    let value = raw.replace("$$", "$");
    let variable = free_name(project, service, name, &value);
    let fix = place.at.own.zip(variable).map(|(file, variable)| {
        let text = format!("{}${{{variable}}}{}", place.before, place.after);
        let path: Vec<&str> = ["services", service.name]
            .into_iter()
            .chain(place.path.iter().map(String::as_str))
            .collect();
        let mut changes = vec![
            Change::Dotenv { name: variable, value: value.clone() },
            Change::set(file, &path, Value::text(text)),
        ];
        // Also where git leaves `.env` out already: the copy of the old file has the secret too.
        if project.facts.git.is_some() {
            changes.insert(0, Change::IgnoreDotenv);
        }
        let tracked = project.facts.git.as_ref().is_some_and(|git| git.tracks_dotenv);
        Fix { safe: !tracked, changes }
    });
    Rule::PlainSecretCompose.at(place.at, service, what).fixed_by(fix)
}

/// A variable's name that has no other value yet: in the environment, in `.env`, or in another service
/// whose secret would be moved there too.
fn free_name(
    project: &Project<'_>,
    service: &Service<'_>,
    name: &str,
    value: &str,
) -> Option<String> {
    let others = project.services.iter().flat_map(Service::environment);
    let taken = |wanted: &str| {
        project.facts.variables.get(wanted).is_some_and(|set| set != value)
            || others.clone().any(|other| {
                let raw = other.raw.as_deref().unwrap_or_default();
                let literal = template::variables(raw).is_empty() && !raw.is_empty();
                other.name == wanted && literal && raw.replace("$$", "$") != value
            })
    };
    let clean = |text: &str| -> String {
        let sign = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        text.chars().map(sign).collect()
    };
    let own = format!("{}_{}", clean(service.name), clean(name));
    let candidates = [clean(name), own.clone(), [&own, "_2"].concat()];
    candidates.into_iter().find(|name| !taken(name))
}
