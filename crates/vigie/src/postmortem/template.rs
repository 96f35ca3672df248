//! Does: renders a post-mortem from vigie's template or the user's own. Whatever a template shows is
//! escaped, unless the template says itself that it is safe.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::value::ViaDeserialize;
use minijinja::{AutoEscape, Environment, ErrorKind, Value};

use super::markdown;
use crate::config::Lang;
use crate::report::ago;

const ENGLISH: &str = include_str!("../../templates/postmortem.en.md");
const FRENCH: &str = include_str!("../../templates/postmortem.fr.md");

/// Why a template gives no post-mortem.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It cannot be read.
    #[error(
        "the template {0} cannot be read: {1}; write one with `vigie incident postmortem --template > {0}`"
    )]
    Unreadable(PathBuf, std::io::Error),
    /// It is wrong.
    #[error("{path}:{line}: {what}; its fields are those of `vigie incident postmortem N --json`")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What about it.
        what: String,
    },
}

/// The template that ships with vigie.
#[must_use]
pub const fn shipped(lang: Lang) -> &'static str {
    match lang {
        Lang::En => ENGLISH,
        Lang::Fr => FRENCH,
    }
}

/// The post-mortem as Markdown, from the template at `own`, or vigie's; times are shown in `zone`.
///
/// # Errors
/// See [`TemplateError`].
pub fn render(
    facts: &serde_json::Value,
    lang: Lang,
    own: Option<&Path>,
    zone: &TimeZone,
) -> Result<String, TemplateError> {
    let (path, text) = match own {
        None => (PathBuf::from("postmortem.md"), shipped(lang).to_owned()),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| TemplateError::Unreadable(path.to_owned(), error))?;
            (path.to_owned(), text)
        }
    };
    environment(zone).render_named_str("template", &text, facts).map_err(|error| {
        TemplateError::Wrong {
            path,
            line: error.line().unwrap_or(1),
            what: error.detail().map_or_else(|| error.kind().to_string(), str::to_owned),
        }
    })
}

fn environment(zone: &TimeZone) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_keep_trailing_newline(true);
    // A slip of the pen in a field's name is told, not shown as nothing.
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("markdown"));
    environment.set_formatter(|out, _, value| {
        match value.as_str() {
            Some(text) if !value.is_safe() => out.write_str(&markdown::escaped(text)),
            _ => write!(out, "{value}"),
        }
        .map_err(minijinja::Error::from)
    });
    let [day, clock] = [zone.clone(), zone.clone()];
    environment.add_filter("when", move |at: &str| time(at, day.clone(), "%Y-%m-%d %H:%M:%S %Z"));
    environment.add_filter("clock", move |at: &str| time(at, clock.clone(), "%H:%M:%S"));
    environment.add_filter("length", |ms: u64| own(ago(Duration::from_millis(ms))));
    environment.add_filter("bounds", |ViaDeserialize(ms): ViaDeserialize<[u64; 2]>| {
        let [least, most] = ms.map(|ms| ago(Duration::from_millis(ms)));
        own(if least == most { least } else { format!("{least} – {most}") })
    });
    environment.add_filter("codeblock", |ViaDeserialize(lines): ViaDeserialize<Vec<String>>| {
        Value::from_safe_string(markdown::codeblock(lines.iter().map(String::as_str)))
    });
    environment
}

/// Words of vigie's own, in which nothing has to be escaped.
fn own(text: String) -> Value {
    Value::from_safe_string(text)
}

/// A time as people read it.
fn time(at: &str, zone: TimeZone, format: &str) -> Result<Value, minijinja::Error> {
    let at: Timestamp = at.parse().map_err(|_| {
        minijinja::Error::new(ErrorKind::InvalidOperation, format!("`{at}` is no time"))
    })?;
    Ok(own(at.to_zoned(zone).strftime(format).to_string()))
}
