//! Does: brings images to a registry and back, through the engine, with what is needed to log in from
//! Docker's own configuration. What was pushed is asked for again: only the registry knows what it has.

mod logins;

use std::time::Duration;

use bollard::auth::DockerCredentials;
use bollard::errors::Error;
use bollard::query_parameters::{CreateImageOptionsBuilder, PushImageOptionsBuilder};
use futures_util::{Stream, StreamExt};
use vigie_core::compose::ImageName;

use super::{Docker, says_no};
use crate::runtime::RuntimeError;

pub use logins::Logins;

/// Silence after which a transfer counts as broken off.
const SILENCE: Duration = Duration::from_secs(600);
/// How long a registry may take to say what it has.
const ASKED: Duration = Duration::from_secs(15);
/// Pauses before it is tried again.
const AGAIN: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(15)];
/// What the engine says of a registry that may answer later.
const TRANSIENT: [&str; 14] = [
    "connection refused",
    "connection reset",
    "broken pipe",
    "timeout",
    "timed out",
    "eof",
    "no such host",
    "network is unreachable",
    "temporary failure",
    "too many requests",
    "toomanyrequests",
    "500 internal",
    "502 bad gateway",
    "503 service",
];

/// How far one layer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Its short id; none in a push, of which the engine's library tells no ids.
    pub layer: Option<String>,
    /// Bytes that were moved.
    pub done: u64,
    /// Bytes that there are, where the engine knows.
    pub total: Option<u64>,
}

impl Docker {
    /// Pushes the image `reference` to its registry; the digest by which the registry has it then.
    ///
    /// # Errors
    /// When the registry does not take it, or has something else afterwards.
    pub async fn push(
        &self,
        reference: &str,
        logins: &Logins,
        mut progress: impl FnMut(Transfer) + Send,
    ) -> Result<String, RuntimeError> {
        const WHAT: &str = "pushing";
        let name = named(WHAT, reference)?;
        let login =
            logins.of(&name.repository).await.map_err(|why| says_no(WHAT, reference, why))?;
        let tag = name.tag.clone().unwrap_or_else(|| String::from("latest"));
        for pause in AGAIN.iter().map(Some).chain([None]) {
            let docker = self.engine.docker_for(SILENCE).await?;
            let options = PushImageOptionsBuilder::new().tag(&tag).build();
            let pushed = docker.push_image(&name.repository, Some(options), Some(login.clone()));
            let pushed = pushed.map(|said| {
                said.map(|said| {
                    let detail = said.progress_detail.unwrap_or_default();
                    (None, detail.current, detail.total)
                })
            });
            if self.moved(WHAT, reference, pushed, pause, &mut progress).await? {
                return self.has(reference, &name, login).await;
            }
        }
        Err(says_no(WHAT, reference, "the registry does not answer; try again later"))
    }

    /// Pulls the image `reference`; the digest by which the registry has it.
    ///
    /// # Errors
    /// When the registry does not give it.
    pub async fn pull(
        &self,
        reference: &str,
        logins: &Logins,
        mut progress: impl FnMut(Transfer) + Send,
    ) -> Result<String, RuntimeError> {
        const WHAT: &str = "pulling";
        let name = named(WHAT, reference)?;
        let login =
            logins.of(&name.repository).await.map_err(|why| says_no(WHAT, reference, why))?;
        let whole = match (&name.tag, &name.digest) {
            (None, None) => format!("{reference}:latest"),
            _ => reference.to_owned(),
        };
        for pause in AGAIN.iter().map(Some).chain([None]) {
            let docker = self.engine.docker_for(SILENCE).await?;
            let options = CreateImageOptionsBuilder::new().from_image(&whole).build();
            let pulled = docker.create_image(Some(options), None, Some(login.clone()));
            let pulled = pulled.map(|said| {
                said.map(|said| {
                    let detail = said.progress_detail.unwrap_or_default();
                    (said.id, detail.current, detail.total)
                })
            });
            if self.moved(WHAT, reference, pulled, pause, &mut progress).await? {
                return self.has(reference, &name, login).await;
            }
        }
        Err(says_no(WHAT, reference, "the registry does not answer; try again later"))
    }

    /// Whether the registry has `reference` now; one that does not answer does not.
    pub async fn registry_has(&self, reference: &str) -> bool {
        let asked = async {
            let name = named("asking for", reference).ok()?;
            let login = Logins::usual().of(&name.repository).await.ok()?;
            let docker = self.engine.docker().await.ok()?;
            docker.inspect_registry_image(reference, Some(login)).await.ok()
        };
        tokio::time::timeout(ASKED, asked).await.ok().flatten().is_some()
    }

    /// Follows a transfer to its end. False when it is worth another try, behind the pause.
    async fn moved(
        &self,
        what: &'static str,
        reference: &str,
        said: impl Stream<Item = Result<Said, Error>>,
        pause: Option<&Duration>,
        progress: &mut (impl FnMut(Transfer) + Send),
    ) -> Result<bool, RuntimeError> {
        let mut said = std::pin::pin!(said);
        let why = loop {
            match tokio::time::timeout(SILENCE, said.next()).await {
                Ok(None) => return Ok(true),
                Ok(Some(Ok((layer, done, total)))) => {
                    if let Some(transfer) = transfer(layer, done, total) {
                        progress(transfer);
                    }
                }
                Ok(Some(Err(Error::DockerStreamError { error })))
                | Ok(Some(Err(Error::DockerResponseServerError { message: error, .. }))) => {
                    break error;
                }
                Ok(Some(Err(error))) => return Err(self.engine.explain(what, reference, &error)),
                Err(_) => break String::from("timeout: nothing was moved for ten minutes"),
            }
        };
        match pause {
            Some(pause) if is_transient(&why) => {
                tracing::warn!(reference, why, "{what} is tried again");
                tokio::time::sleep(*pause).await;
                Ok(false)
            }
            _ => Err(says_no(what, reference, advice(&why))),
        }
    }

    /// The digest of `reference` in the registry, which has to be that of the engine's image.
    async fn has(
        &self,
        reference: &str,
        name: &ImageName,
        login: DockerCredentials,
    ) -> Result<String, RuntimeError> {
        const WHAT: &str = "checking";
        let docker = self.engine.docker_for(SILENCE).await?;
        let asked = docker.inspect_registry_image(reference, Some(login));
        let there = self.engine.within(SILENCE, WHAT, reference, asked).await?;
        let there = there.descriptor.digest.unwrap_or_default();
        let here = docker.inspect_image(reference);
        let here = self.engine.limit(WHAT, reference, here).await?.repo_digests.unwrap_or_default();
        let here: Vec<_> = here
            .iter()
            .filter_map(|one| ImageName::parse(one))
            .filter(|one| short(&one.repository) == short(&name.repository))
            .filter_map(|one| one.digest)
            .collect();
        if !there.is_empty() && here.contains(&there) {
            return Ok(there);
        }
        let why = format!(
            "the registry has {there}, and the engine {}; push it again",
            here.first().map_or("nothing from there", String::as_str)
        );
        Err(says_no(WHAT, reference, why))
    }
}

/// Layer, bytes moved, bytes in all.
type Said = (Option<String>, Option<i64>, Option<i64>);

fn named(what: &'static str, reference: &str) -> Result<ImageName, RuntimeError> {
    ImageName::parse(reference).ok_or_else(|| says_no(what, reference, "this is no image's name"))
}

fn transfer(layer: Option<String>, done: Option<i64>, total: Option<i64>) -> Option<Transfer> {
    let positive = |bytes: i64| u64::try_from(bytes).ok().filter(|bytes| *bytes > 0);
    let done = done.and_then(positive)?;
    Some(Transfer { layer, done, total: total.and_then(positive) })
}

/// A repository's name as the engine writes it: without what the Docker Hub adds.
fn short(repository: &str) -> &str {
    let name = repository.strip_prefix("docker.io/").unwrap_or(repository);
    name.strip_prefix("library/").unwrap_or(name)
}

fn is_transient(why: &str) -> bool {
    let why = why.to_ascii_lowercase();
    TRANSIENT.iter().any(|word| why.contains(word))
}

/// What the engine says, and what to try.
fn advice(why: &str) -> String {
    let lower = why.to_ascii_lowercase();
    let login = ["unauthorized", "denied", "no basic auth", "authentication"];
    if login.iter().any(|word| lower.contains(word)) {
        format!("{why}; try: docker login")
    } else {
        why.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for why in [
            "dial tcp 127.0.0.1:1: connect: connection refused",
            "received: 503 Service Unavailable",
        ] {
            assert!(is_transient(why), "{why}");
        }
        for why in ["denied: requested access", "no basic auth credentials", "manifest unknown"] {
            assert!(!is_transient(why), "{why}");
        }
        assert!(advice("no basic auth credentials").ends_with("docker login"));
    }

    #[test]
    fn a_transfer_has_bytes() {
        assert_eq!(transfer(Some("ab".into()), None, None), None);
        let moved = transfer(Some("ab".into()), Some(5), Some(9));
        assert_eq!(moved, Some(Transfer { layer: Some("ab".into()), done: 5, total: Some(9) }));
    }
}
