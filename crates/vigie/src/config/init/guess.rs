//! Does: guesses what a service is for and how it can be asked. Every guess says why.

use std::collections::BTreeMap;

use vigie_core::compose::role;
use vigie_core::stack::Role;

use super::compose::{ComposeService, Port, variable_of};

/// A guess.
#[derive(Debug, Clone)]
pub struct Guess {
    /// What it is for.
    pub role: Role,
    /// Why that is thought.
    pub why: String,
    /// Where A2S can be asked.
    pub a2s: Option<String>,
    /// Where RCON can be asked, and the variable that has the password.
    pub rcon: Option<(String, String)>,
    /// Where TCP can be asked.
    pub tcp: Option<String>,
    /// Where the database can be asked: address, user, password variable, schema.
    pub database: Option<(String, String, String, Option<String>)>,
    /// What the user still has to do.
    pub todo: Vec<String>,
}

pub(super) fn guess(service: &ComposeService, variables: &BTreeMap<String, String>) -> Guess {
    let (role, why) = role(service);
    let mut guess =
        Guess { role, why, a2s: None, rcon: None, tcp: None, database: None, todo: Vec::new() };
    match role {
        Role::Game => game(service, variables, &mut guess),
        Role::Database => database(service, variables, &mut guess),
        Role::Other => guess.tcp = service.ports.iter().find(|port| !port.udp).map(address),
    }
    guess
}

fn role(service: &ComposeService) -> (Role, String) {
    let ports: Vec<_> = service.ports.iter().map(|port| (port.container, port.udp)).collect();
    role::role(&role::Signs {
        name: &service.name,
        image: &service.image,
        ports: &ports,
        gamemode: service.environment.contains_key("GAMEMODE"),
    })
}

fn is_game(port: &Port) -> bool {
    role::is_game(port.container, port.udp)
}

/// Where a published port can be asked from the host itself.
fn address(port: &Port) -> String {
    let host = match port.address.as_deref() {
        None | Some("0.0.0.0" | "::") => "127.0.0.1",
        Some(address) => address,
    };
    if host.contains(':') {
        format!("[{host}]:{}", port.host)
    } else {
        format!("{host}:{}", port.host)
    }
}

fn game(service: &ComposeService, variables: &BTreeMap<String, String>, guess: &mut Guess) {
    let name = &service.name;
    let udp = service.ports.iter().find(|port| is_game(port));
    match udp.or_else(|| service.ports.iter().find(|port| port.udp)) {
        Some(port) => guess.a2s = Some(address(port)),
        None => guess.todo.push(format!(
            "{name} publishes no UDP port: set its a2s address in vigie.toml, or nothing is seen from the player's side"
        )),
    }
    let wanted = udp.map(|port| port.container);
    let tcp = service.ports.iter().find(|port| !port.udp && Some(port.container) == wanted);
    let Some(tcp) = tcp else {
        guess.todo.push(format!(
            "{name} publishes no RCON port (publish it on 127.0.0.1): without RCON a frozen server is told, never restarted"
        ));
        return;
    };
    let variable =
        password_variable(service, &["RCON_PASSWORD", "RCON_PW", "SRCDS_RCONPW", "RCONPASSWORD"]);
    let variable = variable.or_else(|| rcon_in(&service.command));
    let variable =
        variable.or_else(|| service.environment.get("ARGS").and_then(|args| rcon_in(args)));
    let variable = variable.unwrap_or_else(|| String::from("RCON_PASSWORD"));
    need(&variable, variables, name, "RCON password", guess);
    guess.rcon = Some((address(tcp), variable));
}

/// The variable behind `+rcon_password`.
fn rcon_in(command: &str) -> Option<String> {
    let (_, rest) = command.split_once("+rcon_password")?;
    let word = rest.split_whitespace().next()?.trim_matches(['"', '\'']);
    variable_of(word)
}

/// The variable that a secret comes from; its own name where it stands there as plain text.
fn password_variable(service: &ComposeService, names: &[&str]) -> Option<String> {
    let (name, value) =
        names.iter().find_map(|name| Some((*name, service.environment.get(*name)?)))?;
    Some(variable_of(value).unwrap_or_else(|| name.to_owned()))
}

fn need(
    variable: &str,
    variables: &BTreeMap<String, String>,
    service: &str,
    what: &str,
    guess: &mut Guess,
) {
    if !variables.contains_key(variable) {
        guess.todo.push(format!(
            "{service}: put its {what} into .env as {variable}=… (vigie reads .env as Compose does; it is never written in vigie.toml)"
        ));
    }
}

fn database(service: &ComposeService, variables: &BTreeMap<String, String>, guess: &mut Guess) {
    let name = &service.name;
    let port = service.ports.iter().find(|port| !port.udp && port.container == 3306);
    let Some(port) = port else {
        guess.todo.push(format!(
            "{name} publishes no port: publish \"127.0.0.1:3306:3306\" so that vigie can log in as the game does"
        ));
        return;
    };
    let value = |names: [&str; 2]| {
        let found = names.iter().find_map(|name| service.environment.get(*name));
        found.map(|value| super::compose::fill(value, variables)).filter(|value| !value.is_empty())
    };
    let user = value(["MYSQL_USER", "MARIADB_USER"]);
    let names: &[&str] = if user.is_some() {
        &["MYSQL_PASSWORD", "MARIADB_PASSWORD"]
    } else {
        &["MYSQL_ROOT_PASSWORD", "MARIADB_ROOT_PASSWORD"]
    };
    let variable = password_variable(service, names).unwrap_or_else(|| names[0].to_owned());
    need(&variable, variables, name, "password", guess);
    let schema = value(["MYSQL_DATABASE", "MARIADB_DATABASE"]);
    guess.tcp = Some(address(port));
    let user = user.unwrap_or_else(|| String::from("root"));
    guess.database = Some((address(port), user, variable, schema));
}
