//! Does: asks the engine what it knows of images, for the doctor. Pulls nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use vigie_core::doctor::ImageFacts;

use super::engine::{Engine, is_missing};
use crate::runtime::RuntimeError;

/// Nobody waits long for what is only a part of the picture.
const LIMIT: Duration = Duration::from_secs(3);

/// What the engine at `host` knows of `names`; those that it does not have are left out.
///
/// # Errors
/// When it cannot be reached.
pub async fn images(
    host: Option<&str>,
    names: impl IntoIterator<Item = String>,
) -> Result<BTreeMap<String, ImageFacts>, RuntimeError> {
    let mut engine = Engine::at(host)?;
    engine.limit = LIMIT;
    let docker = engine.docker().await?;
    let mut known = BTreeMap::new();
    for name in names {
        let asked = tokio::time::timeout(LIMIT, docker.inspect_image(&name)).await;
        let image = match asked {
            Ok(Ok(image)) => image,
            Ok(Err(error)) if is_missing(&error) => continue,
            Ok(Err(error)) => {
                // A name that is none says nothing of the others.
                let error = engine.explain("asking for the image", &name, &error);
                if error.is_lost() {
                    return Err(error);
                }
                continue;
            }
            Err(_) => break,
        };
        let config = image.config.unwrap_or_default();
        let healthcheck = config.healthcheck.and_then(|check| check.test).unwrap_or_default();
        let words = healthcheck.into_iter().filter(|word| word != "NONE");
        let facts = ImageFacts {
            digests: image.repo_digests.unwrap_or_default(),
            healthcheck: words.collect(),
            directory: config.working_dir.filter(|directory| directory.len() > 1),
        };
        known.insert(name, facts);
    }
    Ok(known)
}
