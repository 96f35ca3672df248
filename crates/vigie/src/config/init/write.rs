//! Does: writes the commented `vigie.toml`.

use std::fmt::Write;

use vigie_core::stack::Role;

use super::compose::{ComposeProject, ComposeService};
use super::guess::Guess;

/// The file's text. Writing into a string cannot fail.
pub(super) fn write(
    stack: &str,
    compose: &str,
    project: &ComposeProject,
    guesses: &[Guess],
) -> String {
    let mut out = String::new();
    let _ = head(&mut out, stack, compose, project);
    for (service, guess) in project.services.iter().zip(guesses) {
        let _ = one(&mut out, service, guess, project);
    }
    out.push_str(TAIL);
    out
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn head(
    out: &mut String,
    stack: &str,
    compose: &str,
    project: &ComposeProject,
) -> std::fmt::Result {
    writeln!(
        out,
        "# vigie watches this stack. Written by `vigie init`; every key is explained in"
    )?;
    writeln!(out, "# docs/guide/configuration.md. Lengths of time: \"5s\", \"2m\", \"1h\".")?;
    writeln!(
        out,
        "# Secrets are never written here: {{ env = \"NAME\" }} (from the environment or the .env"
    )?;
    writeln!(out, "# beside this file) or {{ file = \"/path\" }}.\n")?;
    writeln!(out, "[stack]")?;
    writeln!(out, "# The name shown to people.")?;
    writeln!(out, "name = {}", quoted(stack))?;
    writeln!(out, "# What runs the services: \"docker\" or \"process\".")?;
    writeln!(out, "runtime = \"docker\"")?;
    writeln!(
        out,
        "# How far vigie goes by itself: \"observe\" (only says), \"assist\" (asks before every"
    )?;
    writeln!(out, "# change), \"auto\" (does what is of low risk, asks for the rest).")?;
    writeln!(out, "mode = \"auto\"")?;
    writeln!(out, "# The language of reports: \"en\" or \"fr\".")?;
    writeln!(out, "lang = \"en\"")?;
    writeln!(out, "# The compose file, and the project's name when it is not the directory's.")?;
    writeln!(out, "compose = {}", quoted(compose))?;
    match &project.name {
        Some(name) => writeln!(out, "project = {}", quoted(name))?,
        None => writeln!(out, "# project = \"name\"")?,
    }
    writeln!(out, "# The engine's socket; without it DOCKER_HOST, then the usual one.")?;
    writeln!(out, "# docker_host = \"unix:///var/run/docker.sock\"")?;
    writeln!(out, "# Where the journal and the control socket are, and where the runbooks are.")?;
    writeln!(out, "state = \".vigie\"")?;
    writeln!(out, "runbooks = \"runbooks\"")?;
    writeln!(out, "# How long a person has to approve a step of high risk; then it is not done.")?;
    writeln!(out, "# approve_timeout = \"15m\"")?;
    writeln!(out, "# A fault that comes back within this time belongs to the incident it had.")?;
    writeln!(out, "# reopen_within = \"10m\"")
}

fn one(
    out: &mut String,
    service: &ComposeService,
    guess: &Guess,
    project: &ComposeProject,
) -> std::fmt::Result {
    let role = match guess.role {
        Role::Game => "game",
        Role::Database => "database",
        Role::Other => "other",
    };
    let key = if service.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        service.name.clone()
    } else {
        quoted(&service.name)
    };
    writeln!(out, "\n[service.{key}]")?;
    writeln!(out, "# guessed: {}", guess.why)?;
    writeln!(out, "role = \"{role}\"")?;
    if let Some(container) = &service.container_name {
        writeln!(out, "container = {}", quoted(container))?;
    }
    let known: Vec<_> = service
        .depends_on
        .iter()
        .filter(|(name, _)| project.services.iter().any(|one| one.name == *name))
        .collect();
    if !known.is_empty() {
        for (name, condition) in &known {
            match condition {
                Some(condition) => {
                    writeln!(out, "# {name}: the compose file waits for {condition}")?
                }
                None => {
                    writeln!(out, "# {name}: the compose file does not wait until it is healthy")?
                }
            }
        }
        let names: Vec<_> = known.iter().map(|(name, _)| quoted(name)).collect();
        writeln!(out, "depends_on = [{}]", names.join(", "))?;
    }
    let check = if service.healthcheck { "has a health check" } else { "has no health check" };
    let memory = service.memory.as_deref().map_or("none", |memory| memory);
    let restart = service.restart.as_deref().unwrap_or("none");
    writeln!(
        out,
        "# in the compose file: {check}, memory limit {memory}, restart policy {restart}"
    )?;
    probes(out, guess)?;
    writeln!(out, "# How long a start may take until boots have been seen and learned.")?;
    let grace = if guess.role == Role::Game { "3m" } else { "1m" };
    writeln!(out, "# boot_grace = \"{grace}\"")?;
    if guess.role == Role::Game {
        writeln!(
            out,
            "# Files that are compared with the last good state when an addon fails, wherever they are \
             in what it has mounted."
        )?;
        let names = r#"["sh_config.lua", "jobs.lua", "entities.lua", "server.cfg"]"#;
        writeln!(out, "# config_files = {names}")?;
    }
    writeln!(out, "# Limits of the detectors, see docs/guide/detectors.md.")?;
    writeln!(
        out,
        "# limits = {{ failures = 3, exits = 3, exits_window = \"10m\", memory_pct = 90, cpu_pct = 80 }}"
    )
}

fn probes(out: &mut String, guess: &Guess) -> std::fmt::Result {
    match (&guess.a2s, guess.role) {
        (Some(address), _) => {
            writeln!(
                out,
                "# The Source query, as a player's server browser asks: the first proof of life."
            )?;
            writeln!(
                out,
                "a2s = {{ address = {}, every = \"5s\", timeout = \"1500ms\" }}",
                quoted(address)
            )?;
        }
        (None, Role::Game) => {
            writeln!(
                out,
                "# no published UDP port was found; without this nothing is seen from the player's side"
            )?;
            writeln!(out, "# a2s = {{ address = \"127.0.0.1:27015\" }}")?;
        }
        (None, _) => {}
    }
    match (&guess.rcon, guess.role) {
        (Some((address, variable)), _) => {
            writeln!(
                out,
                "# The second proof: a running server is only ever killed when both fail."
            )?;
            writeln!(
                out,
                "rcon = {{ address = {}, password = {{ env = {} }}, every = \"15s\", timeout = \"2s\" }}",
                quoted(address),
                quoted(variable)
            )?;
        }
        (None, Role::Game) => {
            writeln!(
                out,
                "# no published RCON port was found; without it a frozen server is told, never restarted"
            )?;
            writeln!(
                out,
                "# rcon = {{ address = \"127.0.0.1:27015\", password = {{ env = \"RCON_PASSWORD\" }} }}"
            )?;
        }
        (None, _) => {}
    }
    if let Some(address) = &guess.tcp {
        if guess.role == Role::Database {
            writeln!(
                out,
                "# The server's greeting: the second proof, asked for when the login fails."
            )?;
        }
        writeln!(out, "tcp = {{ address = {} }}", quoted(address))?;
    }
    if let Some((address, user, variable, schema)) = &guess.database {
        let schema = schema
            .as_ref()
            .map_or_else(String::new, |schema| format!(", schema = {}", quoted(schema)));
        writeln!(out, "# A login and SELECT 1, as the game does it.")?;
        writeln!(
            out,
            "database = {{ address = {}, user = {}, password = {{ env = {} }}{schema} }}",
            quoted(address),
            quoted(user),
            quoted(variable)
        )?;
    } else if guess.role == Role::Database {
        writeln!(out, "# no published port was found; publish \"127.0.0.1:3306:3306\"")?;
        writeln!(
            out,
            "# database = {{ address = \"127.0.0.1:3306\", user = \"gmod\", password = {{ env = \"MYSQL_PASSWORD\" }} }}"
        )?;
    }
    Ok(())
}

const TAIL: &str = r#"
# How often vigie may restart one service before it hands over to a person, and how long it waits
# between restarts; the wait starts afresh only after a verified stable time.
[budget]
# restarts = 3
# per = "10m"
# backoff = "10s"
# backoff_max = "2m"
# reset_after = "10m"
# when_spent = "stop"       # or "leave": what happens to a service that goes on dying

# Time until an incident is in somebody's hands (a person's or a runbook's).
[targets]
# p1 = "15m"
# p2 = "1h"
# p2_escalate = "30m"
# p3 = "24h"

# Severities that differ from the defaults, by symptom: a level, or a place in the risk matrix.
[severity]
# cpu = "P2"
# disk = { probability = "low", impact = "critical" }

# Who is told, docs/guide/notify.md: discord, telegram, webhook, email; several of a kind as [[notify.…]].
# Try it with `vigie notify test`.
# [notify.discord]
# url = { env = "DISCORD_WEBHOOK" }
# min_severity = "P3"       # this bad or worse
# quiet = "23:00-08:00"     # P3 and P4 wait until its end

# Who is told when nobody has a P1 or P2 in hand in time; without any, every channel, every 15 minutes.
# [[escalation]]
# notify = ["discord"]
# after = "15m"
# repeat = "15m"

# Called every minute while the watch lives, so that its own end is noticed elsewhere: the address of a
# healthchecks.io check, an Uptime Kuma push monitor, a Better Stack heartbeat.
# [heartbeat]
# url = { env = "HEARTBEAT_URL" }
# every = "1m"

# Recurring maintenance, when nothing is repaired (cron in this host's time zone).
# [[maintenance]]
# cron = "0 5 * * 1"
# for = "30m"

[host]
# Disks that matter, and addresses that show that our own network works.
disks = ["/"]
# network = ["192.0.2.1:53"]
# memory_pct = 5            # percent of memory available below which the host is short of it

[journal]
# keep = "90d"

# Restore points, docs/guide/snapshot.md: what stays free on the disk, and what `vigie snapshot prune` keeps.
[snapshot]
# reserve = "1GiB"
# keep_last = 5
# keep_tagged = ["stable"]  # words of their descriptions
# keep_min_age = "1d"

# Backups, docs/guide/backup.md: without this nothing is backed up. Then: vigie backup init
# [backup]
# password = { file = "/root/vigie-backup-password" }   # write it on paper as well
# [backup.site.disk]
# local = "/mnt/backup"     # or s3, sftp, webdav, rest, rclone; another house is better than another disk

# What is written when a P1 or P2 is closed, docs/guide/postmortem.md.
[postmortem]
# directory = "postmortems"
# template = "postmortems/template.md"   # `vigie incident postmortem --template` prints vigie's own
# commit = false            # whether each is committed to git
# due = "14d"               # how long a proposed action may take
# remind = "0 18 * * 1"     # when people are reminded of open actions, or "never"
"#;
