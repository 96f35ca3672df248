//! Decides how one variable of a `.env` file is set: its value alone changes, all other bytes stay; a
//! variable that is not there gets a line at the end.

use std::ops::Range;

use super::place::{line_break, line_end};
use super::{Place, Refusal, Why};

/// A variable of a `.env` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value, quotes taken off.
    pub value: String,
    /// Where its line begins.
    pub place: Place,
    span: Range<usize>,
}

/// A `.env` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dotenv {
    text: String,
    variables: Vec<Variable>,
}

impl Dotenv {
    /// Reads a `.env` file.
    ///
    /// # Errors
    /// Where a quote is opened that nothing closes.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut variables = Vec::new();
        let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        while at < text.len() {
            let end = line_end(text, at);
            let next = match variable(text, at, end)? {
                Some(found) => {
                    let next = line_end(text, found.span.end);
                    variables.push(found);
                    next
                }
                None => end,
            };
            let rest = &text[next..];
            let ends = if rest.starts_with("\r\n") { 2 } else { usize::from(!rest.is_empty()) };
            at = next + ends;
        }
        Ok(Self { text: text.to_owned(), variables })
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its variables, in its order.
    #[must_use]
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// A variable; of several with one name the last one counts.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().rev().find(|variable| variable.name == name)
    }

    /// The file with `name` set to `value`.
    ///
    /// # Errors
    /// When the value cannot stand in such a file, or the new file would say anything else.
    pub fn set(&self, name: &str, value: &str) -> Result<Self, Refusal> {
        let place = self.get(name).map_or(Place::START, |known| known.place);
        if value.chars().any(char::is_control) {
            return Err(Refusal::new(place, Why::NoDotenv));
        }
        let text = match self.get(name) {
            Some(known) if known.value == value => return Ok(self.clone()),
            Some(known) => {
                let old = &self.text[known.span.clone()];
                let (before, after) =
                    (&self.text[..known.span.start], &self.text[known.span.end..]);
                [before, &written(value, old.chars().next()), after].concat()
            }
            None => {
                let ends = self.text.is_empty() || self.text.ends_with(['\n', '\r']);
                let line_break = line_break(&self.text, 0);
                let lead = if ends { "" } else { line_break };
                format!("{}{lead}{name}={}{line_break}", self.text, written(value, None))
            }
        };
        let unproved = || Refusal::new(place, Why::Unproved);
        let new = Self::parse(&text).map_err(|_| unproved())?;
        if new.says() == self.says_with(name, value) { Ok(new) } else { Err(unproved()) }
    }

    fn says(&self) -> Vec<(&str, &str)> {
        self.variables.iter().map(|one| (one.name.as_str(), one.value.as_str())).collect()
    }

    fn says_with<'a>(&'a self, name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut says = self.says();
        match says.iter_mut().rev().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => says.push((name, value)),
        }
        says
    }
}

/// The value in the quotes that it had, or in those that it needs.
fn written(value: &str, quote: Option<char>) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_./:@%+=,-".contains(c);
    match quote {
        Some('"') => double(value),
        Some('\'') if !value.contains('\'') => format!("'{value}'"),
        _ if value.chars().all(plain) => value.to_owned(),
        _ if !value.contains('\'') => format!("'{value}'"),
        _ => double(value),
    }
}

fn double(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        if matches!(c, '"' | '\\' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

fn variable(text: &str, at: usize, end: usize) -> Result<Option<Variable>, Refusal> {
    let line = &text[at..end];
    let trimmed = line.trim_start();
    let lead = at + line.len() - trimmed.len();
    let exported = trimmed.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
    let body = exported.map_or(trimmed, str::trim_start);
    let Some((name, _)) = body.split_once('=').filter(|_| !body.starts_with('#')) else {
        return Ok(None);
    };
    let from = at + line.len() - body.len() + name.len() + 1;
    let value = text[from..end].trim_start_matches([' ', '\t']);
    let start = end - value.len();
    let place = Place::of_byte(text, lead);
    let (value, span) = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            quoted(text, start, quote).ok_or_else(|| Refusal::new(place, Why::Unclosed))?
        }
        _ => {
            let bare = value.find(" #").map_or(value, |comment| &value[..comment]).trim_end();
            let bare = if value.starts_with('#') { "" } else { bare };
            (bare.to_owned(), start..start + bare.len())
        }
    };
    Ok(Some(Variable { name: name.trim().to_owned(), value, place, span }))
}

/// What stands between quotes, which may go over lines, and its bytes with them.
fn quoted(text: &str, start: usize, quote: char) -> Option<(String, Range<usize>)> {
    let mut value = String::new();
    let mut chars = text[start + 1..].char_indices();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Some((value, start..start + at + 2));
        }
        if c != '\\' || quote == '\'' {
            value.push(c);
            continue;
        }
        match chars.next()?.1 {
            'n' => value.push('\n'),
            'r' => value.push('\r'),
            't' => value.push('\t'),
            c @ ('"' | '\\' | '$') => value.push(c),
            c => value.extend(['\\', c]),
        }
    }
    None
}
