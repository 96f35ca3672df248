//! Does: what vigie knows of the cause and of what came before it, from the evidence that its runs
//! kept: facts in one line each, never a conclusion.

use vigie_core::respond::{Evidence, Run};

use super::Lang;
use crate::report::say;
use crate::store::IncidentRow;
use crate::text::size;

/// Console lines that are shown.
const CONSOLE: usize = 15;

/// The evidence that was taken first: it is nearest to the cause.
fn first(row: &IncidentRow) -> Option<(&Run, &Evidence)> {
    row.runs.iter().find_map(|run| Some((run, run.evidence.as_deref()?)))
}

/// What the evidence says about the cause.
pub(super) fn findings(row: &IncidentRow, lang: Lang) -> Vec<String> {
    let mut found = Vec::new();
    let Some((run, evidence)) = first(row) else { return found };
    let service = &run.service;
    let french = lang == Lang::Fr;
    let seen = &evidence.inspection;
    if let Some(code) = seen.exit_code {
        let meaning = signal(code).map_or_else(String::new, |name| format!(" ({name})"));
        found.push(if french {
            format!("{service} s'est terminé avec le code {code}{meaning}")
        } else {
            format!("{service} ended with exit code {code}{meaning}")
        });
    }
    if seen.oom_killed {
        let limit = evidence.host.usage.iter().find(|one| &one.service == service);
        let limit = limit.and_then(|one| one.mem_limit).map(size);
        let limit = limit.map_or_else(String::new, |limit| format!(" ({limit})"));
        found.push(if french {
            format!("le noyau l'a tué à sa limite de mémoire{limit}")
        } else {
            format!("the kernel killed it at its memory limit{limit}")
        });
    }
    if let Some(lua) = &evidence.lua {
        found.push(format!("Lua: {}:{}: {}", lua.file, lua.line, lua.message));
    }
    for needed in evidence.dependencies.iter().filter(|one| !one.well) {
        let name = &needed.service;
        found.push(if french {
            format!("{name}, dont il dépend, n'allait pas bien non plus")
        } else {
            format!("{name}, which it needs, was not well either")
        });
    }
    found.extend(host(evidence, lang));
    if evidence.exits > 1 {
        let exits = evidence.exits;
        found.push(if french {
            format!("{exits} arrêts dans la fenêtre de la boucle de crash")
        } else {
            format!("{exits} exits within the window of a crash loop")
        });
    }
    found
}

fn host(evidence: &Evidence, lang: Lang) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(pct) = evidence.host.memory_available_pct {
        found.push(match lang {
            Lang::En => format!("the host had {pct:.0} % of its memory available"),
            Lang::Fr => format!("l'hôte avait {pct:.0} % de sa mémoire disponible"),
        });
    }
    if let Some(pct) = evidence.host.disk_used_pct {
        found.push(match lang {
            Lang::En => format!("the fullest disk was {pct:.0} % full"),
            Lang::Fr => format!("le disque le plus plein l'était à {pct:.0} %"),
        });
    }
    found
}

/// The last lines of the console before the first case was chosen.
pub(super) fn console(row: &IncidentRow) -> Vec<String> {
    let Some((_, evidence)) = first(row) else { return Vec::new() };
    let skipped = evidence.console.len().saturating_sub(CONSOLE);
    evidence.console[skipped..].to_vec()
}

/// What changed before it, as far as vigie knows.
pub(super) fn triggers(row: &IncidentRow, lang: Lang) -> Vec<String> {
    let Some((_, evidence)) = first(row) else { return Vec::new() };
    let commits = evidence.commits.iter().take(3);
    commits.map(|commit| format!("git {}: {}", commit.hash, say(&commit.subject, lang))).collect()
}

/// What an exit code above 128 means.
const fn signal(code: i32) -> Option<&'static str> {
    Some(match code {
        129 => "SIGHUP",
        130 => "SIGINT",
        131 => "SIGQUIT",
        132 => "SIGILL",
        134 => "SIGABRT",
        135 => "SIGBUS",
        136 => "SIGFPE",
        137 => "SIGKILL",
        139 => "SIGSEGV",
        143 => "SIGTERM",
        _ => return None,
    })
}
