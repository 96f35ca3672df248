//! Does: `vigie incident …`. Reading needs no daemon: the register is read as it is; acting asks the
//! daemon.

use std::path::Path;

use vigie_core::incident::IncidentId;

use super::args::{IncidentCommand, Only};
use super::order::ask;
use super::{Exit, Failure, Paint, known, register, stats, table};
use crate::config::Config;
use crate::control::Request;
use crate::report::{Lang, ago, clock_time, incident_json, rfc3339, source, tell_all};
use crate::store::{Filter, IncidentRow, Register};
use crate::text::cut;
use crate::text::size;

pub(super) async fn run(path: &Path, command: IncidentCommand) -> Result<Exit, Failure> {
    let config = Config::read(path)?;
    let (request, deed) = match command {
        IncidentCommand::List { json, limit, only } => return list(&config, json, limit, &only),
        IncidentCommand::Show { id, json } => return show(&config, id, json),
        IncidentCommand::Stats { since, json } => return stats::stats(&config, since, json),
        IncidentCommand::Similar { id, json, limit } => {
            return register::similar(&config, IncidentId(id), limit, json);
        }
        IncidentCommand::Import { file, dry_run, who } => {
            return known::import(&config, &file, dry_run, who.name()).await;
        }
        IncidentCommand::Known { json, lang } => {
            return known::list(&config, json, lang.unwrap_or(config.file.stack.lang));
        }
        IncidentCommand::Ack { id, deed } => {
            (Request::Acknowledge { incident: id, by: deed.who.name() }, deed)
        }
        IncidentCommand::Note { id, text, deed } => {
            (Request::Note { incident: id, by: deed.who.name(), text: text.join(" ") }, deed)
        }
        IncidentCommand::Report { text, service, severity, deed } => {
            let request = Request::Report {
                service: service.map_or_else(|| game(&config), Ok)?,
                severity: severity.word().to_owned(),
                by: deed.who.name(),
                text: text.join(" "),
            };
            (request, deed)
        }
        IncidentCommand::Resolve { id, deed } => {
            (Request::Resolve { incident: id, by: deed.who.name() }, deed)
        }
        IncidentCommand::Close { id, deed } => {
            (Request::Close { incident: id, by: deed.who.name() }, deed)
        }
    };
    ask(&config, &request, deed.dry_run).await
}

fn game(config: &Config) -> Result<String, Failure> {
    let mut services = config.stack.services().map(|(_, service)| service);
    let game = services.find(|service| service.role == vigie_core::stack::Role::Game);
    game.map(|service| service.name.clone()).ok_or_else(|| {
        Failure::say(Exit::Usage, "no service has the role `game`; name one with --service")
    })
}

fn list(config: &Config, json: bool, limit: usize, only: &Only) -> Result<Exit, Failure> {
    let filter = register::filter(config, only)?;
    let rows = Register::open(&config.journal())?.find(&filter, limit)?;
    if json {
        let rows: Vec<_> = rows.iter().map(incident_json).collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(Exit::Fine);
    }
    if rows.is_empty() {
        let any = filter != Filter::default();
        println!("{}", if any { "no such incident" } else { "no incident so far" });
        return Ok(Exit::Fine);
    }
    let paint = Paint::for_stdout();
    let cells: Vec<_> = rows.iter().map(|row| cells(row, paint)).collect();
    let head = ["ID", "SEV", "STATE", "SERVICE", "DETECTED", "RESTORED IN", "CASE", "TITLE"];
    table::print(&head, &cells);
    Ok(Exit::Fine)
}

fn cells(row: &IncidentRow, paint: Paint) -> Vec<String> {
    let incident = &row.incident;
    let state = incident.state.word();
    let state = if incident.state.is_active() { paint.bad(state) } else { paint.good(state) };
    let restored = incident
        .restored
        .map_or_else(|| String::from("-"), |at| ago(at.since(incident.started().latest)));
    let cases: Vec<_> = row.runs.iter().filter_map(|run| run.case.clone()).collect();
    vec![
        incident.id.0.to_string(),
        paint.severity(incident.severity),
        state,
        incident.service.clone(),
        rfc3339(incident.detected.wall)[..19].replace('T', " "),
        restored,
        if cases.is_empty() { String::from("-") } else { cases.join(",") },
        cut(&incident.title, 60),
    ]
}

fn show(config: &Config, id: u64, json: bool) -> Result<Exit, Failure> {
    let register = Register::open(&config.journal())?;
    let Some(row) = register.get(IncidentId(id))? else {
        return Err(unknown(id));
    };
    let timeline = register.timeline(IncidentId(id))?;
    let lang = config.file.stack.lang;
    let lines = tell_all(timeline.iter().map(|entry| &entry.record), lang);
    if json {
        let rows: Vec<_> = timeline
            .iter()
            .zip(&lines)
            .map(|(entry, text)| {
                serde_json::json!({
                    "at": rfc3339(entry.at.wall),
                    "source": source(&entry.record),
                    "text": text,
                })
            })
            .collect();
        let mut value = serde_json::to_value(incident_json(&row))?;
        if let Some(object) = value.as_object_mut() {
            object.insert(String::from("timeline"), rows.into());
        }
        println!("{}", serde_json::to_string_pretty(&value)?);
        return Ok(Exit::Fine);
    }
    print(&row, lang);
    println!("\n{}", if lang == Lang::Fr { "Chronologie" } else { "Timeline" });
    let paint = Paint::for_stdout();
    for (entry, text) in timeline.iter().zip(&lines) {
        let at = paint.dim(&clock_time(entry.at.wall));
        println!("  {at}  {:<8}  {text}", source(&entry.record));
    }
    evidence(&row, lang);
    Ok(Exit::Fine)
}

/// There is no incident of that number.
pub(super) fn unknown(id: u64) -> Failure {
    Failure::say(Exit::Usage, format!("there is no incident {id}; try: vigie incident list"))
}

fn print(row: &IncidentRow, lang: Lang) {
    let paint = Paint::for_stdout();
    let incident = &row.incident;
    let started = incident.started();
    println!(
        "{} {} {} — {}",
        paint.bold(&format!("incident {}", incident.id)),
        paint.severity(incident.severity),
        incident.state.word(),
        incident.title
    );
    let spread = started.latest.since(started.earliest);
    let words: [&str; 4] = match lang {
        Lang::En => ["started", "detected", "acknowledged", "restored"],
        Lang::Fr => ["début", "détecté", "pris en charge", "rétabli"],
    };
    let line = |word: &str, text: String| println!("  {word:<15} {text}");
    line(words[0], format!("{} (± {})", rfc3339(started.latest.wall), ago(spread)));
    let after = |at: vigie_core::Moment| {
        format!("{} (+{})", rfc3339(at.wall), ago(at.since(started.latest)))
    };
    line(words[1], after(incident.detected));
    if let Some((at, by)) = &incident.acknowledged {
        line(words[2], format!("{}, {by}", after(*at)));
    }
    match incident.restored {
        Some(at) => line(words[3], after(at)),
        None => line(words[3], String::from("-")),
    }
    for symptom in &incident.symptoms {
        let until = symptom.until.map_or_else(
            || paint.bad("…"),
            |until| format!("{} ", ago(until.since(symptom.started.latest))),
        );
        println!("  · {:<16} {until} {}", symptom.kind.word(), symptom.detail);
    }
}

fn evidence(row: &IncidentRow, lang: Lang) {
    let Some(evidence) = row.runs.iter().rev().find_map(|run| run.evidence.as_deref()) else {
        return;
    };
    println!("\n{}", if lang == Lang::Fr { "Preuves" } else { "Evidence" });
    if let Some(lua) = &evidence.lua {
        println!("  Lua: {}:{}: {}", lua.file, lua.line, lua.message);
    }
    for commit in &evidence.commits {
        println!("  git: {} {}", commit.hash, commit.subject);
    }
    for usage in &evidence.host.usage {
        println!("  memory: {} {}", usage.service, size(usage.mem_bytes));
    }
    let shown = evidence.console.len().saturating_sub(10);
    for line in &evidence.console[shown..] {
        println!("  | {}", cut(line, 160));
    }
    for missing in &evidence.missing {
        println!("  missing: {missing}");
    }
}
