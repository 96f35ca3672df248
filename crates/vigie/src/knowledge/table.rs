//! Does: reads a table of past incidents, CSV or Markdown, with English or French headings. An error
//! names the line and the column.

use std::path::{Path, PathBuf};
use std::time::Duration;

use vigie_core::incident::Severity;
use vigie_core::learn::Known;
use vigie_core::respond::Text;

use crate::text::{cut, printable};

/// Characters of one cell that are kept.
const LONGEST: usize = 2_000;

/// What is wrong with a table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It cannot be read.
    #[error("{0}: cannot be read: {1}")]
    Unreadable(PathBuf, std::io::Error),
    /// Something in it is wrong.
    #[error("{}:{line}: {what}", .file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What, with the column's name where it is in one.
        what: String,
    },
    /// There is no table in it.
    #[error(
        "{}: there is no table in it; its headings are: # | Incident | Severity | Root cause | Resolution | Time (CSV, or a Markdown table)", .0.display()
    )]
    NoTable(PathBuf),
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Id,
    Title,
    Severity,
    Cause,
    Resolution,
    Time,
    Matches,
}

impl Column {
    fn of(heading: &str) -> Option<Self> {
        Some(match heading.trim().trim_matches('*').to_lowercase().as_str() {
            "#" | "id" | "no" | "n°" => Self::Id,
            "incident" | "title" | "titre" => Self::Title,
            "severity" | "gravité" | "gravite" => Self::Severity,
            "root cause" | "cause" | "cause racine" => Self::Cause,
            "resolution" | "résolution" => Self::Resolution,
            "time" | "temps" | "durée" => Self::Time,
            "matches" | "motifs" => Self::Matches,
            _ => return None,
        })
    }
}

/// One row with the line it stands in.
type Line = (u64, Vec<String>);

/// Reads the table in `path`: every table of a Markdown file (`.md`) that has the headings, or CSV.
///
/// # Errors
/// See [`TableError`].
pub fn read_table(path: &Path) -> Result<Vec<Known>, TableError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| TableError::Unreadable(path.to_owned(), error))?;
    parse_table(path, &text)
}

/// Reads `text` as if it stood in `path`.
pub(super) fn parse_table(path: &Path, text: &str) -> Result<Vec<Known>, TableError> {
    let markdown = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("md"))
        || text.lines().any(is_rule);
    let lines = if markdown { markdown_lines(text) } else { csv_lines(path, text)? };
    let mut columns: Option<Vec<Option<Column>>> = None;
    let mut known = Vec::new();
    for (line, cells) in lines {
        let found: Vec<_> = cells.iter().map(|cell| Column::of(cell)).collect();
        let heads = |column| found.contains(&Some(column));
        if heads(Column::Title) && heads(Column::Resolution) {
            columns = Some(found);
            continue;
        }
        // Another table: it has its own headings.
        if cells.is_empty() {
            columns = if markdown { None } else { columns };
            continue;
        }
        if let Some(columns) = &columns {
            let at = |what: String| TableError::Line { file: path.to_owned(), line, what };
            known.push(one(columns, &cells).map_err(at)?);
        }
    }
    if known.is_empty() { Err(TableError::NoTable(path.to_owned())) } else { Ok(known) }
}

/// The line under a Markdown table's headings.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('|') && line.contains("--") && line.chars().all(|c| "|-: ".contains(c))
}

/// The cells of each row; what stands between tables is a row without cells.
fn markdown_lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if is_rule(line) {
            continue;
        }
        let row = line.trim().strip_prefix('|');
        let cells = row.map(|row| split(row.strip_suffix('|').unwrap_or(row))).unwrap_or_default();
        lines.push((index as u64 + 1, cells));
    }
    lines
}

/// Cells between bars; a bar in a cell is written `\|`.
fn split(row: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut rest = row.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' if rest.next_if_eq(&'|').is_some() => push(&mut cells, '|'),
            '|' => cells.push(String::new()),
            c => push(&mut cells, c),
        }
    }
    cells
}

fn push(cells: &mut [String], c: char) {
    if let Some(cell) = cells.last_mut() {
        cell.push(c);
    }
}

fn csv_lines(path: &Path, text: &str) -> Result<Vec<Line>, TableError> {
    let first = text.lines().next().unwrap_or_default();
    let count = |c: char| first.matches(c).count();
    let delimiter = if count(';') > count(',') { b';' } else { b',' };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(false).flexible(true).delimiter(delimiter);
    let read = |row: Result<csv::StringRecord, csv::Error>| {
        let row = row.map_err(|error| TableError::Line {
            file: path.to_owned(),
            line: error.position().map_or(0, csv::Position::line),
            what: error.to_string(),
        })?;
        let line = row.position().map_or(0, csv::Position::line);
        Ok((line, row.iter().map(str::to_owned).collect()))
    };
    reader.from_reader(text.as_bytes()).into_records().map(read).collect()
}

fn one(columns: &[Option<Column>], cells: &[String]) -> Result<Known, String> {
    let cell = |wanted: Column| {
        let at = columns.iter().position(|column| *column == Some(wanted))?;
        let text = cut(&printable(cells.get(at)?.trim()), LONGEST);
        (!text.is_empty()).then_some(text)
    };
    let needed = |column: Column, name: &str| {
        cell(column).ok_or_else(|| format!("the column {name} is empty; write it"))
    };
    let text = |en: String| Text { en, fr: None };
    let severity = cell(Column::Severity).unwrap_or_else(|| String::from("P3"));
    let severity = Severity::parse(severity.trim_matches('*')).ok_or_else(|| {
        format!("column Severity: `{severity}` is no severity; it is P1, P2, P3 or P4")
    })?;
    let id = cell(Column::Id).unwrap_or_default();
    let id = if id.chars().all(|c| c.is_ascii_digit()) && !id.is_empty() {
        format!("K{id}")
    } else {
        id
    };
    let matches = cell(Column::Matches).unwrap_or_default();
    let matches = matches.split(';').map(str::trim).filter(|part| !part.is_empty());
    Ok(Known {
        id: cut(&id, 20),
        severity,
        title: text(needed(Column::Title, "Incident")?),
        cause: text(cell(Column::Cause).unwrap_or_default()),
        resolution: text(needed(Column::Resolution, "Resolution")?),
        took: cell(Column::Time).map(|time| length(&time)).transpose()?,
        guard: None,
        matches: matches.map(str::to_owned).collect(),
    })
}

/// A length of time as people write it: `2h`, `1h30`, `30min`, `90 s`.
fn length(text: &str) -> Result<Duration, String> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let ends_in_minutes = plain.contains('h') && plain.ends_with(|c: char| c.is_ascii_digit());
    let plain = if ends_in_minutes { format!("{plain}m") } else { plain };
    vigie_core::span::parse(&plain).map_err(|_| {
        format!("column Time: `{text}` is not a length of time; write 2h, 1h30, 30min")
    })
}
