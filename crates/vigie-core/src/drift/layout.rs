//! Decides what a whole project needs before it can start, from what `docker compose config` prints: its
//! name, its images, its volumes, and what of the host is mounted. Never says how any of it is had.

use std::collections::BTreeMap;

use super::form::Source;
use super::wanted::{Generation, Malformed, text, volume_name, wanted};
use crate::compose::{Document, View};

/// What a service needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// The name of its image; none for one that Compose names itself.
    pub image: Option<String>,
    /// Whether the image can be built.
    pub builds: bool,
    /// The name that its container is given.
    pub container: Option<String>,
    /// Files and directories of the host that it has mounted.
    pub paths: Vec<String>,
}

/// A named volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Its name in the compose file.
    pub key: String,
    /// Its name in the engine.
    pub name: String,
    /// Whether Compose only uses it and never makes it.
    pub external: bool,
    /// What keeps it; the engine's own way where none is named.
    pub driver: Option<String>,
    /// What the driver is told.
    pub options: BTreeMap<String, String>,
}

/// Where the files of a volume are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping<'a> {
    /// In a directory of the engine's own.
    Own,
    /// In this directory of the host.
    Directory(&'a str),
    /// In memory: they are gone with the last container that has them.
    Memory,
    /// Where only its driver finds them, or this kind of file system: they are there while a container has
    /// them.
    Elsewhere(&'a str),
}

/// Where a volume's files are that has this driver, and these options.
#[must_use]
pub fn keeping<'a>(driver: Option<&'a str>, options: &'a BTreeMap<String, String>) -> Keeping<'a> {
    if let Some(driver) = driver.filter(|driver| *driver != "local") {
        return Keeping::Elsewhere(driver);
    }
    let option = |key: &str| options.get(key).map(String::as_str).filter(|text| !text.is_empty());
    let words = option("o").unwrap_or_default();
    let is_bound = words.split(',').any(|word| matches!(word, "bind" | "rbind"));
    match (option("device"), option("type")) {
        (_, Some("tmpfs")) => Keeping::Memory,
        (Some(device), _) if is_bound => Keeping::Directory(device),
        (Some(_), kind) => Keeping::Elsewhere(kind.unwrap_or("local")),
        (None, _) => Keeping::Own,
    }
}

impl Declared {
    /// Where its files are.
    #[must_use]
    pub fn keeping(&self) -> Keeping<'_> {
        keeping(self.driver.as_deref(), &self.options)
    }
}

/// What a project needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// Its name.
    pub project: String,
    /// By service.
    pub services: BTreeMap<String, Needs>,
    /// Its volumes.
    pub volumes: Vec<Declared>,
}

impl Layout {
    /// What the image of `service` may be called: as the compose file says, or, where it says nothing, as
    /// either generation of Compose names what it builds.
    #[must_use]
    pub fn images(&self, service: &str) -> Vec<String> {
        match self.services.get(service).and_then(|needs| needs.image.clone()) {
            Some(image) => vec![image],
            None => {
                ["-", "_"].map(|between| format!("{}{between}{service}", self.project)).to_vec()
            }
        }
    }
}

/// What the project in `printed` needs; `project` is its name where that is not printed, as by version 1.
///
/// # Errors
/// When it is no configuration.
pub fn layout(printed: &str, generation: Generation, project: &str) -> Result<Layout, Malformed> {
    let document = Document::parse(printed)?;
    let own = document.at(&["name"]).and_then(text);
    let project = own.unwrap_or_else(|| project.to_owned());
    let mut services = BTreeMap::new();
    for (name, _, service) in document.at(&["services"]).map(View::entries).unwrap_or_default() {
        let form = wanted(printed, generation, &project, name)?.unwrap_or_default();
        let paths =
            form.mounts.unwrap_or_default().into_values().filter_map(|mount| match mount.source {
                Source::Path(path) => Some(path),
                Source::Volume(_) | Source::Memory => None,
            });
        let needs = Needs {
            image: form.image,
            builds: service.get("build").is_some(),
            container: service.get("container_name").and_then(text),
            paths: paths.collect(),
        };
        services.insert(name.to_owned(), needs);
    }
    let declared = document.at(&["volumes"]).map(View::entries).unwrap_or_default();
    let volume = |(key, _, volume): (&str, _, View<'_>)| {
        let options = volume.get("driver_opts").map(View::entries).unwrap_or_default();
        let external = volume.get("external");
        Declared {
            key: key.to_owned(),
            name: volume_name(document.root(), key, &project),
            external: external.is_some_and(|external| external.text() != Some("false")),
            driver: volume.get("driver").and_then(text),
            options: options
                .into_iter()
                .filter_map(|(key, _, value)| Some((key.to_owned(), text(value)?)))
                .collect(),
        }
    };
    let volumes = declared.into_iter().map(volume).collect();
    Ok(Layout { project, services, volumes })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = r#"{"name": "town", "services": {
        "gmod": {"image": "x/gmod:1", "container_name": "gmod-server", "volumes": [
            {"type": "volume", "source": "data", "target": "/data"},
            {"type": "bind", "source": "/srv/town/addons", "target": "/addons"}]},
        "web": {"build": {"context": "/srv/town"}}},
        "volumes": {"data": {"name": "town_data"},
            "tmp": {"name": "town_tmp", "driver": "local", "driver_opts": {"type": "tmpfs"}},
            "shared": {"name": "shared", "external": true}}}"#;
    const ONE: &str = "services:\n  gmod:\n    container_name: gmod-server\n    image: x/gmod:1\n    \
        volumes:\n    - data:/data:rw\n    - /srv/town/addons:/addons:rw\nvolumes:\n  data: {}\n  \
        shared:\n    external: true\n";

    #[test]
    fn names_images_volumes_and_paths_are_found_in_both_generations() {
        let two = layout(TWO, Generation::Two, "other").unwrap();
        assert_eq!(two.project, "town");
        let gmod = Needs {
            image: Some("x/gmod:1".into()),
            builds: false,
            container: Some("gmod-server".into()),
            paths: vec!["/srv/town/addons".into()],
        };
        assert_eq!(two.services["gmod"], gmod);
        assert!(two.services["web"].builds && two.services["web"].image.is_none());
        assert_eq!(two.images("gmod"), ["x/gmod:1"]);
        assert_eq!(two.images("web"), ["town-web", "town_web"], "as Compose names what it builds");
        let names: Vec<_> =
            two.volumes.iter().map(|one| (one.name.as_str(), one.external)).collect();
        assert_eq!(names.len(), 3);
        for wanted in [("town_data", false), ("town_tmp", false), ("shared", true)] {
            assert!(names.contains(&wanted), "{names:?}");
        }
        let memory = two.volumes.iter().find(|one| one.key == "tmp").unwrap();
        assert_eq!(memory.driver.as_deref(), Some("local"));
        assert_eq!(memory.options["type"], "tmpfs");
        let one = layout(ONE, Generation::One, "town").unwrap();
        assert_eq!(one.services["gmod"], gmod);
        assert!(one.volumes.iter().any(|one| one.name == "town_data" && !one.external));
        assert!(one.volumes.iter().any(|one| one.name == "shared" && one.external));
    }

    #[test]
    fn where_the_files_of_a_volume_are() {
        let of = |driver: Option<&str>, options: &[(&str, &str)]| {
            let options =
                options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            format!("{:?}", keeping(driver, &options.collect()))
        };
        assert_eq!(of(None, &[]), "Own");
        assert_eq!(of(Some("local"), &[("size", "5g")]), "Own");
        let bind = [("type", "none"), ("o", "rw,bind"), ("device", "/srv/data")];
        assert_eq!(of(Some("local"), &bind), "Directory(\"/srv/data\")");
        assert_eq!(of(None, &[("type", "tmpfs"), ("device", "tmpfs")]), "Memory");
        let nfs = [("type", "nfs"), ("o", "addr=10.0.0.1,rw"), ("device", ":/export")];
        assert_eq!(of(None, &nfs), "Elsewhere(\"nfs\")");
        assert_eq!(of(Some("rclone"), &[]), "Elsewhere(\"rclone\")");
    }

    #[test]
    fn what_is_no_configuration_is_said() {
        assert!(layout("[", Generation::Two, "x").is_err());
        assert_eq!(layout("{}", Generation::Two, "x").unwrap().services.len(), 0);
    }
}
