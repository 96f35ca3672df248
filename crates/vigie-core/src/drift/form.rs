//! Decides what a container is compared by.

use std::collections::{BTreeMap, BTreeSet};

use super::amount;

/// How a container is made, or should be. What is `None` is not known and not compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    /// The image's name; none for one that Compose builds and names itself.
    pub image: Option<String>,
    /// The id of the image (`sha256:…`): of what runs, and of what the name means now.
    pub image_id: Option<String>,
    /// Variables; without a value, one that is taken away from what the image sets.
    pub environment: BTreeMap<String, Option<String>>,
    /// By the path in the container. Anonymous volumes are left out: each container has its own.
    pub mounts: Option<BTreeMap<String, Mount>>,
    /// Bytes; 0 is no limit.
    pub memory: Option<u64>,
    /// Billionths of a core; 0 is no limit.
    pub cpus: Option<u64>,
    /// Published ports.
    pub ports: Option<Ports>,
    /// `no`, `always`, `unless-stopped`, `on-failure`, `on-failure:3`.
    pub restart: Option<String>,
    /// Seconds that its process is given to end.
    pub grace: Option<u64>,
}

/// By the container's port (`27015/udp`), where it is published (`127.0.0.1:27015`; empty is any).
pub type Ports = BTreeMap<String, BTreeSet<String>>;

/// Something that is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// What.
    pub source: Source,
    /// Whether it cannot be written.
    pub read_only: bool,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file or directory of the host.
    Path(String),
    /// A named volume.
    Volume(String),
    /// Memory.
    Memory,
}

impl Source {
    /// A file or directory of the host, however its path is written.
    #[must_use]
    pub fn path(text: &str) -> Self {
        Self::Path(clean(text))
    }
}

/// What the Docker client's own settings put into every container.
const PROXIES: [&str; 5] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

impl Form {
    /// Leaves out of both what their image sets itself (`KEY=value`), and what the Docker client does.
    pub fn leave_out(wanted: &mut Self, running: &mut Self, image: &[String]) {
        let image: BTreeMap<&str, &str> =
            image.iter().filter_map(|line| line.split_once('=')).collect();
        let by_image = |key: &str, value: Option<&str>| match value {
            Some(value) => image.get(key).copied() == Some(value),
            // Taken away from an image that does not set it.
            None => !image.contains_key(key),
        };
        for form in [&mut *wanted, &mut *running] {
            form.environment.retain(|key, value| !by_image(key, value.as_deref()));
        }
        let is_proxy = |key: &str| PROXIES.contains(&key.to_ascii_uppercase().as_str());
        let set = &wanted.environment;
        running.environment.retain(|key, _| set.contains_key(key) || !is_proxy(key));
    }
}

/// A path without what does not count: doubled and last slashes, `.` and `..`.
#[must_use]
pub fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("{}{}", if path.starts_with('/') { "/" } else { "" }, parts.join("/"))
}

/// A restart policy, however it is written.
#[must_use]
pub fn policy(text: &str) -> String {
    match text.strip_suffix(":0").unwrap_or(text) {
        "" | "no" | "false" => String::from("no"),
        text => text.to_owned(),
    }
}

/// An image's name as the engine understands it.
pub(super) fn full_name(image: &str) -> String {
    let name = image.strip_prefix("docker.io/").unwrap_or(image);
    let name = name.strip_prefix("library/").unwrap_or(name);
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains([':', '@']) { name.to_owned() } else { format!("{name}:latest") }
}

/// Where a port is published; every interface is every interface.
#[must_use]
pub fn binding(ip: &str, port: &str) -> String {
    let ip = if matches!(ip, "0.0.0.0" | "::") { "" } else { ip };
    let port = if port == "0" { "" } else { port };
    if ip.is_empty() { port.to_owned() } else { format!("{ip}:{port}") }
}

/// The engine's patience where nothing is said.
pub const GRACE: u64 = amount::GRACE;
