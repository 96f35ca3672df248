//! Decides whether the game itself would stop who tries passwords on RCON.

use super::Rule;
use crate::doctor::{About, Finding, Level, Project};
use crate::stack::Role;

pub(super) const ABOUT: About = About {
    word: "rcon-whitelist-missing",
    level: Level::Warning,
    risks: &["R1"],
    why: [
        "RCON bans after five wrong passwords, also a watcher that shares the address; a whitelist keeps strangers out and friends in",
        "RCON bannit après cinq mauvais mots de passe, y compris un surveillant à la même adresse ; une liste blanche laisse dehors les inconnus",
    ],
    remedy: [
        "write sv_rcon_whitelist_address into server.cfg, or publish RCON on 127.0.0.1 only",
        "écrire sv_rcon_whitelist_address dans server.cfg, ou ne publier RCON que sur 127.0.0.1",
    ],
};

const SETTING: &str = "sv_rcon_whitelist_address";

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    for service in project.of(&[Role::Game]) {
        let Some(port) = super::port_public::public_rcon(service) else { continue };
        let files = project.facts.bound.iter().filter(|bound| bound.service == service.name);
        let mut lines = files.flat_map(|bound| bound.file.text.lines());
        let set = lines.any(|line| line.trim_start().starts_with(SETTING))
            || service.words().iter().any(|(_, _, text)| text.contains(SETTING));
        if set {
            continue;
        }
        let name = service.name;
        let what = (
            format!("{name}: RCON is open to everybody and no {SETTING} says who may use it"),
            format!("{name} : RCON est ouvert à tous et aucun {SETTING} ne dit qui y a droit"),
        );
        found.push(Rule::RconWhitelistMissing.at(&port.at, service, what));
    }
}
