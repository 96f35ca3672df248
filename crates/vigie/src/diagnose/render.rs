//! Does: the report as text, what is wrong first.

use std::fmt::Write;

use vigie_core::observe::{Health, RuntimeState};

use super::{Diagnosis, ServiceReport};
use crate::report::ago;
use crate::text::size;

/// What is wrong, one line each.
pub(super) fn findings(diagnosis: &Diagnosis) -> Vec<String> {
    let mut findings = Vec::new();
    if let Some(error) = &diagnosis.runtime.error {
        findings.push(error.clone());
    }
    for service in &diagnosis.services {
        of_service(service, &mut findings);
    }
    if let Some(pct) = diagnosis.host.memory_available_pct.filter(|pct| *pct < 10.0) {
        findings.push(format!("the host has only {pct:.0} % of its memory available"));
    }
    if let Some(pct) = diagnosis.host.disk_used_pct.filter(|pct| *pct > 85.0) {
        findings.push(format!("a disk of the host is {pct:.0} % full"));
    }
    findings
}

fn of_service(service: &ServiceReport, findings: &mut Vec<String>) {
    let name = &service.name;
    if let Some(seen) = &service.inspection {
        if seen.state != RuntimeState::Running {
            let code =
                seen.exit_code.map_or_else(String::new, |code| format!(", exit code {code}"));
            findings.push(format!("{name} is {}{code}", seen.state.word()));
        }
        if seen.health == Health::Unhealthy {
            findings.push(format!("{name}: its health check fails"));
        }
        if seen.oom_killed {
            findings.push(format!("{name} was killed for memory"));
        }
    }
    for probe in service.probes.iter().filter(|probe| !probe.ok) {
        findings.push(format!("{name}: {} on {}: {}", probe.probe, probe.address, probe.says));
    }
    if let (Some(used), Some(limit)) = (service.mem_bytes, service.mem_limit_bytes)
        && used.saturating_mul(10) > limit.saturating_mul(9)
    {
        findings.push(format!("{name} uses more than 90 % of its memory limit"));
    }
    if !service.drift.is_empty() {
        findings
            .push(format!("{name} differs from the compose file: {}", service.drift.join(", ")));
    }
    let errors = service.console.iter().filter(|line| line.error).count();
    if errors > 0 {
        let last = service.console.iter().rev().find(|line| line.error);
        let last = last.map_or("", |line| line.text.as_str());
        findings.push(format!("{name}: {errors} error lines on its console, the last: {last}"));
    }
}

/// The report as plain text.
#[must_use]
pub fn render(diagnosis: &Diagnosis) -> String {
    let mut out = String::new();
    let _ = write(&mut out, diagnosis);
    out
}

fn write(out: &mut String, diagnosis: &Diagnosis) -> std::fmt::Result {
    writeln!(out, "{}  {}", diagnosis.stack, diagnosis.taken)?;
    let runtime = &diagnosis.runtime;
    let version = runtime.version.as_deref().unwrap_or("cannot be reached");
    writeln!(out, "runtime   {} {version}", runtime.name)?;
    let host = &diagnosis.host;
    writeln!(
        out,
        "host      {:.0} % of {:.1} GiB memory available, {} {:.0} % full",
        host.memory_available_pct.unwrap_or_default(),
        gib(host.memory_total_bytes),
        host.disk.as_deref().unwrap_or("/"),
        host.disk_used_pct.unwrap_or_default()
    )?;
    match &diagnosis.git.head {
        Some(head) => writeln!(out, "git       {head}")?,
        None => writeln!(out, "git       no repository here")?,
    }
    for commit in &diagnosis.git.commits {
        writeln!(out, "          {} {}", commit.hash, commit.subject)?;
    }
    writeln!(out)?;
    if diagnosis.findings.is_empty() {
        writeln!(out, "nothing is wrong that can be seen from here")?;
    } else {
        writeln!(out, "FINDINGS")?;
        for finding in &diagnosis.findings {
            writeln!(out, "  ! {finding}")?;
        }
    }
    for service in &diagnosis.services {
        write_service(out, service)?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn gib(bytes: u64) -> f64 {
    bytes as f64 / 1_073_741_824.0
}

fn write_service(out: &mut String, service: &ServiceReport) -> std::fmt::Result {
    writeln!(out, "\n{} ({})", service.name, format!("{:?}", service.role).to_lowercase())?;
    match (&service.inspection, &service.error) {
        (Some(seen), _) => {
            write!(out, "  state     {}", seen.state.word())?;
            if let Some(up) = seen.up_for {
                write!(out, " for {}", ago(up))?;
            }
            if let Some(code) = seen.exit_code.filter(|_| seen.state != RuntimeState::Running) {
                write!(out, ", exit code {code}")?;
            }
            writeln!(
                out,
                ", health {}, {} restarts by its runtime",
                format!("{:?}", seen.health).to_lowercase(),
                seen.restarts
            )?;
        }
        (None, Some(error)) => writeln!(out, "  state     {error}")?,
        (None, None) => {}
    }
    if let Some(used) = service.mem_bytes {
        let limit = service
            .mem_limit_bytes
            .map_or_else(|| String::from("no limit"), |limit| format!("limit {}", size(limit)));
        writeln!(
            out,
            "  use       cpu {}, memory {}, {limit}",
            service.cpu_pct.map_or_else(|| String::from("?"), |pct| format!("{pct:.0} %")),
            size(used)
        )?;
    }
    for probe in &service.probes {
        let mark = if probe.ok { "ok  " } else { "FAIL" };
        let took = probe.latency_ms.map_or_else(String::new, |ms| format!(" ({ms} ms)"));
        writeln!(out, "  {:<9} {mark} {}: {}{took}", probe.probe, probe.address, probe.says)?;
    }
    for difference in &service.drift {
        writeln!(out, "  drift     {difference}")?;
    }
    if !service.console.is_empty() {
        writeln!(out, "  last {} console lines", service.console.len())?;
        for line in &service.console {
            writeln!(out, "  {} {}", if line.error { "!" } else { "|" }, line.text)?;
        }
    }
    Ok(())
}
