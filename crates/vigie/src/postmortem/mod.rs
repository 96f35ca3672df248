//! Does: post-mortems as Markdown files that belong to people: vigie fills in what it knows once, and
//! never writes over what somebody wrote; corrective actions are read from the files.

mod action;
mod commit;
mod folder;
mod markdown;
mod remind;
mod template;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::Value;
use vigie_core::incident::IncidentId;

pub use action::{Action, actions, ticked, with_action};
pub use commit::{CommitError, commit};
pub use folder::{FolderError, Paper, papers, replace, write_new};
pub(crate) use remind::watch as remind;
pub use template::{TemplateError, render, shipped};

use crate::config::{Config, Lang};
use crate::report::{Material, ago, postmortem_json};
use crate::respond::Redactor;
use crate::store::{IncidentRow, JournalError, Register};

/// The directory of `config`'s post-mortems.
#[must_use]
pub fn directory(config: &Config) -> PathBuf {
    config.directory().join(&config.file.postmortem.directory)
}

/// The post-mortem of an incident, where there is one.
///
/// # Errors
/// See [`FolderError`].
pub fn find(config: &Config, incident: IncidentId) -> Result<Option<Paper>, FolderError> {
    let papers = papers(&directory(config))?;
    Ok(papers.into_iter().find(|paper| paper.incident == incident.0))
}

/// Where a new post-mortem of `row` goes.
#[must_use]
pub fn place(config: &Config, row: &IncidentRow) -> PathBuf {
    let at =
        Timestamp::from_millisecond(row.incident.detected.wall).unwrap_or(Timestamp::UNIX_EPOCH);
    let day = at.to_zoned(TimeZone::system()).date();
    directory(config).join(format!("{day}-incident-{}.md", row.incident.id.0))
}

/// Today in the host's zone.
#[must_use]
pub fn today() -> Date {
    Zoned::now().date()
}

/// The day by which an action that is proposed today is due.
#[must_use]
pub fn due(config: &Config) -> Date {
    let days = config.file.postmortem.due.as_secs() / (24 * 60 * 60);
    let days = jiff::Span::new().try_days(i64::try_from(days).unwrap_or(i64::MAX));
    days.ok().and_then(|days| today().checked_add(days).ok()).unwrap_or(Date::MAX)
}

/// What there is to say about an incident, without secrets; the shape is
/// [`crate::report::PostmortemJson`].
///
/// # Errors
/// When the register cannot be read.
pub fn facts(
    config: &Config,
    register: &Register,
    row: &IncidentRow,
    lang: Lang,
) -> Result<Value, JournalError> {
    let timeline = register.timeline(row.incident.id)?;
    let seen_before = register.seen_before(row).map(|recall| {
        let took = recall.took.map_or_else(String::new, |took| format!(" ({})", ago(took)));
        format!("{}: {}{took}", recall.what, lang.of(&recall.fixed_by))
    });
    let facts = postmortem_json(&Material {
        row,
        timeline: &timeline,
        stack: &config.stack,
        seen_before: seen_before.as_deref(),
        due: &due(config).to_string(),
        lang,
    });
    let mut facts = serde_json::to_value(facts).unwrap_or_default();
    // What consoles said was cleaned when it was kept; what a person noted was not.
    clean(&mut facts, &Redactor::of(config));
    Ok(facts)
}

/// Takes the secrets out of every text in `value`.
fn clean(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::String(text) => *text = redactor.clean(text),
        Value::Array(values) => values.iter_mut().for_each(|value| clean(value, redactor)),
        Value::Object(fields) => fields.values_mut().for_each(|value| clean(value, redactor)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A post-mortem as Markdown.
///
/// # Errors
/// See [`TemplateError`].
pub fn draft(config: &Config, facts: &Value, lang: Lang) -> Result<String, TemplateError> {
    let own = config.file.postmortem.template.as_ref();
    let own = own.map(|template| config.directory().join(template));
    render(facts, lang, own.as_deref(), &TimeZone::system())
}
