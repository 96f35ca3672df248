//! Does: reads of a compose file what vigie needs to know: both port syntaxes, both `depends_on`,
//! both limits, both environments, anchors and merge keys, `${VAR:-default}`.

use std::collections::BTreeMap;
use std::path::Path;

use saphyr::{LoadableYamlNode, YamlOwned};

use crate::config::ConfigError;

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// The host's address, where one is named.
    pub address: Option<String>,
    /// The host's port.
    pub host: u16,
    /// The container's port.
    pub container: u16,
    /// `udp`, otherwise TCP.
    pub udp: bool,
}

/// A service, as far as it matters here.
#[derive(Debug, Clone, Default)]
pub struct ComposeService {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Its container's name.
    pub container_name: Option<String>,
    /// What it depends on, and the condition where one is named.
    pub depends_on: Vec<(String, Option<String>)>,
    /// Published ports.
    pub ports: Vec<Port>,
    /// Its environment as written: name and raw value.
    pub environment: BTreeMap<String, String>,
    /// Its command, words joined.
    pub command: String,
    /// Whether it has a health check.
    pub healthcheck: bool,
    /// Its memory limit as written.
    pub memory: Option<String>,
    /// Its restart policy.
    pub restart: Option<String>,
}

/// A project.
#[derive(Debug, Clone, Default)]
pub struct ComposeProject {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Its services in the file's order.
    pub services: Vec<ComposeService>,
}

/// The variables that Compose would put in: `.env`'s, the environment's before them.
pub(super) fn variables(directory: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(directory.join(".env")).unwrap_or_default();
    let mut variables = crate::config::secret::parse_dotenv(&text);
    for (name, value) in &mut variables {
        if let Ok(set) = std::env::var(name) {
            *value = set;
        }
    }
    variables
}

/// Reads `text`, which stands in `path`.
pub(super) fn read(
    path: &Path,
    text: &str,
    variables: &BTreeMap<String, String>,
) -> Result<ComposeProject, ConfigError> {
    let documents = YamlOwned::load_from_str(text).map_err(|error| {
        let at = error.marker();
        ConfigError {
            file: path.to_owned(),
            at: (at.line(), at.col() + 1),
            line: text.lines().nth(at.line().saturating_sub(1)).unwrap_or_default().to_owned(),
            what: error.info().to_owned(),
            hint: Some(String::from("`docker compose config` reads it the same way")),
        }
    })?;
    let root = documents.into_iter().next();
    let services = root.as_ref().and_then(|root| get(root, "services"));
    let Some(services) = services.and_then(YamlOwned::as_mapping) else {
        return Err(ConfigError::whole(path, "it has no `services`", None));
    };
    let name = root.as_ref().and_then(|root| text_of(get(root, "name")?));
    let name = name.or_else(|| variables.get("COMPOSE_PROJECT_NAME").cloned());
    let services =
        services.iter().filter_map(|(name, service)| Some(one(text_of(name)?, service, variables)));
    Ok(ComposeProject { name, services: services.collect() })
}

fn one(name: String, node: &YamlOwned, variables: &BTreeMap<String, String>) -> ComposeService {
    let filled = |key: &str| text_of(get(node, key)?).map(|text| fill(&text, variables));
    let limit = get(node, "deploy")
        .and_then(|deploy| get(get(get(deploy, "resources")?, "limits")?, "memory"))
        .and_then(text_of);
    ComposeService {
        name,
        image: filled("image").unwrap_or_default(),
        container_name: filled("container_name"),
        depends_on: depends_on(get(node, "depends_on")),
        ports: ports(get(node, "ports"), variables),
        environment: environment(get(node, "environment")),
        command: words(get(node, "command")),
        healthcheck: get(node, "healthcheck").is_some(),
        memory: limit.or_else(|| filled("mem_limit")),
        restart: filled("restart"),
    }
}

/// A key of a mapping, merge keys followed.
fn get<'a>(node: &'a YamlOwned, key: &str) -> Option<&'a YamlOwned> {
    if let Some(found) = node.as_mapping_get(key) {
        return Some(found);
    }
    let merged = node.as_mapping_get("<<")?;
    match merged.as_vec() {
        Some(several) => several.iter().find_map(|one| one.as_mapping_get(key)),
        None => merged.as_mapping_get(key),
    }
}

fn text_of(node: &YamlOwned) -> Option<String> {
    if let Some(text) = node.as_str() {
        return Some(text.to_owned());
    }
    if let Some(number) = node.as_integer() {
        return Some(number.to_string());
    }
    if let Some(number) = node.as_floating_point() {
        return Some(number.to_string());
    }
    node.as_bool().map(|truth| truth.to_string())
}

fn words(node: Option<&YamlOwned>) -> String {
    let Some(node) = node else { return String::new() };
    match node.as_vec() {
        Some(words) => words.iter().filter_map(text_of).collect::<Vec<_>>().join(" "),
        None => text_of(node).unwrap_or_default(),
    }
}

fn depends_on(node: Option<&YamlOwned>) -> Vec<(String, Option<String>)> {
    let Some(node) = node else { return Vec::new() };
    if let Some(list) = node.as_vec() {
        return list.iter().filter_map(text_of).map(|name| (name, None)).collect();
    }
    let Some(map) = node.as_mapping() else { return Vec::new() };
    let pair = |(name, how): (&YamlOwned, &YamlOwned)| {
        Some((text_of(name)?, get(how, "condition").and_then(text_of)))
    };
    map.iter().filter_map(pair).collect()
}

fn environment(node: Option<&YamlOwned>) -> BTreeMap<String, String> {
    let Some(node) = node else { return BTreeMap::new() };
    if let Some(list) = node.as_vec() {
        let pair = |text: String| {
            let (name, value) = text.split_once('=').unwrap_or((&text, ""));
            (name.to_owned(), value.to_owned())
        };
        return list.iter().filter_map(text_of).map(pair).collect();
    }
    let Some(map) = node.as_mapping() else { return BTreeMap::new() };
    let pair = |(name, value): (&YamlOwned, &YamlOwned)| {
        Some((text_of(name)?, text_of(value).unwrap_or_default()))
    };
    map.iter().filter_map(pair).collect()
}

fn ports(node: Option<&YamlOwned>, variables: &BTreeMap<String, String>) -> Vec<Port> {
    let Some(list) = node.and_then(YamlOwned::as_vec) else { return Vec::new() };
    let one = |node: &YamlOwned| match node.as_mapping() {
        Some(_) => long_port(node, variables).into_iter().collect(),
        None => text_of(node).map_or_else(Vec::new, |text| short_ports(&fill(&text, variables))),
    };
    list.iter().flat_map(one).collect()
}

fn long_port(node: &YamlOwned, variables: &BTreeMap<String, String>) -> Option<Port> {
    let value = |key: &str| text_of(get(node, key)?).map(|text| fill(&text, variables));
    let container = value("target")?.parse().ok()?;
    Some(Port {
        address: value("host_ip"),
        host: value("published")?.parse().ok()?,
        container,
        udp: value("protocol").as_deref() == Some("udp"),
    })
}

/// `[ADDRESS:][HOST:]CONTAINER[/PROTOCOL]`, ports being numbers or ranges. A port that is not
/// published at a fixed place cannot be asked.
fn short_ports(text: &str) -> Vec<Port> {
    let (text, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let Some((rest, container)) = text.rsplit_once(':') else { return Vec::new() };
    let (address, host) = match rest.rsplit_once(':') {
        Some((address, host)) => (Some(address.trim_matches(['[', ']']).to_owned()), host),
        None => (None, rest),
    };
    let (Some(hosts), Some(containers)) = (range(host), range(container)) else {
        return Vec::new();
    };
    let pairs = hosts.zip(containers);
    pairs
        .map(|(host, container)| Port {
            address: address.clone().filter(|address| !address.is_empty()),
            host,
            container,
            udp: protocol.eq_ignore_ascii_case("udp"),
        })
        .collect()
}

fn range(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
}

/// Puts variables in: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`.
pub(super) fn fill(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('{') {
            let end = inner.find('}').unwrap_or(inner.len());
            let (name, default) = split_default(&inner[..end]);
            out.push_str(variables.get(name).map_or(default, String::as_str));
            rest = inner.get(end + 1..).unwrap_or_default();
        } else {
            let end =
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            out.push_str(variables.get(&rest[..end]).map_or("", String::as_str));
            rest = &rest[end..];
        }
    }
    out.push_str(rest);
    out
}

fn split_default(inner: &str) -> (&str, &str) {
    let end = inner.find([':', '-', '?', '+']).unwrap_or(inner.len());
    let (name, how) = inner.split_at(end);
    (name, how.trim_start_matches(':').strip_prefix('-').unwrap_or_default())
}

/// The variable that a value consists of, as `${NAME}` or `$NAME`.
pub(super) fn variable_of(value: &str) -> Option<&str> {
    let inner = value.strip_prefix('$')?;
    let name = match inner.strip_prefix('{') {
        Some(braced) => split_default(braced.strip_suffix('}')?).0,
        None => inner,
    };
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(word)).then_some(name)
}
