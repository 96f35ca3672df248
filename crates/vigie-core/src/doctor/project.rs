//! Decides what the compose files say of each service together: overrides, `extends`, short and long
//! syntax, variables put in; every value with its file and place.

use super::{Facts, secret};
use crate::compose::{Place, View, role, template};
use crate::stack::Role;

/// Services that extend services; more go round in circles.
const DEEPEST: usize = 8;

/// The project.
#[derive(Debug)]
pub struct Project<'a> {
    /// What it was read from.
    pub facts: &'a Facts,
    /// Its services.
    pub services: Vec<Service<'a>>,
}

/// A service.
#[derive(Debug)]
pub struct Service<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is for.
    pub role: Role,
    /// Its image, variables put in; empty when it is built.
    pub image: String,
    /// The file that defines it, and its name's place in it.
    pub file: usize,
    /// The place of its name.
    pub place: Place,
    layers: Vec<Layer<'a>>,
    facts: &'a Facts,
}

/// What one file says of a service; later ones win.
#[derive(Debug, Clone, Copy)]
struct Layer<'a> {
    file: Where,
    view: View<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    /// In the service itself, in this file.
    Own(usize),
    /// In one that it extends.
    Base(usize),
    /// In one of another file, that only services are taken from.
    Extended(usize),
}

/// A value with its file.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The file as it is shown.
    pub path: &'a str,
    /// The file's number, when the service itself has the value there and it can be set.
    pub own: Option<usize>,
    /// The value.
    pub view: View<'a>,
}

/// A variable of a service's environment.
#[derive(Debug, Clone)]
pub struct Variable<'a> {
    /// Its name.
    pub name: String,
    /// Its value as written; nothing when it is taken from the environment.
    pub raw: Option<String>,
    /// Where it stands.
    pub at: Found<'a>,
    /// Its key below the service.
    pub path: Vec<String>,
    /// Whether it is an item of a list, `NAME=value`.
    pub item: bool,
}

/// A published port.
#[derive(Debug, Clone)]
pub struct Port<'a> {
    /// The host's address, where one is named.
    pub address: Option<String>,
    /// The container's port, the first of a range.
    pub container: u16,
    /// `udp`, otherwise TCP.
    pub udp: bool,
    /// As written; nothing for the long syntax.
    pub raw: Option<&'a str>,
    /// Where it stands.
    pub at: Found<'a>,
    /// Its key below the service.
    pub path: Vec<String>,
}

/// Where a mount comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A volume; nothing where it has no name.
    Volume(Option<String>),
    /// A path of the host, as written.
    Bind(String),
}

/// A mount.
#[derive(Debug, Clone)]
pub struct Mount<'a> {
    /// From where.
    pub source: Source,
    /// Where in the container.
    pub target: String,
    /// Where it stands.
    pub at: Found<'a>,
}

impl<'a> Project<'a> {
    /// Reads the files together.
    #[must_use]
    pub fn read(facts: &'a Facts) -> Self {
        let mut services: Vec<Service<'a>> = Vec::new();
        for (file, compose) in facts.files.iter().enumerate() {
            let entries = compose.document.at(&["services"]).map(View::entries).unwrap_or_default();
            for (name, place, view) in entries {
                let layers = layers(facts, Where::Own(file), view, 0);
                match services.iter_mut().find(|known| known.name == name) {
                    Some(known) => known.layers.extend(layers),
                    None => services.push(Service {
                        name,
                        role: Role::Other,
                        image: String::new(),
                        file,
                        place,
                        layers,
                        facts,
                    }),
                }
            }
        }
        for service in &mut services {
            service.image = service.text("image").unwrap_or_default();
            service.role = service.guess();
        }
        Self { facts, services }
    }

    /// Services of one of these roles.
    pub fn of(&self, roles: &'static [Role]) -> impl Iterator<Item = &Service<'a>> {
        self.services.iter().filter(|service| roles.contains(&service.role))
    }

    /// A service by its name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Service<'a>> {
        self.services.iter().find(|service| service.name == name)
    }
}

/// What a service says itself, behind what it extends.
fn layers<'a>(facts: &'a Facts, file: Where, view: View<'a>, depth: usize) -> Vec<Layer<'a>> {
    let mut layers = Vec::new();
    if let Some(extends) = view.get("extends").filter(|_| depth < DEEPEST) {
        let service = extends.text().or_else(|| extends.get("service").and_then(View::text));
        let named = extends.get("file").and_then(View::text);
        let base = match (named, file) {
            (None, Where::Own(at) | Where::Base(at)) => Some((Where::Base(at), &facts.files[at])),
            (None, Where::Extended(at)) => Some((Where::Extended(at), &facts.extended[at])),
            (Some(named), _) => {
                let wanted = named.trim_start_matches("./");
                let is_it = |path: &str| path == wanted || path.ends_with(&format!("/{wanted}"));
                let found = facts.extended.iter().position(|one| is_it(&one.path));
                found.map(|at| (Where::Extended(at), &facts.extended[at]))
            }
        };
        let found = base.zip(service).and_then(|((file, compose), service)| {
            Some((file, compose.document.at(&["services", service])?))
        });
        if let Some((file, view)) = found {
            layers.extend(self::layers(facts, file, view, depth + 1));
        }
    }
    layers.push(Layer { file, view });
    layers
}

impl<'a> Service<'a> {
    fn guess(&self) -> Role {
        let ports: Vec<_> = self.ports().iter().map(|port| (port.container, port.udp)).collect();
        let signs = role::Signs {
            name: self.name,
            image: &self.image,
            ports: &ports,
            gamemode: self.variable("GAMEMODE").is_some(),
        };
        role::role(&signs).0
    }

    /// The path of the file that defines it.
    #[must_use]
    pub fn path(&self) -> &'a str {
        &self.facts.files[self.file].path
    }

    fn in_layer(&self, layer: Layer<'a>, view: View<'a>) -> Found<'a> {
        let (path, own) = match layer.file {
            Where::Own(at) => (&self.facts.files[at].path, Some(at)),
            Where::Base(at) => (&self.facts.files[at].path, None),
            Where::Extended(at) => (&self.facts.extended[at].path, None),
        };
        Found { path, own, view }
    }

    /// The value at `path` that counts.
    #[must_use]
    pub fn find(&self, path: &[&str]) -> Option<Found<'a>> {
        self.all(path).pop()
    }

    /// The value at `path` in each file that has one, the one that counts last.
    fn all(&self, path: &[&str]) -> Vec<Found<'a>> {
        let found = self.layers.iter().filter_map(|layer| {
            let view = path.iter().try_fold(layer.view, |view, key| view.get(key))?;
            Some(self.in_layer(*layer, view))
        });
        found.collect()
    }

    /// The text at a key, variables put in.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        self.find(&[key])?.view.text().map(|text| self.fill(text))
    }

    /// A text with its variables put in.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        template::fill(text, &|name| self.facts.variables.get(name).cloned())
    }

    /// What the engine knows of its image.
    #[must_use]
    pub fn image_facts(&self) -> Option<&'a super::ImageFacts> {
        self.facts.images.get(&self.image)
    }

    /// Its environment; of one name the value that counts.
    #[must_use]
    pub fn environment(&self) -> Vec<Variable<'a>> {
        let mut known: Vec<Variable<'a>> = Vec::new();
        for at in self.all(&["environment"]) {
            for variable in variables(at) {
                known.retain(|one| one.name != variable.name);
                known.push(variable);
            }
        }
        known
    }

    /// A variable of its environment.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<Variable<'a>> {
        self.environment().into_iter().find(|variable| variable.name == name)
    }

    /// The words of its command, its entry point and its environment, with the places.
    #[must_use]
    pub fn words(&self) -> Vec<(Found<'a>, Vec<String>, String)> {
        let mut words = Vec::new();
        for key in ["command", "entrypoint"] {
            let Some(at) = self.find(&[key]) else { continue };
            match at.view.text() {
                Some(text) => words.push((at, vec![key.to_owned()], text.to_owned())),
                None => words.extend(at.view.items().into_iter().enumerate().filter_map(
                    |(number, view)| {
                        let path = vec![key.to_owned(), number.to_string()];
                        Some((Found { view, ..at }, path, view.text()?.to_owned()))
                    },
                )),
            }
        }
        words.extend(self.environment().into_iter().filter_map(|one| {
            let raw = one.raw.clone()?;
            let text = if one.item { format!("{}={raw}", one.name) } else { raw };
            Some((one.at, one.path, text))
        }));
        words
    }

    /// The words of its health check, its own or its image's, with the place when it is its own; empty
    /// when there is none or it is switched off.
    #[must_use]
    pub fn healthcheck(&self) -> (Option<Found<'a>>, String) {
        let off = self.find(&["healthcheck", "disable"]).and_then(|off| off.view.text());
        if off == Some("true") {
            return (self.find(&["healthcheck"]), String::new());
        }
        if let Some(test) = self.find(&["healthcheck", "test"]) {
            let items = test.view.items();
            let words = match test.view.text() {
                Some(text) => text.to_owned(),
                None => items.iter().filter_map(|item| item.text()).collect::<Vec<_>>().join(" "),
            };
            let words = if words.trim() == "NONE" { String::new() } else { words };
            return (Some(test), words);
        }
        let own = self.image_facts().map(|facts| facts.healthcheck.join(" "));
        (None, own.unwrap_or_default())
    }

    /// The words of the health check that the files write, each with its place.
    #[must_use]
    pub fn check_words(&self) -> Vec<(Found<'a>, &'a str)> {
        let Some(test) = self.find(&["healthcheck", "test"]) else { return Vec::new() };
        let items = test.view.items();
        let views = if items.is_empty() { vec![test.view] } else { items };
        let found = views.into_iter().map(|view| Found { view, ..test });
        found.filter_map(|at| Some((at, at.view.text()?))).collect()
    }

    /// Every secret that the files write for it, as written.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        let environment = self.environment();
        let named = environment.iter().filter(|one| secret::looks_secret(&one.name));
        let named = named.filter_map(|one| one.raw.clone());
        let words = self.words();
        let given = words.iter().flat_map(|(_, _, text)| {
            let settings = secret::SETTINGS.into_iter();
            settings
                .filter_map(|(setting, _)| Some(text[secret::value_of(text, setting)?].to_owned()))
        });
        let flags = self.check_words().into_iter();
        let flags = flags.filter_map(|(_, text)| Some(text[secret::flag_value(text)?].to_owned()));
        let literal =
            |value: &String| !secret::is_harmless(value) && template::variables(value).is_empty();
        named.chain(given).chain(flags).filter(literal).collect()
    }

    /// Its published ports.
    #[must_use]
    pub fn ports(&self) -> Vec<Port<'a>> {
        let mut ports = Vec::new();
        for at in self.all(&["ports"]) {
            for (number, view) in at.view.items().into_iter().enumerate() {
                let path = vec![String::from("ports"), number.to_string()];
                ports.extend(self.port(Found { view, ..at }, path));
            }
        }
        ports
    }

    fn port(&self, at: Found<'a>, path: Vec<String>) -> Option<Port<'a>> {
        if let Some(raw) = at.view.text() {
            let filled = self.fill(raw);
            let (rest, protocol) = filled.split_once('/').unwrap_or((&filled, "tcp"));
            let (before, container) = rest.rsplit_once(':').unwrap_or(("", rest));
            let address =
                before.rsplit_once(':').map(|(address, _)| address.trim_matches(['[', ']']));
            let container = container.split('-').next()?.trim().parse().ok()?;
            let address = address.filter(|address| !address.is_empty()).map(str::to_owned);
            let udp = protocol.eq_ignore_ascii_case("udp");
            return Some(Port { address, container, udp, raw: Some(raw), at, path });
        }
        let value = |key: &str| Some(self.fill(at.view.get(key)?.text()?));
        // Without `published` it is only open to the other containers.
        value("published")?;
        Some(Port {
            address: value("host_ip"),
            container: value("target")?.parse().ok()?,
            udp: value("protocol").as_deref() == Some("udp"),
            raw: None,
            at,
            path,
        })
    }

    /// Its mounts.
    #[must_use]
    pub fn mounts(&self) -> Vec<Mount<'a>> {
        let all = self.all(&["volumes"]);
        let items = all
            .into_iter()
            .flat_map(|at| at.view.items().into_iter().map(move |view| Found { view, ..at }));
        items.filter_map(|at| self.mount(at)).collect()
    }

    fn mount(&self, at: Found<'a>) -> Option<Mount<'a>> {
        let Some(raw) = at.view.text() else {
            let value = |key: &str| Some(self.fill(at.view.get(key)?.text()?));
            let source = match value("type").as_deref() {
                Some("bind") => Source::Bind(value("source")?),
                Some("volume") => Source::Volume(value("source")),
                _ => return None,
            };
            return Some(Mount { source, target: value("target")?, at });
        };
        let filled = self.fill(raw);
        let mut pieces = filled.split(':');
        let first = pieces.next()?;
        let (source, target) = match pieces.next() {
            None => (Source::Volume(None), first),
            Some(target) if first.starts_with(['.', '/', '~']) => {
                (Source::Bind(first.to_owned()), target)
            }
            Some(target) => (Source::Volume(Some(first.to_owned())), target),
        };
        Some(Mount { source, target: target.trim_end_matches('/').to_owned(), at })
    }
}

fn variables<'a>(at: Found<'a>) -> Vec<Variable<'a>> {
    let key = || String::from("environment");
    if at.view.is_list() {
        let items = at.view.items().into_iter().enumerate().filter_map(|(number, view)| {
            let text = view.text()?;
            let (name, raw) = match text.split_once('=') {
                Some((name, raw)) => (name, Some(raw.to_owned())),
                None => (text, None),
            };
            let path = vec![key(), number.to_string()];
            let at = Found { view, ..at };
            Some(Variable { name: name.to_owned(), raw, at, path, item: true })
        });
        return items.collect();
    }
    let entries = at.view.entries().into_iter().map(|(name, _, view)| Variable {
        name: name.to_owned(),
        raw: view.text().map(str::to_owned),
        at: Found { view, ..at },
        path: vec![key(), name.to_owned()],
        item: false,
    });
    entries.collect()
}
