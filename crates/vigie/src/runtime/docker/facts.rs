//! Does: looks at how a container and its image were made, for the risk matrix.

use vigie_core::learn::risk::ContainerFacts;

use super::Docker;
use crate::runtime::RuntimeError;

impl Docker {
    /// How a service's container and its image were made; `None` when it has none.
    ///
    /// # Errors
    /// When the engine does not tell.
    pub async fn facts(&self, service: &str) -> Result<Option<ContainerFacts>, RuntimeError> {
        let Some((_, seen)) = self.look(service).await? else { return Ok(None) };
        let host = seen.host_config.unwrap_or_default();
        let policy = host.restart_policy.and_then(|policy| policy.name);
        let image = seen.config.as_ref().and_then(|config| config.image.clone());
        let mut digests = Vec::new();
        if let Some(runs) = &seen.image {
            let docker = self.engine.docker().await?;
            let asked = docker.inspect_image(runs);
            let made = self.engine.limit("asking for the image of", service, asked).await?;
            digests = made.repo_digests.unwrap_or_default();
        }
        Ok(Some(ContainerFacts {
            restart: policy.map(|policy| policy.to_string()).unwrap_or_default(),
            memory_limit: host
                .memory
                .and_then(|bytes| u64::try_from(bytes).ok())
                .filter(|b| *b > 0),
            healthcheck: super::inspect::has_healthcheck(seen.state.as_ref()),
            image: image.unwrap_or_default(),
            digests,
        }))
    }
}
