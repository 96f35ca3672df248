//! Decides which secrets stand in a Lua file, and whether the game sends the file to players.

use std::collections::BTreeSet;

use super::{BoundText, looks_secret};
use crate::compose::Place;

/// A webhook's address is a secret by itself.
const WEBHOOK: &str = "/api/webhooks/";

fn is_lua(bound: &BoundText) -> bool {
    bound.file.path.ends_with(".lua")
}

/// Secrets with their places: `password = "…"`, the third text of `mysqloo.connect(…)`, a webhook.
pub(super) fn secrets(bound: &BoundText) -> Vec<(Place, String)> {
    if !is_lua(bound) {
        return Vec::new();
    }
    let lines = bound.file.text.lines().enumerate();
    let found = lines.filter_map(|(number, line)| {
        let (at, name) = secret_of(without_comment(line))?;
        let column = line[..at].chars().count() + 1;
        Some((Place { line: number + 1, column }, name))
    });
    found.collect()
}

fn without_comment(line: &str) -> &str {
    // Within quotes it is no comment.
    let closed = |at: &usize, quote: char| line[..*at].matches(quote).count().is_multiple_of(2);
    let mut marks = line.match_indices("--").map(|(at, _)| at);
    let at = marks.find(|at| closed(at, '"') && closed(at, '\''));
    at.map_or(line, |at| &line[..at])
}

fn secret_of(code: &str) -> Option<(usize, String)> {
    if let Some(at) = code.find(WEBHOOK).filter(|at| code[at + WEBHOOK.len()..].len() > 20) {
        return Some((at, String::from("a webhook")));
    }
    if let Some(call) = code.find("mysqloo.connect(") {
        let (at, _) = texts(&code[call..]).get(2).copied()?;
        return Some((call + at, String::from("the database's password")));
    }
    let (at, _) = texts(code).into_iter().find(|(at, text)| {
        let before = code[..*at].trim_end();
        let assigned =
            before.strip_suffix('=').filter(|left| !left.ends_with(['=', '~', '<', '>', '!']));
        is_secret_text(text) && assigned.and_then(last_name).is_some_and(looks_secret)
    })?;
    let name = code[..at].trim_end().strip_suffix('=').and_then(last_name)?;
    Some((at, name.to_owned()))
}

/// A text that a person would use as a password and not as a caption.
fn is_secret_text(text: &str) -> bool {
    text.len() >= 4 && !text.contains([' ', '%', '/', '<', '#'])
}

/// The name that is assigned to: `x.Password`, `["password"]`.
fn last_name(left: &str) -> Option<&str> {
    let left = left.trim_end().trim_end_matches([']', '"', '\'']);
    let start = left.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
    Some(&left[start..]).filter(|name| !name.is_empty())
}

/// The quoted texts of a line, with the place of their quote.
fn texts(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = code[at..].find(['"', '\'']).map(|open| at + open) {
        let quote = if code[open..].starts_with('"') { '"' } else { '\'' };
        let Some(close) = code[open + 1..].find(quote).map(|close| open + 1 + close) else { break };
        found.push((open, &code[open + 1..close]));
        at = close + 1;
    }
    found
}

/// What the files say of each other: which are sent to players.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Paths below `lua/`.
    below: BTreeSet<String>,
    /// Paths in the container.
    inside: BTreeSet<String>,
}

impl Sent {
    /// Reads every `AddCSLuaFile` once.
    pub(super) fn read(all: &[BoundText]) -> Self {
        let mut sent = Self::default();
        for bound in all.iter().filter(|bound| is_lua(bound)) {
            let directory = bound.inside.rsplit_once('/').map_or("", |(directory, _)| directory);
            for given in calls(&bound.file.text) {
                if given.is_empty() {
                    sent.inside.insert(bound.inside.clone());
                } else {
                    sent.below.insert(given.to_owned());
                    sent.inside.insert(format!("{directory}/{given}"));
                }
            }
        }
        sent
    }

    /// Whether the game sends the file to players: a file says so, or its place does.
    pub(super) fn has(&self, bound: &BoundText) -> bool {
        let inside = bound.inside.as_str();
        let name = inside.rsplit('/').next().unwrap_or_default();
        let below = inside.split_once("/lua/").map_or(inside, |(_, below)| below);
        let by_place = (below.starts_with("autorun/") && !below.starts_with("autorun/server/"))
            || name == "cl_init.lua"
            || (inside.contains("/darkrp_modules/")
                && (name.starts_with("cl_") || name.starts_with("sh_")));
        is_lua(bound) && (by_place || self.below.contains(below) || self.inside.contains(inside))
    }
}

/// What is given to each `AddCSLuaFile`; the empty text where the file means itself.
fn calls(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let (_, call) = without_comment(line).split_once("AddCSLuaFile")?;
        let call = call.trim_start().strip_prefix('(').unwrap_or(call).trim_start();
        if call.is_empty() || call.starts_with(')') {
            return Some("");
        }
        texts(call).first().filter(|(at, _)| *at == 0).map(|(_, text)| *text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(line: &str) -> Option<String> {
        secret_of(without_comment(line)).map(|(_, name)| name)
    }

    #[test]
    fn secrets_are_found_and_captions_are_not() {
        assert_eq!(name("local password = \"hunter22\"").as_deref(), Some("password"));
        assert_eq!(name("RP_MySQLConfig.Password = 'hunter22'").as_deref(), Some("Password"));
        assert_eq!(name("cfg[\"db_password\"] = \"hunter22\"").as_deref(), Some("db_password"));
        assert!(name("mysqloo.connect(\"mysql\", \"gmod\", \"hunter22\", \"db\", 3306)").is_some());
        assert!(
            name("local u = \"https://discord.com/api/webhooks/1234567890/abcdefghijklmnop\"")
                .is_some()
        );
        for line in [
            "-- password = \"hunter22\"",
            "label:SetText(\"Password: enter yours\")",
            "local passwordLabel = \"Enter your password\"",
            "local password = os.getenv(\"DB_PASSWORD\")",
            "if password == \"hunter22\" then",
            "local password = \"\"",
            "local map = \"gm_construct\"",
            "mysqloo.connect(host, user, password)",
        ] {
            assert_eq!(name(line), None, "{line}");
        }
    }

    #[test]
    fn what_is_sent_is_known_by_its_calls_and_its_place() {
        let file = |inside: &str, text: &str| BoundText {
            service: String::from("gmod"),
            inside: format!("/s/garrysmod/addons/a/{inside}"),
            file: crate::doctor::SourceText { path: inside.to_owned(), text: text.to_owned() },
        };
        let all = [
            file(
                "lua/autorun/init.lua",
                "AddCSLuaFile(\"a/sh_config.lua\")\n-- AddCSLuaFile(\"a/sv.lua\")\n",
            ),
            file("lua/a/sh_config.lua", "x = 1\n"),
            file("lua/a/sv.lua", "x = 1\n"),
            file("lua/a/own.lua", "if SERVER then AddCSLuaFile() end\n"),
            file("lua/autorun/server/db.lua", "x = 1\n"),
            file("lua/weapons/gun/init.lua", "AddCSLuaFile(\"shared.lua\")\n"),
            file("lua/weapons/gun/shared.lua", "x = 1\n"),
            file("lua/data.txt", "AddCSLuaFile()\n"),
        ];
        let known = Sent::read(&all);
        let sent: Vec<bool> = all.iter().map(|one| known.has(one)).collect();
        assert_eq!(sent, [true, true, false, true, false, false, true, false]);
    }
}
