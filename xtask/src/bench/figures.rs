//! Medians and percentiles of a few measurements, and what a process uses, from `/proc`.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// The value below which `part` (0 to 1) of the measurements lie, by the nearest rank.
pub(super) fn percentile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rank within the length"
    )]
    let rank = (part * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

/// `median / p95` in seconds, as a table shows it.
pub(super) fn shown(values: &[f64]) -> String {
    if values.is_empty() {
        return String::from("–");
    }
    format!("{:.2} s / {:.2} s", percentile(values, 0.5), percentile(values, 0.95))
}

/// What a process and its children use at rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    /// Resident memory, in MiB.
    pub(super) rss: f64,
    /// CPU, in percent of one core.
    pub(super) cpu: f64,
}

/// Watches the process `pid` for `time`.
pub(super) fn at_rest(pid: u32, time: Duration) -> Result<Rest> {
    let begun = (Instant::now(), ticks(pid)?);
    std::thread::sleep(time);
    let used = ticks(pid)?.saturating_sub(begun.1);
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let cpu = used as f64 / TICKS_PER_SECOND * 100.0 / begun.0.elapsed().as_secs_f64();
    Ok(Rest { rss: rss(pid)?, cpu })
}

/// `USER_HZ`, which is 100 on every Linux that Debian ships.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU ticks of the process and of those of its children that ended.
fn ticks(pid: u32) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    let stat = stat.with_context(|| format!("process {pid} has ended"))?;
    // The name in brackets may hold blanks.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    Ok(fields.skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum())
}

fn rss(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"));
    let status = status.with_context(|| format!("process {pid} has ended"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    Ok(kib.context("no VmRSS")? / 1024.0)
}

/// The machine in one line, for beside the figures.
pub(super) fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let count = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let total = total.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let model = model.map_or("unknown CPU", |(_, model)| model);
    let gib = total.unwrap_or_default() / (1 << 20);
    format!("{count} cores of {model}, {gib} GiB, Linux {}", kernel.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let values: Vec<f64> = (1..=20).map(f64::from).collect();
        assert!((percentile(&values, 0.5) - 10.0).abs() < f64::EPSILON);
        assert!((percentile(&values, 0.95) - 19.0).abs() < f64::EPSILON);
        assert!((percentile(&values[..1], 0.95) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn this_process_uses_memory() {
        let rest = at_rest(std::process::id(), Duration::from_millis(1)).unwrap();
        assert!(rest.rss > 0.5, "{rest:?}");
    }
}
