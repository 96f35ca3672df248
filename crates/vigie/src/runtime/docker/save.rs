//! Does: takes an image out of the engine as a stream and brings one in, and holds a container still.

use bytes::Bytes;
use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::sync::mpsc;

use super::Docker;
use crate::runtime::RuntimeError;

/// A large image takes its time.
const LIMIT: Duration = Duration::from_secs(4 * 3600);

impl Docker {
    /// Writes the image called `reference` into `output`, as `docker save` does: its layers, its
    /// configuration and its names.
    ///
    /// # Errors
    /// What the engine says, or that nobody takes the output.
    pub async fn save(
        &self,
        reference: &str,
        output: mpsc::Sender<Bytes>,
    ) -> Result<(), RuntimeError> {
        let docker = self.engine.docker_for(LIMIT).await?;
        let mut pieces = docker.export_image(reference);
        while let Some(piece) = pieces.next().await {
            let piece = piece
                .map_err(|error| self.engine.explain("saving the image", reference, &error))?;
            if output.send(piece).await.is_err() {
                let why = String::from("nobody takes it any more");
                return Err(RuntimeError::Refused {
                    what: "saving the image",
                    service: reference.into(),
                    why,
                });
            }
        }
        Ok(())
    }

    /// Brings an image in, as `docker load` does.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn load(
        &self,
        input: impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static,
    ) -> Result<(), RuntimeError> {
        let docker = self.engine.docker_for(LIMIT).await?;
        let options =
            bollard::query_parameters::ImportImageOptions { quiet: true, ..Default::default() };
        let mut told = docker.import_image_stream(options, input, None);
        while let Some(told) = told.next().await {
            let told = told.map_err(|error| self.engine.explain("loading", "the image", &error))?;
            if let Some(why) = told.error_detail.and_then(|detail| detail.message) {
                return Err(RuntimeError::Refused {
                    what: "loading",
                    service: String::from("the image"),
                    why,
                });
            }
        }
        Ok(())
    }

    /// Holds every process of the service's container still.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn pause(&self, service: &str) -> Result<(), RuntimeError> {
        let (id, _) = self.existing_seen("pausing", service).await?;
        let docker = self.engine.docker().await?;
        self.engine.limit("pausing", service, docker.pause_container(&id)).await
    }

    /// Lets them go on.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn unpause(&self, service: &str) -> Result<(), RuntimeError> {
        let (id, _) = self.existing_seen("unpausing", service).await?;
        let docker = self.engine.docker().await?;
        self.engine.limit("unpausing", service, docker.unpause_container(&id)).await
    }
}
