//! Does: the host's own memory and disks.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vigie_core::observe::Fact;

use super::Eyes;

const EVERY: Duration = Duration::from_secs(2);

/// One look at the host.
#[derive(Debug, Clone, PartialEq)]
pub struct HostLook {
    /// Percent of memory available.
    pub memory_available_pct: Option<f32>,
    /// Bytes of memory.
    pub memory_total: u64,
    /// Percent used and path of the fullest of the disks asked for.
    pub disk: Option<(f32, String)>,
}

/// Looks at the host now.
#[must_use]
pub fn look(disks: &[std::path::PathBuf]) -> HostLook {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let value = |name: &str| -> Option<u64> {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    let total = value("MemTotal:").unwrap_or(0);
    let fullest = disks.iter().filter_map(|path| Some((used_pct(path)?, path)));
    let fullest = fullest.max_by(|a, b| a.0.total_cmp(&b.0));
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    let available = value("MemAvailable:")
        .filter(|_| total > 0)
        .map(|available| available as f32 * 100.0 / total as f32);
    HostLook {
        memory_available_pct: available,
        memory_total: total * 1024,
        disk: fullest.map(|(pct, path)| (pct, path.display().to_string())),
    }
}

fn used_pct(path: &Path) -> Option<f32> {
    let disk = rustix::fs::statvfs(path).ok()?;
    // As `df` counts: of what a normal user could use.
    let used = disk.f_blocks.saturating_sub(disk.f_bfree);
    let usable = used + disk.f_bavail;
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    let pct = (usable > 0).then(|| used as f32 * 100.0 / usable as f32);
    pct
}

pub(super) async fn watch(eyes: Eyes) {
    let host = eyes.config.stack.host();
    let mut beat = tokio::time::interval(EVERY);
    while eyes.stop.run_until_cancelled(beat.tick()).await.is_some() {
        let seen = look(&eyes.config.file.host.disks);
        let memory = seen.memory_available_pct.map(|pct| Fact::HostMemory { available_pct: pct });
        let disk =
            seen.disk.map(|(used_pct, mount)| Fact::HostDisk { used_pct, mount: Arc::from(mount) });
        for fact in [memory, disk].into_iter().flatten() {
            if eyes.handle.saw(&eyes.clock, host, fact).await.is_err() {
                return;
            }
        }
    }
}
