//! Decides how a service's image is set: in the compose file, or in the `.env` file where a variable
//! gives it. Tag and digest are replaced together.

use super::document::{Document, View};
use super::template::{Part, parts, variables};
use super::value::{Value, said};
use super::{Place, Refusal, Why};

/// What has to be written for a service to have another image.
#[derive(Debug, Clone)]
pub enum ImageEdit {
    /// The compose file, edited.
    Compose(Document),
    /// A variable that stands in the image has to be set: in `.env` ([`super::Dotenv`]), unless the
    /// environment of Compose has it, which goes first.
    Variable {
        /// Its name.
        name: String,
        /// Its new value.
        value: String,
        /// Where it is used.
        place: Place,
    },
}

/// An image's name in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageName {
    /// With the registry, without tag and digest.
    pub repository: String,
    /// The tag.
    pub tag: Option<String>,
    /// `sha256:…`
    pub digest: Option<String>,
}

impl ImageName {
    /// Reads `repository[:tag][@digest]`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        // A colon before a slash is a registry's port.
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            _ => (name, None),
        };
        let word = |text: &str| {
            let fine = |c: char| c.is_ascii_alphanumeric() || "._-/:".contains(c);
            !text.is_empty() && text.chars().all(fine)
        };
        let all = [Some(repository), tag, digest];
        all.into_iter().flatten().all(word).then(|| Self {
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// Its last part: `mysql` of `registry.example.org/library/mysql:8.0`.
    #[must_use]
    pub fn short(&self) -> &str {
        self.repository.rsplit('/').next().unwrap_or_default()
    }
}

impl Document {
    /// What has to be written for `service` to run `image`.
    ///
    /// # Errors
    /// Where and why it cannot be done safely.
    pub fn set_image(&self, service: &str, image: &str) -> Result<ImageEdit, Refusal> {
        let services = self.at(&["services"]);
        let found = services.and_then(|services| services.get(service));
        let Some(found) = found else {
            let names = services.map(View::entries).unwrap_or_default();
            let known: Vec<_> = names.into_iter().map(|(name, ..)| name).collect();
            let why = Why::NoService { name: service.to_owned(), known: known.join(", ") };
            let place = services.map_or(Place::START, View::place);
            return Err(Refusal::new(place, why));
        };
        if ImageName::parse(image).is_none() {
            return Err(Refusal::new(found.place(), Why::NoImage(image.to_owned())));
        }
        match found.get("image") {
            Some(old) if old.text().is_some_and(|text| !variables(text).is_empty()) => {
                self.refuse_dependents(service)?;
                self.set_variable(service, old, image)
            }
            None if found.get("build").is_some() => {
                Err(Refusal::new(found.place(), Why::Built(service.to_owned())))
            }
            _ => {
                self.refuse_dependents(service)?;
                let path = ["services", service, "image"];
                self.set(&path, &Value::text(image)).map(ImageEdit::Compose)
            }
        }
    }

    /// A service that extends this one without an image of its own would follow.
    fn refuse_dependents(&self, service: &str) -> Result<(), Refusal> {
        let services = self.at(&["services"]).map(View::entries).unwrap_or_default();
        for (name, place, other) in services {
            let Some(extends) = other.get("extends").filter(|_| name != service) else { continue };
            let elsewhere = extends.get("file").is_some();
            let base = extends.text().or_else(|| extends.get("service").and_then(View::text));
            if !elsewhere && base == Some(service) && other.get("image").is_none() {
                let used = other.key_place("extends").unwrap_or(place);
                let at = self.at(&["services", service]).map_or(place, View::place);
                return Err(Refusal::new(at, Why::Shared { used }));
            }
        }
        Ok(())
    }

    fn set_variable(
        &self,
        service: &str,
        old: View<'_>,
        image: &str,
    ) -> Result<ImageEdit, Refusal> {
        // What would take for ever to walk through is refused here.
        said(self)?;
        let text = old.text().unwrap_or_default();
        let many = || Refusal::new(old.place(), Why::Variables(variables(text).join(", ")));
        let (mut before, mut after, mut variable) = (String::new(), String::new(), None);
        for part in parts(text) {
            match part {
                Part::Literal(text) if variable.is_none() => before.push_str(&text),
                Part::Literal(text) => after.push_str(&text),
                Part::Variable { name, how, .. } if variable.is_none() && !how.ends_with('+') => {
                    variable = Some(name);
                }
                Part::Variable { .. } => return Err(many()),
            }
        }
        let name = variable.ok_or_else(many)?;
        let value = image.strip_prefix(&*before).and_then(|rest| rest.strip_suffix(&*after));
        let value = value.filter(|value| !value.is_empty()).ok_or_else(many)?;
        let used = self.other_use(&name, old.place());
        if let Some(used) = used.or_else(|| self.other_user(&name, service)) {
            let why = Why::Variable { variable: name, used };
            return Err(Refusal::new(old.place(), why));
        }
        Ok(ImageEdit::Variable { name, value: value.to_owned(), place: old.place() })
    }

    /// Another service that uses a variable, be it by what it merges.
    fn other_user(&self, name: &str, service: &str) -> Option<Place> {
        let services = self.at(&["services"]).map(View::entries).unwrap_or_default();
        let others = services.into_iter().filter(|(other, ..)| *other != service);
        others.into_iter().find(|(_, _, other)| uses(*other, name, 0)).map(|(_, place, _)| place)
    }

    /// Where else a variable is written.
    fn other_use(&self, name: &str, here: Place) -> Option<Place> {
        let uses = |node: &&super::node::Node| match &node.kind {
            super::node::Kind::Scalar { text, .. } => {
                node.place != here && variables(text).iter().any(|used| used == name)
            }
            _ => false,
        };
        self.nodes.iter().find(uses).map(|node| node.place)
    }
}

/// A service is a few levels deep.
const DEEPEST: usize = 16;

/// Whether a value has the variable anywhere in it.
fn uses(view: View<'_>, name: &str, depth: usize) -> bool {
    let here = view.text().is_some_and(|text| variables(text).iter().any(|used| used == name));
    let below = || {
        let values = view.entries().into_iter().map(|(_, _, value)| value);
        values.chain(view.items()).any(|value| uses(value, name, depth + 1))
    };
    here || (depth < DEEPEST && below())
}
