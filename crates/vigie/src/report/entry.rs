//! Does: puts entries of the development journal into JSON and Markdown.

use serde::Serialize;
use vigie_core::respond::Commit;

use super::catalogue::{title, word};
use super::{Lang, rfc3339};
use crate::store::{EntryRow, IncidentRow};

/// An entry; see `docs/guide/json.md`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the shape is documented in the guide, field by field")]
pub struct EntryJson {
    pub id: u64,
    pub at: String,
    pub by: String,
    pub text: String,
    pub incidents: Vec<u64>,
    pub commits: Vec<Commit>,
}

/// The JSON shape of an entry.
#[must_use]
pub fn entry_json(row: &EntryRow) -> EntryJson {
    EntryJson {
        id: row.entry.number,
        at: rfc3339(row.wall),
        by: row.by.to_string(),
        text: row.entry.text.clone(),
        incidents: row.entry.incidents.iter().map(|id| id.0).collect(),
        commits: row.entry.commits.clone(),
    }
}

/// An incident that an entry is about, in one line.
#[must_use]
pub fn about(row: &IncidentRow, lang: Lang) -> String {
    let incident = &row.incident;
    let (severity, state) = (incident.severity.word(), word(incident.state.word(), lang));
    let title = title(incident.group, &incident.title, lang);
    format!("{} {severity} {state}, {} — {title}", incident.id, incident.service)
}

/// One entry in Markdown. Whatever stands in it is shown as it is: it formats nothing.
#[must_use]
pub fn entry_markdown(row: &EntryRow, incidents: &[IncidentRow], lang: Lang) -> String {
    let [head, commit] = match lang {
        Lang::En => ["Entry", "commit"],
        Lang::Fr => ["Entrée", "commit"],
    };
    let at = rfc3339(row.wall)[..16].replace('T', " ");
    let (number, by) = (row.entry.number, plain(&row.by.to_string()));
    // Two lines with nothing between them would become one.
    let text: Vec<_> = row.entry.text.lines().map(plain).collect();
    let text = text.join("\\\n").replace("\\\n\\\n", "\n\n").replace("\n\\\n", "\n\n");
    let mut out = format!("### {head} {number}, {at} UTC, {by}\n\n{text}\n");
    let about = incidents.iter().map(|row| format!("* incident {}\n", plain(&about(row, lang))));
    let by = row.entry.commits.iter().map(|one| {
        let (hash, subject) = (plain(&one.hash), plain(&one.subject));
        format!("* {commit} {hash}: {subject}\n")
    });
    let links: String = about.chain(by).collect();
    if !links.is_empty() {
        out.push('\n');
        out.push_str(&links);
    }
    out
}

/// A line of text, escaped where Markdown would read something into it.
fn plain(line: &str) -> String {
    let line = line.trim();
    let digits = line.find(|c: char| !c.is_ascii_digit()).unwrap_or(line.len());
    let mut out = String::with_capacity(line.len() + 8);
    for (at, c) in line.char_indices() {
        let marks = matches!(
            c,
            '\\' | '`'
                | '*'
                | '_'
                | '{'
                | '}'
                | '['
                | ']'
                | '<'
                | '>'
                | '#'
                | '|'
                | '~'
                | '!'
                | '&'
        );
        // These mean something only where a line begins: lists, rules, the underlines of headings.
        let leads = match c {
            '-' | '+' | '=' => at == 0,
            '.' | ')' => at == digits && at > 0,
            _ => false,
        };
        if marks || leads {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use vigie_core::Moment;
    use vigie_core::incident::{Actor, Group, IncidentId, Severity};
    use vigie_core::learn::Entry;
    use vigie_core::{Record, State};

    use super::*;

    fn row(text: &str) -> EntryRow {
        let commit = Commit {
            hash: String::from("1a2b3c4"),
            subject: String::from("Use the 64-bit module ![x](http://example.org/x.png)"),
        };
        let mut entry = Entry::new(text.to_owned(), &[IncidentId(3)], vec![commit]);
        entry.number = 2;
        EntryRow { wall: 1_764_000_000_000, by: Actor::Person(String::from("Zoé")), entry }
    }

    fn incident() -> IncidentRow {
        let opened = Record::IncidentOpened {
            incident: IncidentId(3),
            service: String::from("gmod"),
            group: Group::Availability,
            severity: Severity::P1,
            title: String::from("gmod is exited, exit code 139"),
            players: None,
        };
        let state = State::replay([(Moment::from_ms(1), opened)]);
        IncidentRow { incident: state.incidents[&IncidentId(3)].clone(), runs: Vec::new() }
    }

    #[test]
    fn the_documented_shape() {
        insta::assert_json_snapshot!(entry_json(&row("MySQLOO loads again, see #3")));
    }

    #[test]
    fn markdown_reads_nothing_into_an_entry() {
        let hostile = "# no heading\n- no list\n12. nor this\n===\n<script>`x` **b** [l](x)\n\n\n    \
            no code &amp; | no | table";
        let told = entry_markdown(&row(hostile), &[incident()], Lang::Fr);
        insta::assert_snapshot!(told);
    }
}
