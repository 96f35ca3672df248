//! Writes the compose file and `.env` of a stack as text. Both generations of Compose must read it:
//! no `version`, no `deploy`, no newer key.

use super::{Secrets, StackSpec};

/// The compose file.
pub(super) fn compose_yaml(spec: &StackSpec) -> String {
    let mut out = String::from("services:\n");
    game(spec, &mut out);
    if let Some(image) = &spec.database_image {
        database(spec, image, &mut out);
    }
    out.push_str("\nvolumes:\n  gmod-server-data:\n");
    out
}

/// `.env`: what compose puts into the file above.
pub(super) fn dot_env(spec: &StackSpec, secrets: &Secrets) -> String {
    let mut out = String::new();
    if spec.names_project {
        out += &format!("COMPOSE_PROJECT_NAME={}\n", spec.project);
    }
    out += &format!("RCON_PASSWORD={}\n", secrets.rcon);
    out += &format!("AUTHKEY={}\n", secrets.authkey);
    out += &format!("MYSQL_ROOT_PASSWORD={}\n", secrets.database_root);
    out += &format!("MYSQL_PASSWORD={}\n", secrets.database_user);
    out
}

fn game(spec: &StackSpec, out: &mut String) {
    let interface = if spec.public { "" } else { "127.0.0.1:" };
    let port = spec.ports.game;
    *out += &format!(
        "  gmod:\n    image: {}\n    container_name: {}\n    restart: {}\n    init: {}\n",
        spec.game_image,
        spec.game_container,
        spec.restart.yaml(),
        spec.init
    );
    *out += &format!("    mem_limit: {}\n    cpus: {}\n", spec.memory, spec.cpus);
    *out += &format!(
        "    ports:\n      - \"{interface}{port}:27015/udp\"\n      - \"{interface}{port}:27015/tcp\"\n"
    );
    *out += "    environment:
      NAME: \"Construction RP [lab]\"
      GAMEMODE: darkrp
      MAP: gm_construct
      MAXPLAYERS: \"16\"
      AUTHKEY: \"${AUTHKEY}\"
      ARGS: \"+host_workshop_collection 0\"
      RCON_PASSWORD: \"${RCON_PASSWORD}\"
";
    *out += &format!("      PRACTICE_BOOT: \"{}\"\n", spec.boot);
    if spec.database_image.is_some() {
        *out += "      PRACTICE_DATABASE: \"mysql:3306\"\n";
    }
    for (key, value) in &spec.game_env {
        *out += &format!("      {key}: {}\n", quoted(value));
    }
    *out += "    volumes:
      - gmod-server-data:/home/gmod/server
      - ./addons:/home/gmod/server/garrysmod/addons
      - ./gamemodes/darkrp:/home/gmod/server/garrysmod/gamemodes/darkrp
      - ./server-config/server.cfg:/home/gmod/server/garrysmod/cfg/server.cfg
      - ./lua-bin:/home/gmod/server/garrysmod/lua/bin
      - ./download:/home/gmod/server/garrysmod/download
";
    if let Some(words) = &spec.game_healthcheck {
        let words: Vec<String> = words.iter().map(|w| quoted(w)).collect();
        *out += &format!("    healthcheck:\n      test: [\"CMD\", {}]\n", words.join(", "));
        let (every, retries) = &spec.game_health_rhythm;
        *out += &format!("      interval: {every}\n      timeout: 1s\n      retries: {retries}\n");
    }
    match (&spec.database_image, spec.waits_for_health) {
        (None, _) => {}
        (Some(_), false) => *out += "    depends_on:\n      - mysql\n",
        (Some(_), true) => {
            *out += "    depends_on:\n      mysql:\n        condition: service_healthy\n";
        }
    }
}

fn database(spec: &StackSpec, image: &str, out: &mut String) {
    let interface = if spec.public { "" } else { "127.0.0.1:" };
    *out += &format!(
        "\n  mysql:\n    image: {image}\n    container_name: {}\n    restart: unless-stopped\n    init: {}\n",
        spec.database_container, spec.init
    );
    *out += "    mem_limit: 512m\n    cpus: 0.5\n";
    *out += &format!("    ports:\n      - \"{interface}{}:3306\"\n", spec.ports.database);
    *out += "    environment:
      MYSQL_ROOT_PASSWORD: \"${MYSQL_ROOT_PASSWORD}\"
      MYSQL_DATABASE: gmod_construction
      MYSQL_USER: gmod
      MYSQL_PASSWORD: \"${MYSQL_PASSWORD}\"
    volumes:
      - ./mysql-data:/var/lib/mysql
      - ./mysql-init:/docker-entrypoint-initdb.d
";
    if !spec.database_words.is_empty() {
        let words: Vec<String> = spec.database_words.iter().map(|word| quoted(word)).collect();
        *out += &format!("    command: [{}]\n", words.join(", "));
    }
    if spec.database_healthcheck {
        *out += "    healthcheck:
      test: [\"CMD\", \"mysqladmin\", \"ping\", \"-h\", \"localhost\"]
      interval: 3s
      timeout: 5s
      retries: 5
";
    }
}

/// A YAML double-quoted scalar; `$` is doubled so that compose leaves it alone.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "$$"))
}
