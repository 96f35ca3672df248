//! Does: corrective actions. They live where people write them: every checkbox of a post-mortem is one,
//! `- [ ] what — owner: who, due: 2026-12-01`; nothing is kept beside the files.

use jiff::civil::Date;

use super::folder::Paper;
use crate::text::printable;

/// One corrective action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Of which incident.
    pub incident: u64,
    /// Which one in its post-mortem, from 1.
    pub number: usize,
    /// Whether it is done.
    pub done: bool,
    /// What.
    pub text: String,
    /// Who does it; nobody yet where missing.
    pub owner: Option<String>,
    /// Until the end of which day.
    pub due: Option<Date>,
    /// Where its box stands in the text: the byte between the brackets.
    at: usize,
}

impl Action {
    /// Its name: the incident's number and its own.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}.{}", self.incident, self.number)
    }

    /// Whether it is open past its day.
    #[must_use]
    pub fn is_late(&self, today: Date) -> bool {
        !self.done && self.due.is_some_and(|due| due < today)
    }
}

/// The actions of a post-mortem, in its order.
#[must_use]
pub fn actions(paper: &Paper) -> Vec<Action> {
    boxes(&paper.text)
        .enumerate()
        .map(|(index, (at, text))| {
            let (text, owner, due) = parts(text);
            Action {
                incident: paper.incident,
                number: index + 1,
                done: !paper.text[at..].starts_with(' '),
                text,
                owner,
                due,
                at,
            }
        })
        .collect()
}

/// The text with `action` done; every other byte is as it was.
#[must_use]
pub fn ticked(text: &str, action: &Action) -> String {
    let mut text = text.to_owned();
    text.replace_range(action.at..=action.at, "x");
    text
}

/// The text with one more action behind the last one, or at its end.
#[must_use]
pub fn with_action(text: &str, what: &str, owner: Option<&str>, due: &str, french: bool) -> String {
    let owner = owner.unwrap_or("TODO");
    let (owner_word, due_word) =
        if french { ("responsable :", "échéance :") } else { ("owner:", "due:") };
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let line = printable(&format!("- [ ] {what} — {owner_word} {owner}, {due_word} {due}"));
    let last = boxes(text).last().map(|(at, _)| at);
    let end = last.map_or(text.len(), |at| {
        text[at..].find('\n').map_or(text.len(), |length| at + length + 1)
    });
    let (before, after) = text.split_at(end);
    let gap = if before.is_empty() || before.ends_with('\n') { "" } else { newline };
    format!("{before}{gap}{line}{newline}{after}")
}

/// Every checkbox outside of code: where the byte between its brackets is, and what stands behind it.
fn boxes(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<&str> = None;
    let mut start = 0;
    let lines = text.split_inclusive('\n').map(move |line| {
        let at = start;
        start += line.len();
        (at, line)
    });
    lines.filter_map(move |(at, line)| {
        let trimmed = line.trim_start();
        let marks = trimmed.find(|c| c != '`' && c != '~').unwrap_or(trimmed.len());
        match fence {
            Some(open) => {
                let closes =
                    trimmed[..marks].starts_with(open) && trimmed[marks..].trim().is_empty();
                fence = if closes { None } else { Some(open) };
                return None;
            }
            None if marks >= 3 => {
                fence = Some(&trimmed[..marks]);
                return None;
            }
            None => {}
        }
        let inside = trimmed.strip_prefix(['-', '*', '+'])?.strip_prefix(" [")?;
        let text = inside.strip_prefix([' ', 'x', 'X'])?.strip_prefix("] ")?;
        Some((at + line.len() - inside.len(), text.trim_end()))
    })
}

/// What, who and until when.
fn parts(line: &str) -> (String, Option<String>, Option<Date>) {
    let owner = field(line, &["owner", "responsable"]);
    let due = field(line, &["due", "échéance"]);
    let first = [&owner, &due].into_iter().flatten().map(|(at, _)| *at).min();
    let text = &line[..first.unwrap_or(line.len())];
    let text = text.trim_end_matches([' ', '—', '–', '-', ',', ';', '(', '·']);
    let value = |field: Option<(usize, &str)>| {
        let value = field?.1.trim().trim_end_matches(')').trim();
        (!value.is_empty() && value != "TODO").then(|| plain(value))
    };
    (plain(text), value(owner), value(due).and_then(|due| due.parse().ok()))
}

/// The last `name: value` of a line, with where it begins: what an action says may hold the same words.
fn field<'a>(line: &'a str, names: &[&str]) -> Option<(usize, &'a str)> {
    let found = names.iter().filter_map(|name| {
        let at = line.rfind(&format!("{name}:")).or_else(|| line.rfind(&format!("{name} :")))?;
        let begins = line[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        let (_, value) = line[at..].split_once(':')?;
        let end = value.find([',', ';', '·']).unwrap_or(value.len());
        begins.then_some((at, &value[..end]))
    });
    found.max_by_key(|(at, _)| *at)
}

/// Markdown as a reader shows it, near enough for one line in a terminal.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = printable(text.trim()).chars().collect::<Vec<_>>().into_iter().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(next)) if next.is_ascii_punctuation() => {}
            (c, _) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paper(text: &str) -> Paper {
        Paper { path: "x.md".into(), incident: 12, text: text.to_owned() }
    }

    #[test]
    fn every_checkbox_outside_of_code_is_one() {
        let text = "x\r\n- [ ] Mend a\\_b — owner: TODO, due: 2026-12-01\r\n\
            ````text\n- [ ] a log line\n```\n````\n* [x] Réparer — responsable : Ève, échéance : 2026-11-30\n\
              + [X] owner: is a word here\n- [] none\n-[ ] none\n";
        let found = actions(&paper(text));
        let told: Vec<_> = found
            .iter()
            .map(|one| (one.id(), one.done, one.text.as_str(), one.owner.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                (String::from("12.1"), false, "Mend a_b", None),
                (String::from("12.2"), true, "Réparer", Some("Ève")),
                (String::from("12.3"), true, "", Some("is a word here")),
            ]
        );
        assert_eq!(found[0].due, Some("2026-12-01".parse().unwrap()));
        assert!(found[0].is_late("2026-12-02".parse().unwrap()));
        assert!(!found[0].is_late("2026-12-01".parse().unwrap()), "the day itself is in time");
        assert!(!found[1].is_late("2027-01-01".parse().unwrap()), "what is done is not late");
    }

    #[test]
    fn a_tick_changes_one_byte() {
        let text = "é\r\n- [ ] a\r\n- [ ] b\r\n";
        let found = actions(&paper(text));
        assert_eq!(ticked(text, &found[1]), "é\r\n- [ ] a\r\n- [x] b\r\n");
    }

    #[test]
    fn one_more_stands_behind_the_last() {
        let text = "a\n- [ ] b\nend\n";
        let more = with_action(text, "c", Some("eve"), "2026-12-01", false);
        assert_eq!(more, "a\n- [ ] b\n- [ ] c — owner: eve, due: 2026-12-01\nend\n");
        let more = with_action("a", "c\nd", None, "2026-12-01", true);
        assert_eq!(more, "a\n- [ ] cd — responsable : TODO, échéance : 2026-12-01\n");
    }
}
