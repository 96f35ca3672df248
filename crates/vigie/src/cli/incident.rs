//! Does: `vigie incident …`. Reading needs no daemon: the register is read as it is; acting asks the
//! daemon.

use std::path::Path;

use vigie_core::incident::IncidentId;
use vigie_core::respond::Evidence;

use super::args::{IncidentCommand, Only};
use super::order::ask;
use super::{Exit, Failure, Paint, journal, known, postmortem, register, stats, table};
use crate::config::Config;
use crate::control::Request;
use crate::report::{
    Lang, ago, clock_time, entry_json, incident_json, rfc3339, say, source, symptom, tell_all,
    title, word,
};
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
        IncidentCommand::Postmortem(args) => return postmortem::run(&config, &args).await,
        IncidentCommand::Close { id, deed } => {
            let request = Request::Close { incident: id, by: deed.who.name() };
            let exit = ask(&config, &request, deed.dry_run).await?;
            return if deed.dry_run { Ok(exit) } else { postmortem::on_close(&config, id).await };
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
        let none = match config.file.stack.lang {
            Lang::En => ["no incident so far", "no such incident"],
            Lang::Fr => ["aucun incident jusqu'ici", "aucun incident de cette sorte"],
        };
        println!("{}", none[usize::from(any)]);
        return Ok(Exit::Fine);
    }
    let paint = Paint::for_stdout();
    let lang = config.file.stack.lang;
    let cells: Vec<_> = rows.iter().map(|row| cells(row, paint, lang)).collect();
    let head = match lang {
        Lang::En => ["ID", "SEV", "STATE", "SERVICE", "DETECTED", "RESTORED IN", "CASE", "TITLE"],
        Lang::Fr => ["ID", "GRAV", "ÉTAT", "SERVICE", "DÉTECTÉ", "RÉTABLI EN", "CAS", "TITRE"],
    };
    table::print(&head, &cells);
    Ok(Exit::Fine)
}

fn cells(row: &IncidentRow, paint: Paint, lang: Lang) -> Vec<String> {
    let incident = &row.incident;
    let state = word(incident.state.word(), lang);
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
        cut(&title(incident.group, &incident.title, lang), 60),
    ]
}

fn show(config: &Config, id: u64, json: bool) -> Result<Exit, Failure> {
    let register = Register::open(&config.journal())?;
    let Some(row) = register.get(IncidentId(id))? else {
        return Err(unknown(id));
    };
    let timeline = register.timeline(IncidentId(id))?;
    let entries = register.entries(None, Some(IncidentId(id)))?;
    // Programs read one language.
    let lang = if json { Lang::En } else { config.file.stack.lang };
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
            let entries: Vec<_> = entries.iter().map(entry_json).collect();
            object.insert(String::from("journal"), serde_json::to_value(entries)?);
        }
        println!("{}", serde_json::to_string_pretty(&value)?);
        return Ok(Exit::Fine);
    }
    print(&row, lang);
    println!("\n{}", if lang == Lang::Fr { "Chronologie" } else { "Timeline" });
    let paint = Paint::for_stdout();
    let wide = if lang == Lang::Fr { 9 } else { 8 };
    for (entry, text) in timeline.iter().zip(&lines) {
        let at = paint.dim(&clock_time(entry.at.wall));
        println!("  {at}  {:<wide$}  {text}", word(source(&entry.record), lang));
    }
    if !entries.is_empty() {
        println!("\n{}", if lang == Lang::Fr { "Journal de développement" } else { "Journal" });
    }
    for entry in &entries {
        journal::print(entry, &[], lang);
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
        word(incident.state.word(), lang),
        title(incident.group, &incident.title, lang)
    );
    let spread = started.latest.since(started.earliest);
    let words: [&str; 4] = match lang {
        Lang::En => ["started", "detected", "acknowledged", "restored"],
        Lang::Fr => ["début", "détecté", "pris en charge", "rétabli"],
    };
    let line = |label: &str, text: String| println!("  {label:<15} {text}");
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
    for shown in &incident.symptoms {
        let until = shown.until.map_or_else(
            || paint.bad("…"),
            |until| format!("{} ", ago(until.since(shown.started.latest))),
        );
        let wide = if lang == Lang::Fr { 19 } else { 16 };
        let (kind, detail) = (symptom(shown.kind, lang), say(&shown.detail, lang));
        println!("  · {kind:<wide$} {until} {detail}");
    }
}

/// What was before: the blamed commit, the files that have changed, the image that worked.
fn before(evidence: &Evidence, lang: Lang) {
    let [blamed, cannot, since, back] = match lang {
        Lang::En => [
            "blamed",
            "vigie does not offer to revert it",
            "changed since",
            "last image that worked",
        ],
        Lang::Fr => [
            "mis en cause",
            "vigie ne propose pas de l'annuler",
            "changé depuis",
            "dernière image qui marchait",
        ],
    };
    if let Some(suspect) = &evidence.suspect {
        let short: String = suspect.commit.chars().take(8).collect();
        println!("  {blamed}: {short} {}", suspect.subject);
        println!("    {}: {}", suspect.repository, suspect.file);
        if let Some(why) = &suspect.obstacle {
            println!("    {cannot}: {}", say(why, lang));
        }
        suspect.log.iter().for_each(|line| println!("    git log: {line}"));
        suspect.diff.iter().for_each(|line| println!("    {line}"));
    }
    for changed in &evidence.changed {
        println!("  {since} {}: {}", changed.since, changed.file);
        changed.diff.iter().for_each(|line| println!("    {line}"));
    }
    if let Some(known) = &evidence.way_back {
        println!(
            "  {back}: {} (vigie snapshot rollback {} --only image)",
            known.image, known.point
        );
    }
}

fn evidence(row: &IncidentRow, lang: Lang) {
    let Some(evidence) = row.runs.iter().rev().find_map(|run| run.evidence.as_deref()) else {
        return;
    };
    let words = match lang {
        Lang::En => ["memory", "missing"],
        Lang::Fr => ["mémoire ", "manquant "],
    };
    println!("\n{}", if lang == Lang::Fr { "Preuves" } else { "Evidence" });
    if let Some(lua) = &evidence.lua {
        println!("  Lua: {}:{}: {}", lua.file, lua.line, lua.message);
    }
    for commit in &evidence.commits {
        println!("  git: {} {}", commit.hash, commit.subject);
    }
    before(evidence, lang);
    for usage in &evidence.host.usage {
        println!("  {}: {} {}", words[0], usage.service, size(usage.mem_bytes));
    }
    let shown = evidence.console.len().saturating_sub(10);
    for line in &evidence.console[shown..] {
        println!("  | {}", cut(line, 160));
    }
    for missing in &evidence.missing {
        println!("  {}: {}", words[1], say(missing, lang));
    }
}
