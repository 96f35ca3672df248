//! Decides whether a port that players do not need is open to everybody.

use super::Rule;
use crate::compose::{Value, template};
use crate::doctor::{About, Finding, Fix, Level, Port, Project, Service};
use crate::stack::Role;

pub(super) const ABOUT: About = About {
    word: "port-public",
    level: Level::Error,
    risks: &["R1", "R8"],
    why: [
        "Docker opens published ports past the host's firewall: anybody may try passwords on the database and on the console",
        "Docker ouvre les ports publiés sans passer par le pare-feu de l'hôte : n'importe qui peut essayer des mots de passe sur la base et la console",
    ],
    remedy: ["publish it on 127.0.0.1", "le publier sur 127.0.0.1"],
};

const LOCAL: &str = "127.0.0.1";

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    for service in project.of(&[Role::Game, Role::Database]) {
        let ports = service.ports();
        for port in ports.iter().filter(|port| is_private(service, port, &ports)) {
            if !is_public(port) {
                continue;
            }
            let (name, container) = (service.name, port.container);
            let what = match service.role {
                Role::Game => (
                    format!("{name}: RCON ({container}/tcp) is open to everybody"),
                    format!("{name} : RCON ({container}/tcp) est ouvert à tous"),
                ),
                _ => (
                    format!("{name}: the database's port {container} is open to everybody"),
                    format!("{name} : le port {container} de la base est ouvert à tous"),
                ),
            };
            let finding = Rule::PortPublic.at(&port.at, service, what);
            found.push(finding.fixed_by(fix(service, port)));
        }
    }
}

/// Whether players do without it: all of a database's, and the game's TCP port that RCON is asked at.
fn is_private(service: &Service<'_>, port: &Port<'_>, all: &[Port<'_>]) -> bool {
    let played = || all.iter().any(|other| other.udp && other.container == port.container);
    !port.udp && (service.role == Role::Database || port.container == 27_015 || played())
}

/// Whether it is published on every address.
pub(super) fn is_public(port: &Port<'_>) -> bool {
    port.address.as_deref().is_none_or(|address| matches!(address, "0.0.0.0" | "::" | "*"))
}

/// Whether the game's RCON port is open to everybody, and where that is written.
pub(super) fn public_rcon<'a>(service: &Service<'a>) -> Option<Port<'a>> {
    let ports = service.ports();
    ports.iter().find(|port| is_private(service, port, &ports) && is_public(port)).cloned()
}

fn fix(service: &Service<'_>, port: &Port<'_>) -> Option<Fix> {
    let path: Vec<&str> = ["services", service.name]
        .into_iter()
        .chain(port.path.iter().map(String::as_str))
        .collect();
    let file = port.at.own?;
    let Some(raw) = port.raw else {
        return Some(Fix::set(file, &[&path[..], &["host_ip"]].concat(), Value::text(LOCAL)));
    };
    let bound = match raw {
        _ if raw.starts_with("0.0.0.0:") => raw.replacen("0.0.0.0", LOCAL, 1),
        _ if raw.starts_with("[::]:") => raw.replacen("[::]", LOCAL, 1),
        // An address that a variable gives is set where it comes from.
        _ if port.address.is_some() => return None,
        // A port alone is given any port of the host.
        _ if template::fill(raw, &|_| None).contains(':') || raw.contains(':') => {
            format!("{LOCAL}:{raw}")
        }
        _ => format!("{LOCAL}::{raw}"),
    };
    Some(Fix::set(file, &path, Value::text(bound)))
}
