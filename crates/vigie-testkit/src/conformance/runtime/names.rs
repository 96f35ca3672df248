//! A service is named by its name in the stack.

use anyhow::{Result, ensure};
use vigie::runtime::RuntimeError;
use vigie_core::observe::RuntimeState;

use super::RuntimeSubject;

const NOBODY: &str = "no-such-service";

/// Inspecting it is an answer; wanting something of it is an error that names what there is.
pub(super) async fn a_service_that_does_not_exist(subject: &dyn RuntimeSubject) -> Result<()> {
    let runtime = subject.runtime();
    ensure!(runtime.inspect(NOBODY).await?.state == RuntimeState::Missing, "it must be Missing");
    let answers = [
        ("up", runtime.up(NOBODY, false).await),
        ("restart", runtime.restart(NOBODY, false).await),
        ("stop", runtime.stop(NOBODY).await),
        ("usage", runtime.usage(NOBODY).await.map(drop)),
        ("logs", runtime.logs(NOBODY, None).await.map(drop)),
        ("tail", runtime.tail(NOBODY, 1).await.map(drop)),
        ("drift", runtime.drift(NOBODY).await.map(drop)),
    ];
    for (call, answer) in answers {
        let unknown = matches!(&answer, Err(RuntimeError::Unknown { known, .. })
            if known.contains(subject.service()));
        ensure!(unknown, "{call} of an unknown service gives {answer:?}");
    }
    ensure!(!runtime.ping().await?.is_empty(), "ping must tell a version");
    Ok(())
}
