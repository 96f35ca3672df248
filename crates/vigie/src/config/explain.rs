//! Does: turns a parser's error into one that a person can act on: file, line, column, the line
//! itself, and the nearest known name.

use std::ops::Range;
use std::path::{Path, PathBuf};

use strsim::osa_distance as distance;

use super::hush;

/// An error in a configuration file or runbook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.render())]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// Line and column, from 1; zero where there is no place to point at.
    pub at: (usize, usize),
    /// The line itself.
    pub line: String,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl ConfigError {
    /// An error that concerns the whole file.
    #[must_use]
    pub fn whole(file: &Path, what: impl Into<String>, hint: Option<String>) -> Self {
        Self { file: file.to_owned(), at: (0, 0), line: String::new(), what: what.into(), hint }
    }

    /// An error at a place in `text`.
    #[must_use]
    pub fn at(file: &Path, text: &str, span: Option<Range<usize>>, what: &str) -> Self {
        let Some(span) = span else {
            let (what, hint) = advise(&hush::message(what));
            return Self::whole(file, what, hint);
        };
        let start = span.start.min(text.len());
        let before = text.get(..start).unwrap_or_default();
        let line_no = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
        let line = text.lines().nth(line_no - 1).unwrap_or_default().to_owned();
        let told = if hush::is_shown(&line) { what.to_owned() } else { hush::message(what) };
        let (what, hint) = advise(&told);
        Self { file: file.to_owned(), at: (line_no, column), line, what, hint }
    }

    /// From the TOML parser.
    #[must_use]
    pub fn from_toml(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        Self::at(file, text, error.span(), error.message())
    }

    fn render(&self) -> String {
        let file = self.file.display();
        let mut out = match self.at {
            (0, _) => format!("{file}: {}", self.what),
            (line, column) => {
                let shown = hush::line(&self.line);
                let gutter = " ".repeat(line.to_string().len());
                // Where the line was cut the mark stands behind it.
                let pad = " ".repeat((column - 1).min(shown.chars().count()));
                format!(
                    "{file}:{line}:{column}: {}\n{gutter} |\n{line} | {shown}\n{gutter} | {pad}^",
                    self.what
                )
            }
        };
        if let Some(hint) = &self.hint {
            out.push_str("\nhint: ");
            out.push_str(hint);
        }
        out
    }
}

/// Splits serde's "unknown field `x`, expected one of `a`, `b`" into a cause and the nearest name.
fn advise(message: &str) -> (String, Option<String>) {
    let message = message.trim();
    let Some((what, expected)) = message.split_once(", expected ") else {
        return (message.to_owned(), None);
    };
    let wrong = what.split('`').nth(1);
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let (Some(wrong), false) = (wrong, known.is_empty()) else {
        return (message.to_owned(), None);
    };
    let nearest = known.iter().min_by_key(|name| distance(wrong, name));
    let close = nearest.filter(|name| distance(wrong, name) <= 1 + wrong.len() / 3);
    let hint = match close {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known here: {}", known.join(", ")),
    };
    (what.to_owned(), Some(hint))
}
