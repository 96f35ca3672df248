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

/// The actions of a post-mortem, in its order. What is struck out is none, and keeps its number.
#[must_use]
pub fn actions(paper: &Paper) -> Vec<Action> {
    let all = boxes(&paper.text).enumerate().map(|(index, (at, text))| {
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
    });
    all.filter(|one| !one.text.starts_with("~~")).collect()
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
    let line = format!("- [ ] {what} — {owner_word} {owner}, {due_word} {due}");
    let line = printable(&line.replace(['\r', '\n'], " "));
    let last = boxes(text).last().map(|(at, _)| at);
    let end = last.map_or(text.len(), |at| end_of_item(text, at));
    let (before, after) = text.split_at(end);
    let gap = if before.is_empty() || before.ends_with('\n') { "" } else { newline };
    format!("{before}{gap}{line}{newline}{after}")
}

/// Where the list item ends whose box is at `at`: what is indented below it belongs to it.
fn end_of_item(text: &str, at: usize) -> usize {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let begin = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let mut lines = text[begin..].split_inclusive('\n');
    let first = lines.next().unwrap_or_default();
    let below = lines
        .take_while(|line| !line.trim().is_empty() && indent(line) > indent(first))
        .map(str::len);
    begin + first.len() + below.sum::<usize>()
}

/// Every checkbox that a reader of the file sees as one: where the byte between its brackets is, and
/// what stands behind it. Code and comments hold none.
fn boxes(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<&str> = None;
    let mut comment = false;
    let mut start = 0;
    let lines = text.split_inclusive('\n').map(move |line| {
        let at = start;
        start += line.len();
        (at, line)
    });
    lines.filter_map(move |(at, line)| {
        let trimmed = line.trim_start();
        if comment || (fence.is_none() && trimmed.starts_with("<!--")) {
            comment = !trimmed.contains("-->");
            return None;
        }
        let mark = fence_of(trimmed);
        if let Some(open) = fence {
            let behind = mark.map_or("", |mark| trimmed[mark.len()..].trim());
            let closes = mark.is_some_and(|mark| mark.starts_with(open)) && behind.is_empty();
            fence = if closes { None } else { Some(open) };
            return None;
        }
        if mark.is_some() {
            fence = mark;
            return None;
        }
        let inside = item(trimmed)?.strip_prefix('[')?;
        let text = inside.strip_prefix([' ', 'x', 'X'])?.strip_prefix("] ")?;
        Some((at + line.len() - inside.len(), text.trim_end()))
    })
}

/// The marks with which a line begins or ends a block of code. Three backticks with another behind
/// them are code within a sentence.
fn fence_of(line: &str) -> Option<&str> {
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let behind = line.trim_start_matches(mark);
    let marks = &line[..line.len() - behind.len()];
    (marks.len() >= 3 && !(mark == '`' && behind.contains('`'))).then_some(marks)
}

/// What stands in a list item: behind `-`, `*`, `+` or a number.
fn item(line: &str) -> Option<&str> {
    let behind = line.strip_prefix(['-', '*', '+']).or_else(|| {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        let numbered = (1..=9).contains(&(line.len() - rest.len()));
        rest.strip_prefix(['.', ')']).filter(|_| numbered)
    })?;
    behind.starts_with(' ').then(|| behind.trim_start_matches(' '))
}

/// What, who and until when.
fn parts(line: &str) -> (String, Option<String>, Option<Date>) {
    let owner = field(line, &["owner", "responsable"]);
    let due = field(line, &["due", "échéance"]);
    let first = [owner, due].into_iter().flatten().map(|(at, _)| at).min();
    let text = &line[..first.unwrap_or(line.len())];
    let text = text.trim_end_matches([' ', '—', '–', '-', ',', ';', '(', '·']);
    let value = |field: Option<(usize, usize)>, next: Option<(usize, usize)>| {
        let (_, begins) = field?;
        let next = next.map(|(at, _)| at).filter(|at| *at > begins);
        // Names may stand in a row, up to the day; behind the last field anything may follow.
        let value = match next {
            Some(next) => &line[begins..next],
            None => line[begins..].split([',', ';', '·']).next().unwrap_or_default(),
        };
        let value = value.trim_matches([' ', '—', '–', '-', ',', ';', '(', ')', '·', '.']);
        (!value.is_empty() && value != "TODO").then(|| plain(value))
    };
    let day = value(due, owner).and_then(|due| {
        let day = due.split([' ', ',', ';']).next().unwrap_or_default();
        day.parse().ok()
    });
    (plain(text), value(owner, due), day)
}

/// The last `name: value` of a line, where it begins and where its value does: what an action says may
/// hold the same words.
fn field(line: &str, names: &[&str]) -> Option<(usize, usize)> {
    let found = names.iter().flat_map(|name| {
        let of = |(at, word): (usize, &str)| {
            let begins = line[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
            let behind = line[at + word.len()..].trim_start_matches([' ', '\u{a0}', '\u{202f}']);
            let value = behind.strip_prefix(':')?;
            begins.then(|| (at, line.len() - value.len()))
        };
        line.match_indices(name).filter_map(of).collect::<Vec<_>>()
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
        assert_eq!(more, "a\n- [ ] c d — responsable : TODO, échéance : 2026-12-01\n");
        let more = with_action("- [ ] b\n  why\n  - how\n\nend", "c", None, "2026-12-01", false);
        let wanted = "- [ ] b\n  why\n  - how\n- [ ] c — owner: TODO, due: 2026-12-01\n\nend";
        assert_eq!(more, wanted, "what belongs to the last one stays with it");
        let more = with_action("- [ ] b", "c", None, "2026-12-01", false);
        assert_eq!(more, "- [ ] b\n- [ ] c — owner: TODO, due: 2026-12-01\n");
    }

    /// As people write them.
    #[test]
    fn who_and_when_are_read_in_any_order() {
        let day = |text: &str| Some(text.parse::<Date>().unwrap());
        for (line, owner, due) in [
            ("owner: eve — due: 2026-12-01", Some("eve"), day("2026-12-01")),
            ("owner: eve due: 2026-12-01.", Some("eve"), day("2026-12-01")),
            ("(owner: eve) (due: 2026-12-01)", Some("eve"), day("2026-12-01")),
            ("owner: Eve, Bob, due: 2026-12-01", Some("Eve, Bob"), day("2026-12-01")),
            ("due: 2026-12-01, urgent; owner: eve, see #3", Some("eve"), day("2026-12-01")),
            ("responsable\u{a0}: ève, échéance\u{a0}: 2026-12-01", Some("ève"), day("2026-12-01")),
            ("owner: eve, due: 2026-12-01, overdue: no", Some("eve"), day("2026-12-01")),
            ("owner: eve, due: 2026-02-30", Some("eve"), None),
            ("owner: , due: soon", None, None),
            ("owner: TODO, due: TODO", None, None),
        ] {
            let found = actions(&paper(&format!("- [ ] Mend it — {line}\n")));
            assert_eq!(
                (found[0].text.as_str(), found[0].owner.as_deref()),
                ("Mend it", owner),
                "{line}"
            );
            assert_eq!(found[0].due, due, "{line}");
        }
    }

    #[test]
    fn what_a_reader_sees_as_no_box_is_none() {
        let texts = |text: &str| {
            let found = actions(&paper(text));
            found.iter().map(|one| format!("{} {}", one.number, one.text)).collect::<Vec<_>>()
        };
        let struck = "- [ ] ~~Find the cause~~ — owner: TODO, due: 2026-12-01\n- [ ] b\n";
        assert_eq!(texts(struck), ["2 b"]);
        assert_eq!(
            texts("<!-- as in\n- [ ] an example\n-->\n1. [ ] a\n22) [x] b\n"),
            ["1 a", "2 b"]
        );
        assert_eq!(texts("```code``` in a sentence\n- [ ] a\n"), ["1 a"]);
        assert_eq!(texts("~~~\n```\n- [ ] a\n~~~\n-  [ ] b\n"), ["1 b"]);
        assert_eq!(texts("```\n- [ ] never closed\n"), [] as [&str; 0]);
    }
}
