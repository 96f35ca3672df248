//! Does: shows what would change in each file as a unified diff. Secrets are shown as dots, so such a
//! diff is for reading; `--fix` writes the real thing.

use similar::TextDiff;
use vigie_core::doctor::{Facts, Project, Service, Texts, looks_secret};

use super::Looked;

const DOTS: &str = "…";
/// Shorter texts stand in too many words to be taken out of every line.
const SHORT: usize = 4;
/// What keeps secrets and the copies of old files out of git.
const IGNORED: [&str; 2] = [".env", "*.vigie-*.bak"];

/// A file that would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Which one.
    pub kind: Kind,
    /// As it is shown.
    pub path: String,
    /// As it is; nothing when it is new.
    pub before: Option<String>,
    /// As it would be.
    pub after: String,
}

/// Which file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A compose file, by its number.
    Compose(usize),
    /// `.env`.
    Dotenv,
    /// `.gitignore`.
    Gitignore,
}

/// The files that differ, in the order in which they are to be written: what keeps a secret is there
/// before the secret is taken out of where it was.
#[must_use]
pub fn changes(looked: &Looked, before: &Texts, after: &Texts) -> Vec<FileChange> {
    let mut changes = Vec::new();
    let shown = |name: &str| super::collect::shown(&looked.directory.join(name));
    if after.ignore_dotenv && !before.ignore_dotenv {
        let old = std::fs::read_to_string(looked.directory.join(".gitignore")).ok();
        let known = looked.facts.git.as_ref().is_some_and(|git| git.ignores_dotenv);
        let text = gitignore(old.as_deref().unwrap_or_default(), known);
        if old.as_deref() != Some(text.as_str()) {
            let path = shown(".gitignore");
            changes.push(FileChange { kind: Kind::Gitignore, path, before: old, after: text });
        }
    }
    if before.dotenv != after.dotenv {
        let old = looked.facts.dotenv.as_ref().map(|file| file.text.clone());
        let after = after.dotenv.text().to_owned();
        changes.push(FileChange { kind: Kind::Dotenv, path: shown(".env"), before: old, after });
    }
    let both = before.compose.iter().zip(&after.compose).enumerate();
    changes.extend(both.filter(|(_, (old, new))| old.text() != new.text()).map(
        |(number, (old, new))| FileChange {
            kind: Kind::Compose(number),
            path: looked.facts.files[number].path.clone(),
            before: Some(old.text().to_owned()),
            after: new.text().to_owned(),
        },
    ));
    changes
}

/// `.gitignore` with what has to be in it; `known` is whether it leaves `.env` out by another pattern.
fn gitignore(old: &str, known: bool) -> String {
    let line_break = if old.contains("\r\n") { "\r\n" } else { "\n" };
    let mut text = old.to_owned();
    for line in IGNORED.into_iter().skip(usize::from(known)) {
        if old.lines().any(|known| known.trim() == line) {
            continue;
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push_str(line_break);
        }
        text.push_str(line);
        text.push_str(line_break);
    }
    text
}

/// The values that are never shown.
#[derive(Clone, Default)]
pub struct Masks(Vec<String>);

impl std::fmt::Debug for Masks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Masks({} values)", self.0.len())
    }
}

impl Masks {
    /// All secrets that the files have, as they were looked at and as they would be: in compose files,
    /// in `.env`, and what fixes move from one to the other.
    #[must_use]
    pub fn of(all: &[&Facts]) -> Self {
        let mut values = Vec::new();
        for facts in all {
            let project = Project::read(facts);
            values.extend(project.services.iter().flat_map(Service::secrets));
            let named = facts.variables.iter().filter(|(name, _)| looks_secret(name));
            values
                .extend(named.map(|(_, value)| value.clone()).filter(|value| value.len() >= SHORT));
        }
        // As it stands in a compose file, and as it stands anywhere else.
        let other: Vec<String> = values.iter().map(|value| value.replace("$$", "$")).collect();
        values.extend(other);
        values.retain(|value| !value.is_empty());
        // The longest first: one may be a part of another.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.dedup();
        Self(values)
    }

    /// A line of a diff with the secrets taken out.
    fn line(&self, line: &str, kind: Kind) -> String {
        let (text, end) = split_end(line);
        if kind == Kind::Dotenv {
            let body = text.get(1..).unwrap_or_default();
            // Also in comments, and where a value goes over several lines.
            return match body.split_once('=') {
                Some((name, _)) => format!("{}{name}={DOTS}{end}", &text[..1]),
                None if body.trim().is_empty() || body.trim_start().starts_with('#') => {
                    line.to_owned()
                }
                None => format!("{}{DOTS}{end}", text.get(..1).unwrap_or_default()),
            };
        }
        if let Some(shown) = commented_out(text) {
            return format!("{shown}{DOTS}{end}");
        }
        let changed = text.starts_with(['-', '+']);
        let hidden = self.0.iter().filter(|value| changed || value.len() >= SHORT);
        let text = hidden.fold(text.to_owned(), |text, value| text.replace(value.as_str(), DOTS));
        text + end
    }
}

/// What may be shown of a line on which a secret is commented out.
fn commented_out(text: &str) -> Option<&str> {
    let sign =
        text.find('#').filter(|at| text.get(1..*at).is_some_and(|lead| lead.trim().is_empty()))?;
    let value = sign + text[sign..].find([':', '='])?;
    let name = text[..value].rsplit(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    looks_secret(name).then(|| &text[..=value])
}

fn split_end(line: &str) -> (&str, &str) {
    line.split_at(line.trim_end_matches(['\r', '\n']).len())
}

impl FileChange {
    /// As a unified diff, secrets taken out.
    #[must_use]
    pub fn diff(&self, masks: &Masks) -> String {
        let before = self.before.as_deref().unwrap_or_default();
        let from =
            if self.before.is_some() { format!("a/{}", self.path) } else { "/dev/null".into() };
        let diff = TextDiff::from_lines(before, &self.after);
        let text = diff
            .unified_diff()
            .context_radius(2)
            .header(&from, &format!("b/{}", self.path))
            .to_string();
        let told = text.split_inclusive('\n').enumerate().map(|(number, line)| {
            let head = number < 2 || line.starts_with("@@");
            if head { line.to_owned() } else { masks.line(line, self.kind) }
        });
        told.collect()
    }
}
