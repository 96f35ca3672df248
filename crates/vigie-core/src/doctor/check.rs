//! Decides which health check asks a service as a player or an addon does, with programs that are known
//! to be in its image.

use super::{Fix, Service};
use crate::compose::{ImageName, Value};
use crate::stack::Role;

/// Where Source servers are asked when no other port is published.
const GAME_PORT: u16 = 27_015;
/// The image whose own check looks for a listening socket, and which has bash and coreutils.
const KNOWN_GAME: &str = "ceifa/garrysmod";
/// Its check, by which an image that was committed from it is known.
const KNOWN_CHECK: &str = "/home/gmod/health.sh";
const DATABASES: [&str; 5] = ["mysql", "mysql-server", "mariadb", "percona", "percona-server"];

/// Whether a game's image is of a family whose programs are known.
pub(super) fn is_known_game(service: &Service<'_>) -> bool {
    let named =
        ImageName::parse(&service.image).is_some_and(|name| name.repository.ends_with(KNOWN_GAME));
    let inherited = service
        .image_facts()
        .is_some_and(|facts| facts.healthcheck.iter().any(|word| word.contains(KNOWN_CHECK)));
    named || inherited
}

/// Whether its image is known to look for a listening socket only, whatever the engine knows.
pub(super) fn image_only_listens(service: &Service<'_>) -> bool {
    service.role == Role::Game && service.image_facts().is_none() && is_known_game(service)
}

/// A whole health check for a service that has none.
pub(super) fn fix(service: &Service<'_>) -> Option<Fix> {
    let (test, known) = test(service)?;
    let start = if service.role == Role::Game { "5m" } else { "1m" };
    let value = Value::map([
        ("test", test),
        ("interval", Value::text("10s")),
        ("timeout", Value::text("5s")),
        ("retries", Value::Word(String::from("3"))),
        ("start_period", Value::text(start)),
    ]);
    let fix = Fix::set(service.file, &["services", service.name, "healthcheck"], value);
    Some(if known { fix } else { fix.not_by_itself() })
}

/// Another test in the health check that it has.
pub(super) fn fix_test(service: &Service<'_>, file: usize) -> Option<Fix> {
    let (test, known) = test(service)?;
    let fix = Fix::set(file, &["services", service.name, "healthcheck", "test"], test);
    Some(if known { fix } else { fix.not_by_itself() })
}

/// The test, and whether it is known to work here.
fn test(service: &Service<'_>) -> Option<(Value, bool)> {
    match service.role {
        Role::Game => {
            let port = service.ports().iter().find(|port| port.udp).map(|port| port.container);
            let asked = ask_game(port.unwrap_or(GAME_PORT));
            Some((Value::texts(["CMD", "bash", "-c", &asked]), is_known_game(service)))
        }
        Role::Database => {
            // The environment's password counts when an empty directory is first filled. One that was
            // changed since fails here, and with it whatever waits for this health.
            ask_database(service).map(|asked| (Value::texts(["CMD-SHELL", &asked]), false))
        }
        Role::Other => None,
    }
}

/// The question of a server browser, in bash: an answer begins with four 0xFF and `A` (ask again with
/// this) or `I`. A frozen game gives neither.
#[must_use]
pub fn ask_game(port: u16) -> String {
    format!(
        "exec 3<>/dev/udp/127.0.0.1/{port} && \
         printf '\\377\\377\\377\\377TSource Engine Query\\0' >&3 && \
         timeout 2 head -c 5 <&3 | tail -c 1 | grep -aq '[AI]'"
    )
}

/// A login over TCP as the addon makes it, with the variables that the container has.
fn ask_database(service: &Service<'_>) -> Option<String> {
    let name = ImageName::parse(&service.image)?;
    let short = name.short();
    if !DATABASES.contains(&short) {
        return None;
    }
    let client = if short == "mariadb" { "mariadb" } else { "mysql" };
    let has = |name: &str| service.variable(name).is_some();
    let families = ["MYSQL", "MARIADB"];
    let user = families
        .iter()
        .find(|family| has(&format!("{family}_USER")) && has(&format!("{family}_PASSWORD")))
        .map(|family| (format!("$${family}_USER"), format!("$${family}_PASSWORD")));
    let root = || {
        let family = families.iter().find(|family| has(&format!("{family}_ROOT_PASSWORD")))?;
        Some((String::from("root"), format!("$${family}_ROOT_PASSWORD")))
    };
    let (user, password) = user.or_else(root)?;
    Some(format!("MYSQL_PWD=\"{password}\" {client} -h 127.0.0.1 -u \"{user}\" -e \"SELECT 1\""))
}
