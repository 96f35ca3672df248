//! What a command costs: time, CPU of all of its processes, and the most memory that they had at once.
//! Work that the engine does for it is in the time and not in the CPU.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use vigie_testkit::lab::run;

use crate::bench::figures::percentile;

/// Between two looks at the memory.
const LOOK: Duration = Duration::from_millis(20);
/// `USER_HZ`, which is 100 on every Linux that Debian ships.
const TICKS_PER_SECOND: f64 = 100.0;
const MIB: f64 = 1_048_576.0;

/// The figures of one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Seconds.
    pub(super) wall: f64,
    /// Seconds of one core.
    pub(super) cpu: f64,
    /// MiB.
    pub(super) memory: f64,
}

/// What one program cost in all rounds.
#[derive(Debug, Default)]
pub(super) struct Series {
    pub(super) first: Vec<Cost>,
    pub(super) second: Vec<Cost>,
    pub(super) restore: Vec<Cost>,
    /// An image out of the repository into a file, before the engine gets it.
    pub(super) archive: Vec<Cost>,
    /// MiB that are kept after the first and after the second.
    pub(super) sizes: Vec<(f64, f64)>,
}

impl Series {
    /// A row of a table, by its medians.
    pub(super) fn row(&self, name: &str) -> String {
        let median = |of: fn(&(f64, f64)) -> f64| {
            percentile(&self.sizes.iter().map(of).collect::<Vec<_>>(), 0.5)
        };
        format!(
            "| {name} | {} | {} | {} | {:.0}, {:.0} |",
            shown(&self.first),
            shown(&self.second),
            shown(&self.restore),
            median(|one| one.0),
            median(|one| one.1)
        )
    }
}

/// Runs `command` to its end.
///
/// # Errors
/// When it fails, with what it said last.
pub(super) fn measured(command: &mut Command) -> Result<Cost> {
    let said = tempfile::tempfile().context("no temporary file")?;
    let before = children()?;
    let begun = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said.try_clone()?);
    let mut child =
        command.spawn().with_context(|| format!("cannot run {}", run::shown(command)))?;
    let mut memory = 0_u64;
    let status = loop {
        memory = memory.max(together(child.id()));
        match child.try_wait()? {
            Some(status) => break status,
            None => std::thread::sleep(LOOK),
        }
    };
    let wall = begun.elapsed().as_secs_f64();
    if !status.success() {
        bail!("{} failed: {}", run::shown(command), last(said));
    }
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let (cpu, memory) = ((children()? - before) as f64 / TICKS_PER_SECOND, memory as f64 / 1024.0);
    Ok(Cost { wall, cpu, memory })
}

fn last(mut said: fs::File) -> String {
    use std::io::{Read as _, Seek as _};
    let mut text = String::new();
    let read = said.rewind().and_then(|()| said.read_to_string(&mut text));
    let lines: Vec<_> = text.lines().rev().take(5).collect();
    read.map(|_| lines.into_iter().rev().collect::<Vec<_>>().join(" / ")).unwrap_or_default()
}

/// CPU ticks of all children of this process that ended.
fn children() -> Result<u64> {
    let stat = fs::read_to_string("/proc/self/stat").context("no /proc")?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    Ok(fields.skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum())
}

/// KiB that a process and everything below it have now.
fn together(root: u32) -> u64 {
    let mut below: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        if let Some(parent) = fields.nth(1).and_then(|field| field.parse().ok()) {
            below.entry(parent).or_default().push(pid);
        }
    }
    let (mut all, mut open) = (0, vec![root]);
    while let Some(pid) = open.pop() {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        all +=
            line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0);
        open.extend(below.get(&pid).into_iter().flatten());
    }
    all
}

/// MiB on the disk below a path.
pub(super) fn used(at: &Path) -> Result<f64> {
    let mut du = Command::new("du");
    let text = run::text(du.args(["--summarize", "--block-size=1"]).arg(at))?;
    let bytes = text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
    Ok(bytes.context("du said no size")? / MIB)
}

/// `wall / CPU / memory` by their medians.
pub(super) fn shown(costs: &[Cost]) -> String {
    if costs.is_empty() {
        return String::from("–");
    }
    let median = |of: fn(&Cost) -> f64| percentile(&costs.iter().map(of).collect::<Vec<_>>(), 0.5);
    format!(
        "{:.1} / {:.1} / {:.0}",
        median(|one| one.wall),
        median(|one| one.cpu),
        median(|one| one.memory)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_processes_of_a_command_are_counted() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done & wait; sleep 0.1"]);
        let cost = measured(&mut shell).unwrap();
        assert!(cost.cpu > 0.0 && cost.wall >= 0.1 && cost.memory > 0.1, "{cost:?}");
        let failed = measured(Command::new("sh").args(["-c", "echo why >&2; false"])).unwrap_err();
        assert!(failed.to_string().contains("why"), "{failed}");
    }
}
