//! What the engine is asked, by an engine that writes it down. The contract itself is tested on real
//! ones.

use std::time::Duration;

use bollard::models::{ContainerConfig, ContainerInspectResponse};

use super::fake_engine::{FakeEngine, STOP_TIMEOUT};
use super::{Runtime, inspect};

#[tokio::test]
async fn a_container_ends_in_its_own_time() {
    let engine = FakeEngine::start();
    let docker = engine.docker(Duration::from_secs(10));
    docker.stop("gmod").await.unwrap();
    docker.restart("gmod", false).await.unwrap();
    let asked = engine.asked("POST");
    assert_eq!(asked.len(), 2, "{asked:?}");
    for (line, what) in asked.iter().zip(["/stop", "/restart"]) {
        assert!(line.contains(what) && !line.contains("t="), "a time was given: {line}");
    }
}

#[test]
fn the_time_for_an_end_is_the_containers_own_and_more() {
    let limit = |stop_timeout| {
        let config = ContainerConfig { stop_timeout, ..ContainerConfig::default() };
        let seen = ContainerInspectResponse { config: Some(config), ..Default::default() };
        inspect::end_limit(&seen).as_secs()
    };
    assert_eq!(limit(None), 45);
    assert_eq!(limit(Some(i64::from(STOP_TIMEOUT))), 125);
    // The core gives a step 180 s.
    assert_eq!(limit(Some(1_000)), 170);
    assert_eq!(limit(Some(-1)), 170);
}
