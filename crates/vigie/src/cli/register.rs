//! Does: `vigie incident similar`, and the filters of `list`. The register is read as it is; no
//! daemon is needed.

use std::time::Duration;

use serde::Serialize;
use vigie_core::incident::IncidentId;
use vigie_core::learn::similar::{Past, rank};
use vigie_core::learn::{Subject, recognise};

use super::args::Only;
use super::incident::unknown;
use super::stats::range;
use super::{Exit, Failure, Paint, table};
use crate::config::{Config, Lang};
use crate::report::{ago, millis, rfc3339};
use crate::store::{Filter, PastRow, Register};
use crate::text::cut;

/// What a person asks to be listed.
pub(super) fn filter(config: &Config, only: &Only) -> Result<Filter, Failure> {
    for name in &only.service {
        if config.stack.find(name).is_none() && name != vigie_core::stack::HOST {
            let known: Vec<_> =
                config.stack.services().map(|(_, service)| service.name.as_str()).collect();
            let text = format!("there is no service `{name}`; the stack has: {}", known.join(", "));
            return Err(Failure::say(Exit::Usage, text));
        }
    }
    Ok(Filter {
        services: only.service.clone(),
        severities: only.severity.as_ref().map(|only| only.0.clone()).unwrap_or_default(),
        states: only.state.as_ref().map(|only| only.0.clone()).unwrap_or_default(),
        since: only.since.and_then(|since| since.at(jiff::Timestamp::now().as_millisecond())),
    })
}

/// A likeness; see `docs/guide/json.md`.
#[derive(Debug, Serialize)]
struct SimilarJson {
    id: u64,
    score: u32,
    same: Vec<&'static str>,
    service: String,
    title: String,
    detected: String,
    fixed_by: Option<String>,
    took_ms: Option<[u64; 2]>,
}

pub(super) fn similar(
    config: &Config,
    id: IncidentId,
    limit: usize,
    json: bool,
) -> Result<Exit, Failure> {
    let lang = config.file.stack.lang;
    let register = Register::open(&config.journal())?;
    let Some(row) = register.get(id)? else { return Err(unknown(id.0)) };
    let subject = Subject::of(&row.incident, &row.runs);
    let likely = register.likely(&subject)?;
    let past: Vec<Past> = likely.iter().map(|one| one.past.clone()).collect();
    let ranked = rank(&subject, &past, limit);
    let shown = |one: &vigie_core::learn::similar::Similar<'_>| {
        let row: &PastRow = likely.iter().find(|row| row.past.id == one.past.id)?;
        Some(SimilarJson {
            id: one.past.id.0,
            score: one.same.score(),
            same: one.same.words(),
            service: one.past.service.clone(),
            title: row.title.clone(),
            detected: rfc3339(row.detected),
            fixed_by: one.past.fixed_by.as_ref().map(|fix| lang.of(fix).to_owned()),
            took_ms: one.past.took.map(|(least, most)| [millis(least), millis(most)]),
        })
    };
    let similar: Vec<SimilarJson> = ranked.iter().filter_map(shown).collect();
    let known = register.known()?;
    let known = recognise(&subject, &known);
    if json {
        let known = known.map(|(known, words)| {
            serde_json::json!({
                "id": known.id,
                "title": lang.of(&known.title),
                "cause": lang.of(&known.cause),
                "resolution": lang.of(&known.resolution),
                "took_ms": known.took.map(millis),
                "matched": words,
            })
        });
        let told = serde_json::json!({ "incident": id.0, "similar": similar, "known": known });
        println!("{}", serde_json::to_string_pretty(&told)?);
        return Ok(Exit::Fine);
    }
    if let Some((known, words)) = known {
        let took = known.took.map_or_else(String::new, |took| format!(" ({})", ago(took)));
        let (title, fix) = (lang.of(&known.title), lang.of(&known.resolution));
        println!("{} {title}: {fix}{took} [{words}]", Paint::for_stdout().bold(&known.id));
    }
    if similar.is_empty() {
        let none = ["no past incident resembles it", "aucun incident passé ne lui ressemble"];
        println!("{}", none[usize::from(lang == Lang::Fr)]);
        return Ok(Exit::Fine);
    }
    let rows: Vec<_> = similar.iter().map(cells).collect();
    let head = match lang {
        Lang::En => ["ID", "SCORE", "SAME", "DETECTED", "TOOK", "FIXED BY", "TITLE"],
        Lang::Fr => ["ID", "SCORE", "COMMUN", "DÉTECTÉ", "DURÉE", "RÉSOLU PAR", "TITRE"],
    };
    table::print(&head, &rows);
    Ok(Exit::Fine)
}

fn cells(one: &SimilarJson) -> Vec<String> {
    let took = one.took_ms.map(|both| {
        let [least, most] = both.map(|ms| ago(Duration::from_millis(ms)));
        range(least, most)
    });
    let or_none = |text: Option<String>| text.unwrap_or_else(|| String::from("-"));
    vec![
        one.id.to_string(),
        one.score.to_string(),
        one.same.join("+"),
        one.detected[..19].replace('T', " "),
        or_none(took),
        or_none(one.fixed_by.as_ref().map(|fix| cut(fix, 50))),
        cut(&one.title, 60),
    ]
}
