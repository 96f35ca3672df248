//! Does: finds a service's container: by Compose's labels, which stay through renames and
//! recreations, or by its name.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bollard::query_parameters::ListContainersOptionsBuilder;
use vigie_core::observe::RuntimeEvent;

use super::DockerService;
use super::engine::Engine;
use crate::runtime::RuntimeError;

pub(super) const PROJECT: &str = "com.docker.compose.project";
pub(super) const SERVICE: &str = "com.docker.compose.service";
const WORKING_DIR: &str = "com.docker.compose.project.working_dir";

#[derive(Debug, Default)]
struct Known {
    ids: HashMap<String, String>,
    // Learned from the first container found, when the user did not name it.
    project: Option<String>,
}

/// Finds containers, and remembers them.
#[derive(Debug)]
pub(super) struct Finder {
    services: Vec<DockerService>,
    directory: String,
    known: Mutex<Known>,
}

impl Finder {
    pub(super) fn new(
        services: Vec<DockerService>,
        project: Option<String>,
        directory: &Path,
    ) -> Self {
        let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        let known = Known { project, ..Known::default() };
        Self { services, directory: directory.display().to_string(), known: Mutex::new(known) }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The service's definition.
    pub(super) fn known(&self, service: &str) -> Result<&DockerService, RuntimeError> {
        self.services.iter().find(|one| one.name == service).ok_or_else(|| {
            let known: Vec<_> = self.services.iter().map(|one| one.name.as_str()).collect();
            RuntimeError::Unknown { service: service.to_owned(), known: known.join(", ") }
        })
    }

    /// Whether an event only gives a container back the name that it should have.
    pub(super) fn is_own_name(&self, service: &str, event: &RuntimeEvent) -> bool {
        let RuntimeEvent::Renamed { to } = event else { return false };
        self.known(service).is_ok_and(|service| service.container.as_ref() == Some(to))
    }

    pub(super) fn forget(&self, service: &str) {
        self.lock().ids.remove(service);
    }

    /// Forgets this very container; false when the service has another one by now.
    pub(super) fn forget_container(&self, service: &str, id: &str) -> bool {
        let mut known = self.lock();
        let current = known.ids.get(service).is_some_and(|known| known == id);
        if current {
            known.ids.remove(service);
        }
        current
    }

    pub(super) fn forget_all(&self) {
        self.lock().ids.clear();
    }

    /// The id of a service's container; none when there is no container.
    pub(super) async fn find(
        &self,
        engine: &Engine,
        service: &str,
    ) -> Result<Option<String>, RuntimeError> {
        let known = self.lock().ids.get(service).cloned();
        match known {
            Some(id) => Ok(Some(id)),
            None => self.find_afresh(engine, service).await,
        }
    }

    /// The same, whatever was found before.
    pub(super) async fn find_afresh(
        &self,
        engine: &Engine,
        service: &str,
    ) -> Result<Option<String>, RuntimeError> {
        let definition = self.known(service)?;
        let docker = engine.docker().await?;
        let labels = vec![format!("{SERVICE}={service}")];
        let by_label = HashMap::from([("label", labels)]);
        let by_name = definition
            .container
            .as_ref()
            .map(|name| HashMap::from([("name", vec![format!("^/{name}$")])]));
        for filters in [Some(by_label), by_name].into_iter().flatten() {
            let by_name = filters.contains_key("name");
            let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
            let listed = docker.list_containers(Some(options));
            let listed = engine.limit("finding", service, listed).await?;
            let mine = listed.into_iter().find(|one| {
                by_name || self.is_mine(one.labels.as_ref(), one.names.as_ref(), definition)
            });
            if let Some(mine) = mine {
                let project = mine.labels.as_ref().and_then(|labels| labels.get(PROJECT)).cloned();
                let mut known = self.lock();
                if known.project.is_none() {
                    known.project = project;
                }
                if let Some(id) = mine.id {
                    known.ids.insert(service.to_owned(), id.clone());
                    return Ok(Some(id));
                }
            }
        }
        self.forget(service);
        Ok(None)
    }

    /// Whether a container that has the service's label is of this project.
    fn is_mine(
        &self,
        labels: Option<&HashMap<String, String>>,
        names: Option<&Vec<String>>,
        definition: &DockerService,
    ) -> bool {
        let Some(labels) = labels else { return false };
        if let Some(project) = &self.lock().project {
            return labels.get(PROJECT) == Some(project);
        }
        if let Some(name) = &definition.container
            && names
                .is_some_and(|names| names.iter().any(|one| one.trim_start_matches('/') == name))
        {
            return true;
        }
        labels.get(WORKING_DIR) == Some(&self.directory)
    }

    /// Remembers the container that was just started for a service.
    pub(super) fn learn(&self, service: &str, id: &str) {
        self.lock().ids.insert(service.to_owned(), id.to_owned());
    }

    /// The service that an event is about.
    pub(super) fn of_event(
        &self,
        id: &str,
        attributes: &HashMap<String, String>,
    ) -> Option<String> {
        let mut known = self.lock();
        if let Some((service, _)) = known.ids.iter().find(|(_, known)| *known == id) {
            return Some(service.clone());
        }
        let name = attributes.get("name");
        let found = self.services.iter().find(|one| {
            let labelled = attributes.get(SERVICE) == Some(&one.name);
            let project = match &known.project {
                Some(project) => attributes.get(PROJECT) == Some(project),
                None => attributes.get(WORKING_DIR) == Some(&self.directory),
            };
            (labelled && project) || (one.container.is_some() && one.container.as_ref() == name)
        })?;
        let service = found.name.clone();
        // The last words of a container that was replaced do not bring it back.
        known.ids.entry(service.clone()).or_insert_with(|| id.to_owned());
        Some(service)
    }
}
