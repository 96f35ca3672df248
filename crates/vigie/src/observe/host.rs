//! Does: the host's own memory and disks. A disk that does not answer (a network file system whose
//! server is gone) holds nobody up; its use is then not known.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use vigie_core::observe::Fact;

use super::Eyes;
use crate::runtime::aside::aside;

const EVERY: Duration = Duration::from_secs(2);
/// How long a disk may take to tell its use.
const LIMIT: Duration = Duration::from_secs(2);

/// One look at the host.
#[derive(Debug, Clone, PartialEq)]
pub struct HostLook {
    /// Percent of memory available.
    pub memory_available_pct: Option<f32>,
    /// Bytes of memory.
    pub memory_total: u64,
    /// Percent used and path of the fullest of the disks asked for.
    pub disk: Option<(f32, String)>,
    /// What did not answer in time.
    pub silent: Vec<String>,
}

/// Looks at the host now.
pub async fn look(disks: &[PathBuf]) -> HostLook {
    look_with(disks, LIMIT, used_pct).await
}

async fn look_with(
    disks: &[PathBuf],
    limit: Duration,
    used_pct: fn(&Path) -> Option<f32>,
) -> HostLook {
    // In a container it can be a file system of somebody else's making.
    let memory = async {
        let name = "the host's memory";
        let read = || std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        aside(name, limit, read).await.ok_or(name.to_owned())
    };
    let used = disks.iter().map(|path| async {
        let name = format!("the disk of {}", path.display());
        let at = path.clone();
        aside(&name, limit, move || used_pct(&at)).await.ok_or(name)
    });
    let (memory, used) = tokio::join!(memory, futures_util::future::join_all(used));
    let mut silent = Vec::new();
    let text = memory.unwrap_or_else(|name| {
        silent.push(name);
        String::new()
    });
    let value = |name: &str| -> Option<u64> {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    let total = value("MemTotal:").unwrap_or(0);
    let known = used.into_iter().map(|used| {
        used.unwrap_or_else(|name| {
            silent.push(name);
            None
        })
    });
    let fullest: Vec<_> = known.zip(disks).filter_map(|(pct, path)| Some((pct?, path))).collect();
    let fullest = fullest.into_iter().max_by(|a, b| a.0.total_cmp(&b.0));
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    let available = value("MemAvailable:")
        .filter(|_| total > 0)
        .map(|available| available as f32 * 100.0 / total as f32);
    HostLook {
        memory_available_pct: available,
        memory_total: total * 1024,
        disk: fullest.map(|(pct, path)| (pct, path.display().to_string())),
        silent,
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
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut told = 0.0;
    while eyes.stop.run_until_cancelled(beat.tick()).await.is_some() {
        let seen = look(&eyes.config.file.host.disks).await;
        let memory = seen.memory_available_pct.map(|pct| Fact::HostMemory { available_pct: pct });
        // The disk that does not answer may be the fullest one: what is better than before is not
        // known then, and ends nothing.
        let known = seen.disk.filter(|(pct, _)| seen.silent.is_empty() || *pct >= told);
        let disk = known.map(|(used_pct, mount)| {
            told = used_pct;
            Fact::HostDisk { used_pct, mount: Arc::from(mount) }
        });
        for fact in [memory, disk].into_iter().flatten() {
            if eyes.handle.saw(&eyes.clock, host, fact).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk whose server is gone, and one that works.
    fn one_hangs(path: &Path) -> Option<f32> {
        if path.ends_with("gone") {
            std::thread::sleep(Duration::from_secs(3));
        }
        Some(10.0)
    }

    #[tokio::test]
    async fn a_disk_that_does_not_answer_holds_nobody_up() {
        let disks = ["/gone", "/var"].map(PathBuf::from);
        let limit = Duration::from_millis(500);
        let begun = std::time::Instant::now();
        for _ in 0..2 {
            let seen = look_with(&disks, limit, one_hangs).await;
            assert_eq!(seen.silent, ["the disk of /gone"]);
            assert_eq!(seen.disk, Some((10.0, String::from("/var"))));
            assert!(seen.memory_available_pct.is_some());
        }
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn the_root_disk_is_known() {
        let seen = look(&[PathBuf::from("/")]).await;
        assert!(seen.disk.is_some_and(|(pct, _)| (0.0..=100.0).contains(&pct)));
        assert_eq!(seen.silent, Vec::<String>::new());
    }
}
