//! Does: `vigie incident similar`, and the filters of `list`. The register is read as it is; no
//! daemon is needed.

use std::time::Duration;

use vigie_core::incident::IncidentId;

use super::args::Only;
use super::incident::unknown;
use super::stats::range;
use super::{Exit, Failure, Paint, table};
use crate::config::{Config, Lang};
use crate::report::{LikenessJson, ago, say, similar_json};
use crate::store::{Filter, Register};
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

pub(super) fn similar(
    config: &Config,
    id: IncidentId,
    limit: usize,
    json: bool,
) -> Result<Exit, Failure> {
    let lang = config.file.stack.lang;
    let register = Register::open(&config.journal())?;
    let Some(row) = register.get(id)? else { return Err(unknown(id.0)) };
    let told = similar_json(&register, &row, limit, lang)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&told)?);
        return Ok(Exit::Fine);
    }
    if let Some(known) = &told.known {
        let took = known.took_ms.map(|ms| format!(" ({})", ago(Duration::from_millis(ms))));
        let id = Paint::for_stdout().bold(&known.id);
        let (title, fix, took) = (&known.title, &known.resolution, took.unwrap_or_default());
        println!("{id} {title}: {fix}{took} [{}]", known.matched);
    }
    if told.similar.is_empty() {
        let none = ["no past incident resembles it", "aucun incident passé ne lui ressemble"];
        println!("{}", none[usize::from(lang == Lang::Fr)]);
        return Ok(Exit::Fine);
    }
    let rows: Vec<_> = told.similar.iter().map(|one| cells(one, lang)).collect();
    let head = match lang {
        Lang::En => ["ID", "SCORE", "SAME", "DETECTED", "TOOK", "FIXED BY", "TITLE"],
        Lang::Fr => ["ID", "SCORE", "COMMUN", "DÉTECTÉ", "DURÉE", "RÉSOLU PAR", "TITRE"],
    };
    table::print(&head, &rows);
    Ok(Exit::Fine)
}

fn cells(one: &LikenessJson, lang: Lang) -> Vec<String> {
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
        cut(&say(&one.title, lang), 60),
    ]
}
