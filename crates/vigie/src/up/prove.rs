//! Does: waits until a service is well as players see it: its runtime says so, and every way of looking
//! at it that the configuration has is answered, twice.

use std::time::{Duration, Instant};

use vigie_core::observe::{Health, Inspection, RuntimeState};
use vigie_core::stack::ServiceId;

use crate::config::Config;
use crate::diagnose::{CREDENTIALS, ProbeReport, probe};
use crate::runtime::Runtime;

const BETWEEN: Duration = Duration::from_secs(1);
/// Looks in a row that count: a server that dies at its first tick has answered once.
const ENOUGH: u32 = 2;
/// Refused logins in a row after which nobody asks again: a game server bans the asker at five.
const REFUSED: u32 = 2;
/// Looks at a process that has ended and is not started again by its runtime.
const ENDED: u32 = 3;

/// Waits until `service` is well, at most `limit`; what its proofs say.
///
/// # Errors
/// Why it is not, in words.
pub async fn prove(
    config: &Config,
    runtime: &dyn Runtime,
    service: ServiceId,
    limit: Duration,
) -> Result<Vec<String>, String> {
    let name = &config.stack.service(service).name;
    let Some(file) = config.file.service.get(name) else { return Ok(Vec::new()) };
    let end = Instant::now() + limit;
    let (mut well, mut refused, mut ended) = (0, 0, 0);
    loop {
        let seen = runtime.inspect(name).await;
        let why = match &seen {
            Ok(seen) => not_running(seen),
            Err(error) => Some(error.to_string()),
        };
        let over = seen.as_ref().is_ok_and(has_ended);
        ended = if over { ended + 1 } else { 0 };
        let (why, says) = match why {
            Some(why) => (Some(why), Vec::new()),
            None => {
                let looks = probe(config, file).await;
                let no = looks.iter().any(|look| !look.ok && look.says == CREDENTIALS);
                refused = if no { refused + 1 } else { 0 };
                (silent(&looks), looks.iter().map(told).collect())
            }
        };
        well = if why.is_none() { well + 1 } else { 0 };
        match why {
            None if well >= ENOUGH => return Ok(says),
            Some(why) if refused >= REFUSED || ended >= ENDED => return Err(why),
            Some(why) if Instant::now() >= end => {
                return Err(format!("{why} (after {} s)", limit.as_secs()));
            }
            _ => tokio::time::sleep(BETWEEN).await,
        }
    }
}

/// Why the runtime's own word is not enough.
fn not_running(seen: &Inspection) -> Option<String> {
    if seen.state != RuntimeState::Running {
        let code = seen.exit_code.map(|code| format!(", exit code {code}")).unwrap_or_default();
        return Some(format!("it is {}{code}", seen.state.word()));
    }
    match seen.health {
        Health::None | Health::Healthy => None,
        Health::Starting => Some(String::from("its health check has not passed yet")),
        Health::Unhealthy => Some(String::from("its health check fails")),
    }
}

/// Whether nobody but a person will start it again.
fn has_ended(seen: &Inspection) -> bool {
    matches!(seen.state, RuntimeState::Exited | RuntimeState::Missing) && !seen.restarts_itself
}

fn silent(looks: &[ProbeReport]) -> Option<String> {
    looks.iter().find(|look| !look.ok).map(told)
}

fn told(look: &ProbeReport) -> String {
    format!("{}: {}", look.probe, look.says)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_is_not_well_while_the_health_check_says_no() {
        let seen = |state, health| Inspection { state, health, ..Inspection::default() };
        assert_eq!(not_running(&seen(RuntimeState::Running, Health::None)), None);
        assert_eq!(not_running(&seen(RuntimeState::Running, Health::Healthy)), None);
        assert!(not_running(&seen(RuntimeState::Running, Health::Starting)).is_some());
        assert!(not_running(&seen(RuntimeState::Running, Health::Unhealthy)).is_some());
        let ended = Inspection { exit_code: Some(1), ..seen(RuntimeState::Exited, Health::None) };
        assert_eq!(not_running(&ended).unwrap(), "it is exited, exit code 1");
        assert!(has_ended(&ended));
        assert!(!has_ended(&Inspection { restarts_itself: true, ..ended }));
    }
}
