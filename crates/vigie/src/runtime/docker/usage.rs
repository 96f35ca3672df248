//! Does: a container's resource use. Percentages need two samples: the last one is kept.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use bollard::models::ContainerStatsResponse;
use bollard::query_parameters::StatsOptionsBuilder;
use futures_util::StreamExt;

use super::engine::Engine;
use super::{inspect, says_no};
use crate::runtime::{RuntimeError, Usage};

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    cpu_ns: u64,
    // Cores that the limit allows, and bytes.
    cores: f64,
    memory: Option<u64>,
}

/// The last sample of each container.
#[derive(Debug, Default)]
pub(super) struct Samples {
    last: Mutex<HashMap<String, Sample>>,
}

impl Samples {
    pub(super) async fn take(
        &self,
        engine: &Engine,
        service: &str,
        id: &str,
    ) -> Result<Option<Usage>, RuntimeError> {
        let before = self.last.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied();
        let limits = match before {
            Some(before) => Some((before.cores, before.memory)),
            None => limits(engine, service, id).await?,
        };
        let Some((cores, memory)) = limits else { return Ok(None) };
        let docker = engine.docker().await?;
        let options = StatsOptionsBuilder::new().stream(false).one_shot(true).build();
        let mut stream = Box::pin(docker.stats(id, Some(options)));
        let first = async { stream.next().await.transpose() };
        let stats = match engine.limit("measuring", service, first).await {
            Ok(stats) => stats,
            // Gone in between.
            Err(RuntimeError::Refused { .. }) => None,
            Err(error) => return Err(error),
        };
        let Some((cpu_ns, mem_bytes)) = stats.as_ref().and_then(used) else {
            self.last.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
            return Ok(None);
        };
        let now = Sample { at: Instant::now(), cpu_ns, cores, memory };
        self.last.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), now);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "a percentage"
        )]
        let cpu_pct = before.and_then(|before| {
            let wall = now.at.duration_since(before.at).as_nanos().max(1) as f64;
            // Less than before: it was restarted in between, and counts from zero.
            let used = cpu_ns.checked_sub(before.cpu_ns)?;
            Some((used as f64 / wall / cores * 100.0) as f32)
        });
        Ok(Some(Usage { cpu_pct, mem_bytes, mem_limit: memory }))
    }
}

/// Nanoseconds of CPU and bytes without page cache; nothing for a container that does not run.
fn used(stats: &ContainerStatsResponse) -> Option<(u64, u64)> {
    let cpu = stats.cpu_stats.as_ref()?.cpu_usage.as_ref()?.total_usage?;
    let memory = stats.memory_stats.as_ref()?;
    let usage = memory.usage?;
    let cache = memory
        .stats
        .as_ref()
        .and_then(|stats| stats.get("total_inactive_file").or_else(|| stats.get("inactive_file")));
    Some((cpu, usage.saturating_sub(cache.copied().unwrap_or(0))))
}

/// Cores and bytes that the container may use.
async fn limits(
    engine: &Engine,
    service: &str,
    id: &str,
) -> Result<Option<(f64, Option<u64>)>, RuntimeError> {
    let Some(seen) = inspect::container(engine, service, id).await? else { return Ok(None) };
    let host =
        seen.host_config.ok_or_else(|| says_no("measuring", service, "no limits are told"))?;
    #[expect(clippy::cast_precision_loss, reason = "cores")]
    let cores = match (host.nano_cpus.unwrap_or(0), host.cpu_quota.unwrap_or(0)) {
        (nano, _) if nano > 0 => nano as f64 / 1e9,
        (_, quota) if quota > 0 => {
            quota as f64 / host.cpu_period.filter(|p| *p > 0).unwrap_or(100_000) as f64
        }
        _ => 1.0,
    };
    let memory = host.memory.and_then(|bytes| u64::try_from(bytes).ok()).filter(|bytes| *bytes > 0);
    Ok(Some((cores, memory)))
}
