//! Does: reads of a compose file what vigie needs to know: both port syntaxes, both `depends_on`,
//! both limits, both environments, anchors and merge keys, `${VAR:-default}`.

use std::collections::BTreeMap;
use std::path::Path;

use vigie_core::compose::template::{self, Part};
use vigie_core::compose::{Document, Style, View};

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
    let document = Document::parse(text).map_err(|refusal| {
        let at = refusal.place;
        ConfigError {
            file: path.to_owned(),
            at: (at.line, at.column),
            line: text.lines().nth(at.line.saturating_sub(1)).unwrap_or_default().to_owned(),
            what: refusal.why.to_string(),
            hint: None,
        }
    })?;
    let Some(services) = document.at(&["services"]).filter(|services| services.is_mapping()) else {
        return Err(ConfigError::whole(path, "it has no `services`", None));
    };
    let name = document.at(&["name"]).and_then(text_of);
    let name = name.or_else(|| variables.get("COMPOSE_PROJECT_NAME").cloned());
    let services = services.entries().into_iter();
    let services = services.map(|(name, _, service)| one(name.to_owned(), service, variables));
    Ok(ComposeProject { name, services: services.collect() })
}

fn one(name: String, node: View<'_>, variables: &BTreeMap<String, String>) -> ComposeService {
    let filled = |key: &str| text_of(node.get(key)?).map(|text| fill(&text, variables));
    let limit = ["deploy", "resources", "limits", "memory"];
    let limit = limit.iter().try_fold(node, |node, key| node.get(key)).and_then(text_of);
    ComposeService {
        name,
        image: filled("image").unwrap_or_default(),
        container_name: filled("container_name"),
        depends_on: depends_on(node.get("depends_on")),
        ports: ports(node.get("ports"), variables),
        environment: environment(node.get("environment")),
        command: words(node.get("command")),
        healthcheck: node.get("healthcheck").is_some(),
        memory: limit.or_else(|| filled("mem_limit")),
        restart: filled("restart"),
    }
}

/// A scalar's text, where something is written.
fn text_of(node: View<'_>) -> Option<String> {
    let text = node.text().filter(|_| node.style() != Some(Style::Empty))?;
    Some(text.to_owned())
}

fn words(node: Option<View<'_>>) -> String {
    let Some(node) = node else { return String::new() };
    let words = node.items().into_iter().filter_map(text_of).collect::<Vec<_>>().join(" ");
    text_of(node).unwrap_or(words)
}

fn depends_on(node: Option<View<'_>>) -> Vec<(String, Option<String>)> {
    let Some(node) = node else { return Vec::new() };
    let listed = node.items().into_iter().filter_map(text_of).map(|name| (name, None));
    let mapped = node
        .entries()
        .into_iter()
        .map(|(name, _, how)| (name.to_owned(), how.get("condition").and_then(text_of)));
    listed.chain(mapped).collect()
}

fn environment(node: Option<View<'_>>) -> BTreeMap<String, String> {
    let Some(node) = node else { return BTreeMap::new() };
    let listed = node.items().into_iter().filter_map(text_of).map(|text| {
        let (name, value) = text.split_once('=').unwrap_or((&text, ""));
        (name.to_owned(), value.to_owned())
    });
    let mapped = node
        .entries()
        .into_iter()
        .map(|(name, _, value)| (name.to_owned(), text_of(value).unwrap_or_default()));
    listed.chain(mapped).collect()
}

fn ports(node: Option<View<'_>>, variables: &BTreeMap<String, String>) -> Vec<Port> {
    let one = |node: View<'_>| match text_of(node) {
        Some(text) => short_ports(&fill(&text, variables)),
        None => long_port(node, variables).into_iter().collect(),
    };
    node.map(View::items).unwrap_or_default().into_iter().flat_map(one).collect()
}

fn long_port(node: View<'_>, variables: &BTreeMap<String, String>) -> Option<Port> {
    let value = |key: &str| text_of(node.get(key)?).map(|text| fill(&text, variables));
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

/// Puts variables in.
pub(super) fn fill(text: &str, variables: &BTreeMap<String, String>) -> String {
    template::fill(text, &|name| variables.get(name).cloned())
}

/// The variable that a value consists of, as `${NAME}` or `$NAME`.
pub(super) fn variable_of(value: &str) -> Option<String> {
    match <[Part; 1]>::try_from(template::parts(value)) {
        Ok([Part::Variable { name, .. }]) => Some(name),
        _ => None,
    }
}
