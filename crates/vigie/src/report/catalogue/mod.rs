//! Does: says in the reader's language what the core wrote in English. The journal keeps one
//! language for ever; this is the other one, sentence by sentence, as gettext has it. A text that is
//! no whole sentence of the catalogue stays as it is, and so does what stands in a sentence but came
//! from outside.

mod french;
mod template;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use vigie_core::detect::{SymptomKind, lua_sample};
use vigie_core::incident::Group;

use template::{Hole, Key, Part, Template};

use super::tell::Lang;

/// Sentences within sentences: no more than the core writes, so that no text makes it slow.
const DEEP: usize = 4;
/// Sentences in a row, for the same reason.
const LONG: usize = 16;
/// What stands between the sentences of a list, and what is said instead.
const BETWEEN: [(&str, &str); 3] = [(", then ", ", puis "), ("; ", " ; "), (", ", ", ")];
/// The same between words.
const JOINED: [(&str, &str); 2] = [(" or ", " ou "), (" and ", " et ")];

static FRENCH: LazyLock<Catalogue> =
    LazyLock::new(|| Catalogue::of(french::SENTENCES, french::WORDS));

/// A sentence of the core in the reader's language.
#[must_use]
pub fn say(text: &str, lang: Lang) -> Cow<'_, str> {
    match lang {
        Lang::En => Cow::Borrowed(text),
        Lang::Fr => FRENCH.sentence(text, DEEP).map_or(Cow::Borrowed(text), Cow::Owned),
    }
}

/// An incident's title in the reader's language. What a person reported has that person's words.
#[must_use]
pub fn title(group: Group, text: &str, lang: Lang) -> Cow<'_, str> {
    let reported = group == Group::Errors && lua_sample(text).is_none();
    if reported { Cow::Borrowed(text) } else { say(text, lang) }
}

/// Why a look at a service failed; a Lua error, which stands in the same place, is kept.
#[must_use]
pub fn last_error(text: &str, lang: Lang) -> Cow<'_, str> {
    match text.split_once(": ") {
        Some(("a2s" | "rcon" | "database" | "tcp", _)) => say(text, lang),
        _ => Cow::Borrowed(text),
    }
}

/// A word of the core (a state, a symptom, a source) in the reader's language.
#[must_use]
pub fn word(text: &str, lang: Lang) -> &str {
    match lang {
        Lang::En => text,
        Lang::Fr => FRENCH.words.get(text).copied().unwrap_or(text),
    }
}

/// A symptom in the reader's language.
#[must_use]
pub fn symptom(kind: SymptomKind, lang: Lang) -> &'static str {
    let known = french::SYMPTOMS.iter().filter(|_| lang == Lang::Fr);
    known
        .copied()
        .find(|(english, _)| *english == kind.word())
        .map_or(kind.word(), |(_, said)| said)
}

/// All that can be said in one other language.
#[derive(Debug)]
struct Catalogue {
    /// The most letters of its own first: the first that fits is the closest.
    templates: Vec<Template>,
    index: HashMap<Key<'static>, Vec<usize>>,
    words: HashMap<&'static str, &'static str>,
}

impl Catalogue {
    fn of(
        sentences: &[(&'static str, &'static str)],
        words: &[(&'static str, &'static str)],
    ) -> Self {
        let parsed = sentences.iter().filter_map(|(from, to)| Template::parse(from, to));
        let mut templates: Vec<_> = parsed.collect();
        templates.sort_by_key(|template| std::cmp::Reverse(template.weight()));
        let mut index: HashMap<_, Vec<_>> = HashMap::new();
        for (at, template) in templates.iter().enumerate() {
            index.entry(template.key()).or_default().push(at);
        }
        Self { templates, index, words: words.iter().copied().collect() }
    }

    fn sentence(&self, text: &str, deep: usize) -> Option<String> {
        let deep = deep.checked_sub(1)?;
        let mut words = text.split(' ');
        let keys = [words.next().map(Key::First), words.next().map(Key::Second), Some(Key::Any)];
        let found = keys.into_iter().flatten().filter_map(|key| self.index.get(&key));
        let mut candidates: Vec<_> = found.flatten().copied().collect();
        candidates.sort_unstable();
        let mut templates = candidates.into_iter().filter_map(|at| self.templates.get(at));
        templates.find_map(|template| self.fill(template, &template.arguments(text)?, deep))
    }

    fn fill(&self, template: &Template, arguments: &[&str], deep: usize) -> Option<String> {
        let holes = template.holes.iter().zip(arguments);
        let arguments = holes.map(|(hole, argument)| self.argument(*hole, argument, deep));
        let arguments = arguments.collect::<Option<Vec<_>>>()?;
        let parts = template.said.iter().map(|part| match part {
            Part::Text(text) => text,
            Part::Argument(at) => arguments.get(*at).map_or("", AsRef::as_ref),
        });
        Some(parts.collect())
    }

    /// `None` when `text` cannot stand in such a hole.
    fn argument<'t>(&self, hole: Hole, text: &'t str, deep: usize) -> Option<Cow<'t, str>> {
        let kept = Cow::Borrowed(text);
        match hole {
            Hole::Verbatim => Some(kept),
            Hole::Name => (!text.is_empty() && !text.contains(char::is_whitespace)).then_some(kept),
            Hole::Word => self.some_words(text).map(Cow::Owned),
            Hole::Sentence => Some(self.sentence(text, deep).map_or(kept, Cow::Owned)),
            Hole::Known => self.sentence(text, deep).map(Cow::Owned),
            Hole::List => Some(self.list(text, deep).map_or(kept, Cow::Owned)),
        }
    }

    fn some_words(&self, text: &str) -> Option<String> {
        if let Some(word) = self.words.get(text) {
            return Some((*word).to_owned());
        }
        JOINED.iter().find_map(|(between, said)| {
            let words = text.split(between).map(|word| self.words.get(word).copied());
            Some(words.collect::<Option<Vec<_>>>()?.join(said))
        })
    }

    fn list(&self, text: &str, deep: usize) -> Option<String> {
        BETWEEN.iter().find_map(|(between, said)| {
            let (mut rest, mut whole) = (text, String::new());
            for _ in 0..LONG {
                // The rest as one sentence first: what looks like a list may be somebody's words.
                if let Some(last) = self.sentence(rest, deep) {
                    return Some(whole + &last);
                }
                let (one, behind) = rest.split_once(between)?;
                whole += &self.sentence(one, deep)?;
                whole += said;
                rest = behind;
            }
            None
        })
    }
}
