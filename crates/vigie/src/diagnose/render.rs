//! Does: the report as text, what is wrong first, in the reader's language; the findings themselves are
//! English, as all that programs read.

use std::fmt::Write;

use vigie_core::observe::{Health, RuntimeState};

use super::{Diagnosis, ServiceReport};
use crate::report::{Lang, ago, say, word};
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
pub fn render(diagnosis: &Diagnosis, lang: Lang) -> String {
    let mut out = String::new();
    let _ = write(&mut out, diagnosis, lang);
    out
}

fn write(out: &mut String, diagnosis: &Diagnosis, lang: Lang) -> std::fmt::Result {
    // English, French.
    let both = |texts: [&'static str; 2]| texts[usize::from(lang == Lang::Fr)];
    writeln!(out, "{}  {}", diagnosis.stack, diagnosis.taken)?;
    let runtime = &diagnosis.runtime;
    let version = runtime.version.as_deref().unwrap_or(both(["cannot be reached", "injoignable"]));
    writeln!(out, "{} {} {version}", both(["runtime  ", "moteur   "]), runtime.name)?;
    let host = &diagnosis.host;
    let (memory, total) =
        (host.memory_available_pct.unwrap_or_default(), gib(host.memory_total_bytes));
    let disk = host.disk.as_deref().unwrap_or("/");
    let used = host.disk_used_pct.unwrap_or_default();
    match lang {
        Lang::En => writeln!(
            out,
            "host      {memory:.0} % of {total:.1} GiB memory available, {disk} {used:.0} % full"
        )?,
        Lang::Fr => writeln!(
            out,
            "hôte      {memory:.0} % de {total:.1} Gio de mémoire disponibles, {disk} plein à \
             {used:.0} %"
        )?,
    }
    let no_repository = both(["no repository here", "pas de dépôt ici"]);
    writeln!(out, "git       {}", diagnosis.git.head.as_deref().unwrap_or(no_repository))?;
    for commit in &diagnosis.git.commits {
        writeln!(out, "          {} {}", commit.hash, commit.subject)?;
    }
    writeln!(out)?;
    if diagnosis.findings.is_empty() {
        let fine =
            ["nothing is wrong that can be seen from here", "rien d'anormal ne se voit d'ici"];
        writeln!(out, "{}", both(fine))?;
    } else {
        writeln!(out, "{}", both(["FINDINGS", "CONSTATS"]))?;
        for finding in &diagnosis.findings {
            writeln!(out, "  ! {}", say(finding, lang))?;
        }
    }
    for service in &diagnosis.services {
        write_service(out, service, lang)?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn gib(bytes: u64) -> f64 {
    bytes as f64 / 1_073_741_824.0
}

fn write_service(out: &mut String, service: &ServiceReport, lang: Lang) -> std::fmt::Result {
    let both = |texts: [&'static str; 2]| texts[usize::from(lang == Lang::Fr)];
    let role = format!("{:?}", service.role).to_lowercase();
    writeln!(out, "\n{} ({})", service.name, word(&role, lang))?;
    write_state(out, service, lang)?;
    if let Some(used) = service.mem_bytes {
        let no_limit = both(["no limit", "sans limite"]);
        let limit = service.mem_limit_bytes.map_or_else(
            || no_limit.to_owned(),
            |limit| format!("{} {}", both(["limit", "limite"]), size(limit)),
        );
        writeln!(
            out,
            "  {} cpu {}, {} {}, {limit}",
            both(["use      ", "emploi   "]),
            service.cpu_pct.map_or_else(|| String::from("?"), |pct| format!("{pct:.0} %")),
            both(["memory", "mémoire"]),
            size(used)
        )?;
    }
    let colon = both([":", " :"]);
    for probe in &service.probes {
        // The mark is one for both languages: colour goes by it.
        let mark = if probe.ok { "ok  " } else { "FAIL" };
        let took = probe.latency_ms.map_or_else(String::new, |ms| format!(" ({ms} ms)"));
        let says = say(&probe.says, lang);
        writeln!(out, "  {:<9} {mark} {}{colon} {says}{took}", probe.probe, probe.address)?;
    }
    for difference in &service.drift {
        writeln!(out, "  {} {}", both(["drift    ", "dérive   "]), say(difference, lang))?;
    }
    if !service.console.is_empty() {
        let count = service.console.len();
        match lang {
            Lang::En => writeln!(out, "  last {count} console lines")?,
            Lang::Fr => writeln!(out, "  les {count} dernières lignes de la console")?,
        }
        for line in &service.console {
            writeln!(out, "  {} {}", if line.error { "!" } else { "|" }, line.text)?;
        }
    }
    Ok(())
}

fn write_state(out: &mut String, service: &ServiceReport, lang: Lang) -> std::fmt::Result {
    let both = |texts: [&'static str; 2]| texts[usize::from(lang == Lang::Fr)];
    let label = both(["state    ", "état     "]);
    let Some(seen) = &service.inspection else {
        return service
            .error
            .as_ref()
            .map_or(Ok(()), |error| writeln!(out, "  {label} {}", say(error, lang)));
    };
    write!(out, "  {label} {}", word(seen.state.word(), lang))?;
    if let Some(up) = seen.up_for {
        write!(out, " {} {}", both(["for", "depuis"]), ago(up))?;
    }
    if let Some(code) = seen.exit_code.filter(|_| seen.state != RuntimeState::Running) {
        write!(out, ", {} {code}", both(["exit code", "code de sortie"]))?;
    }
    let health = format!("{:?}", seen.health).to_lowercase();
    match lang {
        Lang::En => writeln!(out, ", health {health}, {} restarts by its runtime", seen.restarts),
        Lang::Fr => writeln!(
            out,
            ", santé : {}, relances par son moteur : {}",
            word(&health, lang),
            seen.restarts
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vigie_core::observe::Inspection;
    use vigie_core::stack::Role;

    use super::*;
    use crate::diagnose::{ConsoleLine, GitReport, HostReport, ProbeReport, RuntimeReport};

    fn diagnosis() -> Diagnosis {
        let inspection = Inspection {
            state: RuntimeState::Exited,
            exit_code: Some(139),
            up_for: Some(Duration::from_secs(200)),
            ..Inspection::default()
        };
        let line = |text: &str, error| ConsoleLine { text: String::from(text), error };
        let service = ServiceReport {
            name: String::from("gmod"),
            role: Role::Game,
            inspection: Some(inspection),
            error: None,
            probes: vec![ProbeReport {
                probe: "a2s",
                address: String::from("127.0.0.1:27015"),
                ok: false,
                says: String::from("no answer in time"),
                latency_ms: None,
            }],
            cpu_pct: None,
            mem_bytes: Some(95 << 20),
            mem_limit_bytes: Some(100 << 20),
            drift: vec![String::from("it was not made by Compose")],
            console: vec![line("the host is well", false), line("[ERROR] x", true)],
        };
        let mut diagnosis = Diagnosis {
            stack: String::from("lab"),
            taken: String::from("2026-11-23T20:12:18.546Z"),
            runtime: RuntimeReport { name: "docker", version: None, error: None },
            host: HostReport {
                memory_available_pct: Some(42.0),
                memory_total_bytes: 8 << 30,
                disk_used_pct: Some(91.0),
                disk: Some(String::from("/")),
            },
            services: vec![service],
            git: GitReport { head: None, commits: Vec::new() },
            findings: Vec::new(),
        };
        diagnosis.findings = findings(&diagnosis);
        diagnosis
    }

    #[test]
    fn a_report_is_told_in_both_languages() {
        for lang in [Lang::En, Lang::Fr] {
            insta::assert_snapshot!(format!("report_{lang:?}"), render(&diagnosis(), lang));
        }
    }
}
