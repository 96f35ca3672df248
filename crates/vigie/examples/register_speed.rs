//! Fills a register with COUNT incidents in DIR, unless it is there, then asks it as the command line
//! does and prints median times and the memory that asking took; `cargo xtask bench register` runs it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to its caller")]

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use vigie::report::{Asked, Lang, figures_json, similar_json};
use vigie::store::{Filter, Journal, Register};
use vigie_core::detect::SymptomKind;
use vigie_core::incident::{Actor, IncidentId, Severity};
use vigie_core::moment::Bounds;
use vigie_core::respond::{Ending, RunId};
use vigie_core::{Moment, Record};

const ROUNDS: usize = 21;
/// Incidents of one append: fewer than the state keeps, so that each is in the register.
const BATCH: u64 = 32;
const HALF_AN_HOUR_MS: i64 = 1_800_000;
const KINDS: [SymptomKind; 6] = [
    SymptomKind::Down,
    SymptomKind::Frozen,
    SymptomKind::LuaErrors,
    SymptomKind::MemoryPressure,
    SymptomKind::DatabaseDown,
    SymptomKind::NetAbuse,
];

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, count] = arguments.as_slice() else {
        eprintln!("usage: register_speed DIR COUNT");
        return ExitCode::FAILURE;
    };
    let done = count.parse().map_err(Into::into).and_then(|count: u64| {
        let path = Path::new(directory).join("journal.db");
        if !path.exists() {
            fill(&path, count)?;
        }
        ask(&path, count)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn fill(path: &Path, count: u64) -> Result<()> {
    let (mut journal, rebuilt) = Journal::open(path)?;
    let mut state = rebuilt.state;
    let now = jiff::Timestamp::now().as_millisecond();
    for start in (1..=count).step_by(usize::try_from(BATCH)?) {
        let mut batch = Vec::new();
        let mut last = Moment::default();
        for id in start..(start + BATCH).min(count + 1) {
            let ago = i64::try_from(count - id)? * HALF_AN_HOUR_MS;
            for (after, record) in story(id, now - ago - 60_000) {
                last = Moment::from_ms(now - ago - 60_000 + after);
                state.apply(last, &record);
                batch.push(record);
            }
        }
        journal.append(last, &batch, &[], &state)?;
    }
    Ok(())
}

/// One incident from its first sign to its end, with the milliseconds after which each part came.
fn story(id: u64, at: i64) -> Vec<(i64, Record)> {
    let (incident, run) = (IncidentId(id), RunId(id));
    let kind = KINDS[usize::try_from(id).unwrap_or(0) % KINDS.len()];
    let service = String::from(if id.is_multiple_of(3) { "mysql" } else { "gmod" });
    let severity = if id.is_multiple_of(4) { Severity::P1 } else { Severity::P2 };
    let detail = match kind {
        SymptomKind::LuaErrors => {
            let line = id % 997;
            format!(
                "{service}: 3 Lua errors a minute, addons/a/lua/a.lua:{line}: attempt to call nil"
            )
        }
        kind => format!("{service} shows {} with some words about it", kind.word()),
    };
    let console = (0..50).map(|line| format!("[DarkRP] line {line} of a busy server's console"));
    let mut evidence: Box<vigie_core::respond::Evidence> = Box::default();
    evidence.console = console.collect();
    let by = Actor::Vigie;
    let started =
        Bounds { earliest: Moment::from_ms(at - 5_000), latest: Moment::from_ms(at - 100) };
    let opened = Record::IncidentOpened {
        incident,
        service: service.clone(),
        group: kind.group(),
        severity,
        title: detail.clone(),
        players: None,
    };
    let began = Record::SymptomBegan { incident, service: service.clone(), kind, started, detail };
    let runbook = String::from("p1-unreachable");
    let run_began =
        Record::RunStarted { run, incident, service: service.clone(), runbook, by: by.clone() };
    let case = Some(String::from("A"));
    let restored = Moment::from_ms(at + 20_000);
    vec![
        (0, opened),
        (0, began),
        (1, run_began),
        (200, Record::CaseChosen { run, evidence, case, rejected: Vec::new() }),
        (201, Record::Acknowledged { incident, by: by.clone() }),
        (22_000, Record::RunEnded { run, ending: Ending::Verified, why: String::from("well") }),
        (22_000, Record::SymptomEnded { incident, service, kind }),
        (22_000, Record::Restored { incident, at: restored, view: String::from("well") }),
        (23_000, Record::Resolved { incident, by }),
    ]
}

fn ask(path: &Path, count: u64) -> Result<()> {
    let now = jiff::Timestamp::now().as_millisecond();
    let month = now - 30 * 86_400_000;
    measure("list", || Ok(Register::open(path)?.list(50)?.len()))?;
    let filter = Filter {
        services: vec![String::from("gmod")],
        severities: vec![Severity::P1],
        since: Some(month),
        ..Filter::default()
    };
    measure("list, filtered", || Ok(Register::open(path)?.find(&filter, 50)?.len()))?;
    for (name, since) in [("stats, 30 days", Some(month)), ("stats, all", None)] {
        measure(name, || {
            let register = Register::open(path)?;
            let watched_since = register.watched_since()?;
            let asked = Asked { since, now, watched_since, games: &["gmod"], slo: 99.0 };
            Ok(figures_json(&register.rows(since)?, asked).services.len())
        })?;
    }
    measure("similar", || {
        let register = Register::open(path)?;
        let row = register.get(IncidentId(count / 2))?.ok_or("no such incident")?;
        Ok(similar_json(&register, &row, 10, Lang::En)?.similar.len())
    })?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("?");
    println!("{:16} {}", "peak RSS", peak.trim());
    println!("{:16} {} MiB", "journal.db", std::fs::metadata(path)?.len() >> 20);
    Ok(())
}

fn measure(name: &str, mut ask: impl FnMut() -> Result<usize>) -> Result<()> {
    let mut times = Vec::new();
    let mut found = 0;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        found = ask()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let (median, worst) = (times[ROUNDS / 2], times[ROUNDS - 1]);
    println!("{name:16} {:7.1} ms, at most {:7.1} ms ({found})", millis(median), millis(worst));
    Ok(())
}

fn millis(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
