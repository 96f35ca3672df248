//! Decides what a service of a compose file is for, from its image, its ports, its name and its
//! variables, and says why.

use crate::stack::Role;

const GAMES: [&str; 6] = ["gmod", "garrysmod", "srcds", "csgo", "tf2", "source-server"];
const DATABASES: [&str; 4] = ["mysql", "mysqld", "mariadb", "percona"];
/// The signs between a name's words.
const SIGNS: [char; 3] = ['-', '_', '.'];
/// What goes with a database and is none.
const NO_DATABASES: [&str; 11] = [
    "exporter",
    "admin",
    "phpmyadmin",
    "backup",
    "proxy",
    "router",
    "client",
    "dump",
    "cron",
    "tools",
    "operator",
];

/// What is known of a service.
#[derive(Debug, Clone, Copy)]
pub struct Signs<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its image.
    pub image: &'a str,
    /// The container's ports that it publishes, and whether they are UDP.
    pub ports: &'a [(u16, bool)],
    /// Whether `GAMEMODE` is in its environment.
    pub gamemode: bool,
}

/// What it is for, and why that is thought.
#[must_use]
pub fn role(signs: &Signs<'_>) -> (Role, String) {
    let image = signs.image.to_ascii_lowercase();
    let name = signs.name.to_ascii_lowercase();
    if let Some(word) = database_word(image_name(&image)) {
        return (Role::Database, format!("its image is called {word}"));
    }
    if let Some((port, _)) = signs.ports.iter().find(|(port, udp)| is_game(*port, *udp)) {
        return (Role::Game, format!("it publishes {port}/udp"));
    }
    if let Some(word) = GAMES.iter().find(|word| image.contains(*word) || name.contains(*word)) {
        return (Role::Game, format!("it is called {word}"));
    }
    if signs.gamemode {
        return (Role::Game, String::from("it has GAMEMODE in its environment"));
    }
    if signs.ports.contains(&(3306, false))
        || (database_word(&name).is_some() && !is_beside_one(image_name(&image)))
    {
        return (Role::Database, String::from("its name or port is a database's"));
    }
    (Role::Other, String::from("nothing says that it is a game or a database"))
}

/// Whether a port is one that Source servers are asked at.
#[must_use]
pub const fn is_game(port: u16, udp: bool) -> bool {
    udp && port >= 27_015 && port <= 27_050
}

/// An image's own name: without registry, tag and digest.
fn image_name(image: &str) -> &str {
    let short = image.rsplit('/').next().unwrap_or_default();
    short.split(['@', ':']).next().unwrap_or_default()
}

/// The database's word in a name such as `mysql`, `gmod-mysql` or `percona-server`; an exporter's or a
/// backup's name has one too and is no database.
fn database_word(name: &str) -> Option<&'static str> {
    if is_beside_one(name) {
        return None;
    }
    name.split(SIGNS).find_map(|word| DATABASES.into_iter().find(|known| *known == word))
}

/// Whether a name is one of a database's companions.
fn is_beside_one(name: &str) -> bool {
    name.split(SIGNS).any(|word| NO_DATABASES.contains(&word))
}
