//! Does: the documented JSON shape of what resembles an incident (`vigie incident similar --json`).

use serde::Serialize;
use vigie_core::learn::similar::{Past, Similar, rank};
use vigie_core::learn::{Subject, recognise};

use super::{Lang, millis, rfc3339};
use crate::store::{IncidentRow, JournalError, PastRow, Register};

/// What resembles an incident; see `docs/guide/json.md`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the shape is documented in the guide, field by field")]
pub struct SimilarJson {
    pub incident: u64,
    pub similar: Vec<LikenessJson>,
    pub known: Option<RecognisedJson>,
}

/// A past incident that resembles it.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "as above")]
pub struct LikenessJson {
    pub id: u64,
    pub score: u32,
    pub same: Vec<&'static str>,
    pub service: String,
    pub title: String,
    pub detected: String,
    pub fixed_by: Option<String>,
    pub took_ms: Option<[u64; 2]>,
}

#[derive(Debug, Clone, Serialize)]
pub struct RecognisedJson {
    pub id: String,
    pub title: String,
    pub cause: String,
    pub resolution: String,
    pub took_ms: Option<u64>,
    pub matched: String,
}

/// The at most `limit` incidents that resemble the one in `row`, and the known one it recalls.
///
/// # Errors
/// When the register cannot be read.
pub fn similar_json(
    register: &Register,
    row: &IncidentRow,
    limit: usize,
    lang: Lang,
) -> Result<SimilarJson, JournalError> {
    let subject = Subject::of(&row.incident, &row.runs);
    let likely = register.likely(&subject)?;
    let past: Vec<Past> = likely.iter().map(|one| one.past.clone()).collect();
    let shown = |one: Similar<'_>| {
        let row = likely.iter().find(|row| row.past.id == one.past.id)?;
        Some(likeness(one, row, lang))
    };
    let known = register.known()?;
    let known = recognise(&subject, &known).map(|(known, words)| RecognisedJson {
        id: known.id.clone(),
        title: lang.of(&known.title).to_owned(),
        cause: lang.of(&known.cause).to_owned(),
        resolution: lang.of(&known.resolution).to_owned(),
        took_ms: known.took.map(millis),
        matched: words.to_owned(),
    });
    let similar = rank(&subject, &past, limit).into_iter().filter_map(shown).collect();
    Ok(SimilarJson { incident: row.incident.id.0, similar, known })
}

fn likeness(one: Similar<'_>, row: &PastRow, lang: Lang) -> LikenessJson {
    LikenessJson {
        id: one.past.id.0,
        score: one.same.score(),
        same: one.same.words(),
        service: one.past.service.clone(),
        title: row.title.clone(),
        detected: rfc3339(row.detected),
        fixed_by: one.past.fixed_by.as_ref().map(|fix| lang.of(fix).to_owned()),
        took_ms: one.past.took.map(|(least, most)| [millis(least), millis(most)]),
    }
}
