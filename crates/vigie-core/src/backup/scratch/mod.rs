//! Decides what a whole stack looks like when it is brought up beside the living one, only to prove that it
//! comes back: from what Compose prints of the project, a project of another name is made that shares
//! nothing with it, neither names nor ports, volumes, networks, mounts or images' names, and that has no
//! way out. Never says how its images and copies are had.

mod mounts;
mod ports;
mod service;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;

use crate::compose::{Document, Refusal};
use crate::drift::Generation;

pub use mounts::{Bind, Places};
pub use ports::Port;
use service::{DEFAULT, Family};
use tree::Tree;

/// What a scratch project is made of.
#[derive(Debug, Clone)]
pub struct Wish<'a> {
    /// Its name.
    pub name: &'a str,
    /// The image of each service, as the engine knows it.
    pub images: &'a BTreeMap<String, String>,
    /// Where its files are.
    pub places: &'a Places,
}

/// A scratch project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scratch {
    /// Its compose file, as JSON.
    pub text: String,
    /// What of the host it has mounted, in the order of the paths; all of it in its own directory.
    pub binds: Vec<Bind>,
    /// Its services, in the order of their names.
    pub services: Vec<String>,
    /// What it runs without.
    pub left: Vec<LeftOut>,
    /// Ports that the living one publishes; the scratch one publishes none.
    ports: Vec<Port>,
    /// Services that have the network of another.
    lends: BTreeMap<String, String>,
}

/// Why a stack cannot be brought up beside itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It has the host's ports, which the living one has.
    #[error(
        "{0} is on the host's own network, where the living one has its ports: the whole stack cannot be \
         brought up beside it; its parts are drilled one by one"
    )]
    HostNetwork(String),
    /// A service has no image.
    #[error("no image is known for {0}")]
    NoImage(String),
    /// It is no configuration.
    #[error("what Compose prints of the project does not read: {0}")]
    Malformed(#[from] Refusal),
}

/// What a scratch project runs without.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// Power over the host.
    Power {
        /// The service.
        service: String,
        /// The key that gives it.
        what: String,
    },
    /// Something of a container that is none of the stack's.
    Stranger {
        /// The service.
        service: String,
        /// The container.
        of: String,
    },
}

impl std::fmt::Display for LeftOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Power { service, what } => write!(f, "{service} ran without `{what}`"),
            Self::Stranger { service, of } => {
                write!(
                    f,
                    "{service} ran without what it shares with {of}, which is none of the stack's"
                )
            }
        }
    }
}

impl Scratch {
    /// Behind which service's address, and at which port there, whoever asks for `service` at `port` of the
    /// living host finds it.
    #[must_use]
    pub fn door(&self, service: &str, port: u16, udp: bool) -> (&str, u16) {
        let owner = |service: &str| {
            self.lends.get_key_value(service).map_or_else(
                || self.services.iter().find(|known| *known == service).map(String::as_str),
                |(_, other)| Some(other.as_str()),
            )
        };
        let own = owner(service);
        let mut fits: Vec<&Port> =
            self.ports.iter().filter(|one| one.published == port && one.udp == udp).collect();
        // Its own ports go before those of somebody who hands them on.
        fits.sort_by_key(|one| Some(one.service.as_str()) != own);
        match fits.first() {
            Some(fits) => (owner(&fits.service).unwrap_or(&fits.service), fits.target),
            None => (own.unwrap_or_default(), port),
        }
    }
}

/// Makes the scratch project of what Compose `printed`.
///
/// # Errors
/// Why there is none.
pub fn scratch(printed: &str, generation: Generation, wish: &Wish<'_>) -> Result<Scratch, Unfit> {
    let document = Document::parse(printed)?;
    let mut tree = document.root().map_or_else(|| Tree::Map(Vec::new()), Tree::read);
    let mut services = tree.take("services").unwrap_or_else(|| Tree::Map(Vec::new()));
    if let Tree::Map(services) = &mut services {
        // Somebody else runs those.
        services.retain(|(_, service)| service.get("provider").is_none());
    }
    let named = |(name, service): &(String, Tree)| {
        Some((service.get("container_name").and_then(Tree::text)?.to_owned(), name.clone()))
    };
    let containers = services.entries().iter().filter_map(named).collect();
    let networks = tree.take("networks").unwrap_or_else(Tree::null);
    let host: Vec<String> =
        networks.entries().iter().filter(is_host).map(|(key, _)| key.clone()).collect();
    let ranks = generation == Generation::Two;
    let family = Family { containers: &containers, host: &host, ranks };
    let (mut binds, mut left, mut ports, mut lends) =
        (Vec::new(), Vec::new(), Vec::new(), BTreeMap::new());
    let mut names = Vec::new();
    for (name, service) in services.entries_mut() {
        let image = wish.images.get(name).ok_or_else(|| Unfit::NoImage(name.clone()))?;
        ports.extend(ports::published(name, service));
        if let Some(other) = service::change(name, service, image, &family, &mut left)? {
            lends.insert(name.clone(), other);
        }
        mounts::rebase(name, service, wish.places, &mut binds);
        names.push(name.clone());
    }
    let mut made = Tree::Map(Vec::new());
    match generation {
        Generation::One => {
            if let Some(version) = tree.take("version") {
                made.set("version", version);
            }
        }
        Generation::Two => made.set("name", Tree::of(wish.name)),
    }
    made.set("services", services);
    let own = |(key, _): &(String, Tree)| {
        (key.clone(), Tree::Map(vec![(String::from("internal"), Tree::word(true))]))
    };
    let default = (DEFAULT.to_owned(), Tree::null());
    let mut inside: Vec<_> = networks.entries().iter().map(own).collect();
    if !inside.iter().any(|(key, _)| key == DEFAULT) {
        inside.push(own(&default));
    }
    made.set("networks", Tree::Map(inside));
    let volumes = tree.take("volumes").unwrap_or_else(Tree::null);
    let fresh = |(key, _): &(String, Tree)| (key.clone(), Tree::Map(Vec::new()));
    if volumes.is_set() {
        made.set("volumes", Tree::Map(volumes.entries().iter().map(fresh).collect()));
    }
    for kind in ["secrets", "configs"] {
        let Some(mut defined) = tree.take(kind).filter(Tree::is_set) else { continue };
        for (_, one) in defined.entries_mut() {
            mounts::granted(one, wish.places, &mut binds);
        }
        made.set(kind, defined);
    }
    binds.sort_by(|one, other| (&one.now, &one.service).cmp(&(&other.now, &other.service)));
    binds.dedup();
    left.sort();
    names.sort();
    Ok(Scratch { text: made.written(), binds, services: names, left, ports, lends })
}

/// Whether a network is the host's own.
fn is_host((key, network): &&(String, Tree)) -> bool {
    let external = network.get("external");
    let text = |tree: Option<&Tree>| tree.and_then(Tree::text).map(str::to_owned);
    let name = text(network.get("name")).or_else(|| text(external.and_then(|one| one.get("name"))));
    let is_external = external.is_some_and(Tree::is_set);
    (is_external && name.as_deref().unwrap_or(key) == "host")
        || text(network.get("driver")).as_deref() == Some("host")
}
