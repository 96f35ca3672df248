//! Decides what Compose wants of a service, from what `docker compose config` prints: version 2 as JSON,
//! which is YAML too, version 1 as YAML. Everything is put in already: files merged, variables replaced,
//! paths made absolute, the variables of `env_file` set.

use std::collections::BTreeMap;

use super::amount;
use super::form::{Form, GRACE, Mount, Ports, Source, binding, clean, policy};
use crate::compose::{Document, Refusal, Style, View};

/// Which Compose printed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// `docker-compose`.
    One,
    /// `docker compose`.
    Two,
}

/// What Compose printed is no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

impl From<Refusal> for Malformed {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.to_string())
    }
}

/// What `printed` wants of `service` in the project of this name; none where it has no such service.
/// Which image its name means now is not in there.
///
/// # Errors
/// When it is no configuration.
pub fn wanted(
    printed: &str,
    generation: Generation,
    project: &str,
    service: &str,
) -> Result<Option<Form>, Malformed> {
    let document = Document::parse(printed)?;
    let Some(services) = document.at(&["services"]) else {
        return Err(Malformed(String::from("it has no services")));
    };
    let Some(service) = services.get(service) else { return Ok(None) };
    let scalar = |key: &str| service.get(key).and_then(text);
    let limit = |key: &str| document_limit(service, key);
    let deployed = |key: &str| limit(key).is_some();
    // Whether version 1 heeds `deploy` depends on the file's own version, which it does not print.
    let unsure = generation == Generation::One;
    let memory = match scalar("mem_limit") {
        _ if deployed("memory") && unsure => None,
        given => limit("memory").or(given).map_or(Some(0), |text| amount::bytes(&text)),
    };
    let cpus = match scalar("cpus") {
        _ if deployed("cpus") && unsure => None,
        given => limit("cpus").or(given).map_or(Some(0), |text| amount::cpus(&text)),
    };
    let own_policy = scalar("restart").filter(|text| !text.is_empty());
    let deployed_policy = service.get("deploy").and_then(|it| it.get("restart_policy")).is_some();
    let restart = own_policy.or_else(|| (!deployed_policy).then(String::new));
    let grace = scalar("stop_grace_period").filter(|text| !text.is_empty());
    Ok(Some(Form {
        image: scalar("image").filter(|image| !image.is_empty()),
        image_id: None,
        environment: environment(service),
        mounts: mounts(document.root(), service, project),
        memory,
        cpus,
        ports: ports(service),
        restart: restart.map(|text| policy(&text)),
        grace: grace.map_or(Some(GRACE), |text| amount::seconds(&text)),
    }))
}

fn document_limit(service: View<'_>, key: &str) -> Option<String> {
    let limits = service.get("deploy")?.get("resources")?.get("limits")?;
    limits.get(key).and_then(text)
}

/// A scalar's text as Compose means it: it writes a dollar sign twice.
pub(super) fn text(view: View<'_>) -> Option<String> {
    (!is_nothing(view)).then(|| view.text().map(|text| text.replace("$$", "$"))).flatten()
}

fn is_nothing(view: View<'_>) -> bool {
    match view.style() {
        Some(Style::Empty) => true,
        Some(Style::Plain) => matches!(view.text(), Some("null" | "~" | "")),
        _ => false,
    }
}

fn environment(service: View<'_>) -> BTreeMap<String, Option<String>> {
    let Some(environment) = service.get("environment") else { return BTreeMap::new() };
    let pairs = environment.entries().into_iter().map(|(key, _, value)| (key, text(value)));
    pairs.map(|(key, value)| (key.replace("$$", "$"), value)).collect()
}

fn mounts(
    root: Option<View<'_>>,
    service: View<'_>,
    project: &str,
) -> Option<BTreeMap<String, Mount>> {
    if service.get("volumes_from").is_some_and(|from| !from.items().is_empty()) {
        return None;
    }
    let mut mounts = BTreeMap::new();
    let items = |key: &str| service.get(key).map(View::items).unwrap_or_default();
    for volume in items("volumes") {
        let (at, mount) = match volume.text() {
            Some(_) => short_mount(&text(volume)?),
            None => long_mount(volume)?,
        };
        let Some(mut mount) = mount else { continue };
        if let Source::Volume(name) = &mut mount.source {
            *name = volume_name(root, name, project);
        }
        mounts.insert(clean(&at), mount);
    }
    let memory = items("tmpfs").into_iter().chain(service.get("tmpfs"));
    for at in memory.filter_map(text) {
        let at = at.split(':').next().unwrap_or_default();
        mounts.insert(clean(at), Mount { source: Source::Memory, read_only: false });
    }
    for (kind, directory) in [("secrets", "/run/secrets"), ("configs", "")] {
        for item in items(kind) {
            if let Some((at, path)) = granted(root, kind, directory, item) {
                mounts.insert(at, Mount { source: Source::path(&path), read_only: true });
            }
        }
    }
    Some(mounts)
}

/// `source:target:ro`; without a source it is anonymous.
fn short_mount(text: &str) -> (String, Option<Mount>) {
    let mut parts = text.split(':');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let Some(target) = second else { return (first.to_owned(), None) };
    let source = if first.starts_with(['/', '.', '~']) {
        Source::path(first)
    } else {
        Source::Volume(first.to_owned())
    };
    let read_only = parts.next().is_some_and(|mode| mode.split(',').any(|one| one == "ro"));
    (target.to_owned(), Some(Mount { source, read_only }))
}

/// The same as a mapping; none where it is neither.
fn long_mount(volume: View<'_>) -> Option<(String, Option<Mount>)> {
    let part = |key: &str| volume.get(key).and_then(text);
    let at = part("target")?;
    let read_only = part("read_only").is_some_and(|word| word == "true");
    let source = match part("type").as_deref() {
        Some("bind") => Source::path(&part("source")?),
        Some("tmpfs") => Source::Memory,
        Some("volume") => match part("source") {
            Some(name) => Source::Volume(name),
            None => return Some((at, None)),
        },
        _ => return None,
    };
    Some((at, Some(Mount { source, read_only })))
}

/// The engine's name of a volume.
pub(super) fn volume_name(root: Option<View<'_>>, name: &str, project: &str) -> String {
    let defined = root.and_then(|root| root.get("volumes")?.get(name));
    if let Some(own) = defined.and_then(|volume| volume.get("name")).and_then(text) {
        return own;
    }
    let external = defined.and_then(|volume| volume.get("external"));
    let named = external.and_then(|external| external.get("name")).and_then(text);
    match external {
        Some(_) if named.is_some() => named.unwrap_or_default(),
        Some(external) if external.text() != Some("false") => name.to_owned(),
        _ => format!("{project}_{name}"),
    }
}

/// Where a secret or a config lies in the container, and which file it is; those without one are
/// copied, not mounted.
fn granted(
    root: Option<View<'_>>,
    kind: &str,
    directory: &str,
    item: View<'_>,
) -> Option<(String, String)> {
    let source = item.get("source").and_then(text).or_else(|| text(item))?;
    let file = root?.get(kind)?.get(&source)?.get("file").and_then(text)?;
    let target = item.get("target").and_then(text).unwrap_or(source);
    let at = if target.starts_with('/') { target } else { format!("{directory}/{target}") };
    Some((clean(&at), file))
}

/// None where it is not known: ranges, and networks that publish nothing.
fn ports(service: View<'_>) -> Option<Ports> {
    if service.get("network_mode").and_then(text).is_some_and(|mode| mode != "bridge") {
        return None;
    }
    let mut ports = Ports::new();
    for item in service.get("ports").map(View::items).unwrap_or_default() {
        let (target, at) = match item.text() {
            Some(short) => short_port(short),
            None => {
                let part = |key: &str| item.get(key).and_then(text).unwrap_or_default();
                let protocol = Some(part("protocol")).filter(|it| !it.is_empty());
                let protocol = protocol.unwrap_or_else(|| String::from("tcp"));
                let at = binding(&part("host_ip"), &part("published"));
                (format!("{}/{protocol}", part("target")), at)
            }
        };
        if target.contains('-') || at.rsplit(':').next().is_some_and(|port| port.contains('-')) {
            return None;
        }
        ports.entry(target).or_default().insert(at);
    }
    Some(ports)
}

/// `127.0.0.1:27015:27015/udp`, `8080:80`, `80`.
fn short_port(text: &str) -> (String, String) {
    let (text, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (published, target) = text.rsplit_once(':').unwrap_or(("", text));
    let (ip, port) = published.rsplit_once(':').unwrap_or(("", published));
    let ip = ip.trim_start_matches('[').trim_end_matches(']');
    (format!("{target}/{protocol}"), binding(ip, port))
}
