//! What init makes of real-world shaped compose files; every draft must be a valid configuration.

use std::path::Path;

use super::*;
use crate::config::Config;

fn drafted(compose: &str, dotenv: &str) -> (Draft, Config) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("compose.yaml"), compose).unwrap();
    std::fs::write(directory.path().join(".env"), dotenv).unwrap();
    let draft = draft(directory.path()).unwrap();
    let path = directory.path().join("vigie.toml");
    let config =
        Config::parse(&path, &draft.text).unwrap_or_else(|error| panic!("{error}\n{}", draft.text));
    (draft, config)
}

const REFERENCE: &str = r#"
x-base: &base
  restart: unless-stopped
  mem_limit: 3g
services:
  gmod:
    <<: *base
    image: projetfilrouge/gmod-server:v2-stable
    container_name: gmod-server
    ports: ["27015:27015/udp", "127.0.0.1:${RCON_PORT:-27015}:27015"]
    environment:
      GAMEMODE: darkrp
      ARGS: "+rcon_password ${RCON_PASSWORD} +host_workshop_collection 1"
    depends_on:
      mysql: { condition: service_healthy }
  mysql:
    image: mysql:8.0
    container_name: gmod-mysql
    ports:
      - target: 3306
        published: "3307"
        host_ip: 127.0.0.1
    environment:
      - MYSQL_USER=gmod
      - MYSQL_PASSWORD=literal-secret-text
      - MYSQL_DATABASE=gmod_construction
    healthcheck: { test: mysqladmin ping -h localhost }
"#;

#[test]
fn what_goes_with_a_database_is_none() {
    let compose = "services:\n  mysql-metrics:\n    image: prom/mysqld-exporter:v0.15\n    ports: ['9104:9104']\n  \
                   db:\n    image: registry.example:5000/percona/percona-server@sha256:ab\n    \
                   ports: ['127.0.0.1:3306:3306']\n  pma:\n    image: phpmyadmin\n";
    let (_, config) = drafted(compose, "MYSQL_ROOT_PASSWORD=abcdefgh\n");
    let role = |name: &str| config.file.service[name].role;
    assert_eq!(role("mysql-metrics"), vigie_core::stack::Role::Other);
    assert_eq!(role("pma"), vigie_core::stack::Role::Other);
    assert_eq!(role("db"), vigie_core::stack::Role::Database);
}

#[test]
fn the_reference_stack_is_found_whole() {
    let (draft, config) = drafted(REFERENCE, "RCON_PASSWORD=abcdef\nMYSQL_PASSWORD=ghijkl\n");
    assert!(draft.todo.is_empty(), "{:?}", draft.todo);
    let game = &config.file.service["gmod"];
    assert_eq!(game.a2s.as_ref().unwrap().address, "127.0.0.1:27015");
    assert_eq!(game.rcon.as_ref().unwrap().address, "127.0.0.1:27015");
    assert_eq!(game.depends_on, ["mysql"]);
    let database = config.file.service["mysql"].database.as_ref().unwrap();
    assert_eq!((database.address.as_str(), database.user.as_str()), ("127.0.0.1:3307", "gmod"));
    assert_eq!(database.schema.as_deref(), Some("gmod_construction"));
    assert!(draft.text.contains("waits for service_healthy"));
}

#[test]
fn a_secret_is_never_copied() {
    let (draft, _) = drafted(REFERENCE, "");
    assert!(!draft.text.contains("literal-secret-text"));
    assert_eq!(draft.todo.len(), 2, "{:?}", draft.todo);
}

#[test]
fn other_shapes_parse_too() {
    for compose in [
        "services:\n  web:\n    image: nginx\n    ports: [\"8080:80\", 9000]\n",
        "services: {game: {image: 'x/srcds', ports: ['27015-27016:27015-27016/udp']}}\r\n",
        "name: my-stack\nservices:\n  \"odd name\":\n    image: mariadb:11\n    expose: [3306]\n",
        "services:\n  a:\n    build: .\n    depends_on: [b, gone]\n  b: {}\n",
        "services:\n  g:\n    image: g\n    environment: {GAMEMODE: sandbox, RCON_PASSWORD: $X}\n    ports: [\"[::1]:27015:27015/tcp\", \"27015:27015/udp\"]\n",
    ] {
        drafted(compose, "");
    }
}

#[test]
fn a_broken_file_is_pointed_at() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("compose.yaml"), "services:\n  a: [\n").unwrap();
    let error = draft(directory.path()).unwrap_err();
    assert!(error.at.0 >= 2, "{error}");
    let none = draft(Path::new("/nonexistent-directory")).unwrap_err().to_string();
    assert!(none.contains("no compose file") && none.contains("vigie init DIRECTORY"), "{none}");
}

#[test]
fn variables_are_put_in_as_compose_does() {
    let variables = std::collections::BTreeMap::from([(String::from("A"), String::from("1"))]);
    let fill = |text| compose::fill(text, &variables);
    assert_eq!(fill("$A-${A}-${B:-2}-${B-3}-$$A-${B}"), "1-1-2-3-$A-");
}
