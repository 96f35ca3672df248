//! Does: one sentence with holes: whether a text is this sentence, and what stands in its holes. A
//! text is read once from the left up to the open hole and once from the right behind it, so that it
//! is linear and nothing in the open hole, which may be anybody's words, can move the others.

/// What may stand in a hole, and what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hole {
    /// `{}`: any text, kept as it is: console lines, players' names, what other programs say.
    Verbatim,
    /// `{n}`: a name or a number, without a space in it; kept as it is.
    Name,
    /// `{w}`: a word of the catalogue, or some joined by `or` or `and`.
    Word,
    /// `{s}`: a sentence of the catalogue; any other text is kept as it is.
    Sentence,
    /// `{k}`: a sentence of the catalogue, nothing else: for what has few letters of its own.
    Known,
    /// `{l}`: sentences of the catalogue in a row; any other text is kept as it is.
    List,
}

impl Hole {
    fn parse(inside: &str) -> Option<Self> {
        Some(match inside {
            "" => Self::Verbatim,
            "n" => Self::Name,
            "w" => Self::Word,
            "s" => Self::Sentence,
            "k" => Self::Known,
            "l" => Self::List,
            _ => return None,
        })
    }

    /// Whether it may hold letters that a sentence is known by.
    pub(super) const fn is_open(self) -> bool {
        !matches!(self, Self::Name | Self::Word)
    }
}

/// A part of what is said.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Text(&'static str),
    /// The argument of this index.
    Argument(usize),
}

/// A sentence in both languages.
#[derive(Debug)]
pub(super) struct Template {
    /// One more than there are holes: a hole stands between two of them.
    literals: Vec<&'static str>,
    pub(super) holes: Vec<Hole>,
    pub(super) said: Vec<Part>,
}

/// By which word of a text a sentence is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key<'a> {
    First(&'a str),
    Second(&'a str),
    Any,
}

impl Template {
    /// `None` for what is no sentence: two holes side by side, two open ones, an argument that is not
    /// there. A test finds it in the catalogue.
    pub(super) fn parse(english: &'static str, french: &'static str) -> Option<Self> {
        let (literals, insides) = split(english)?;
        let holes = insides.iter().map(|inside| Hole::parse(inside));
        let holes = holes.collect::<Option<Vec<_>>>()?;
        let inner = literals.iter().skip(1).take(holes.len().saturating_sub(1));
        if inner.clone().any(|literal| literal.is_empty())
            || holes.iter().filter(|hole| hole.is_open()).count() > 1
        {
            return None;
        }
        let (texts, insides) = split(french)?;
        let mut said = Vec::new();
        for (index, text) in texts.into_iter().enumerate() {
            if let Some(inside) = index.checked_sub(1).and_then(|before| insides.get(before)) {
                let number = if inside.is_empty() { index } else { inside.parse().ok()? };
                said.push(Part::Argument(number.checked_sub(1).filter(|at| *at < holes.len())?));
            }
            said.push(Part::Text(text));
        }
        Some(Self { literals, holes, said })
    }

    /// How much of it is its own letters.
    pub(super) fn weight(&self) -> usize {
        self.literals.iter().map(|literal| literal.len()).sum()
    }

    /// The word that every text of this sentence has at that place.
    pub(super) fn key(&self) -> Key<'static> {
        let whole = |text: &'static str, is_last: bool| match text.split_once(' ') {
            Some((word, _)) => Some(word),
            None => is_last.then_some(text),
        };
        match (self.literals.as_slice(), self.holes.first()) {
            ([first, behind @ ..], _) if !first.is_empty() => {
                whole(first, behind.is_empty()).map_or(Key::Any, Key::First)
            }
            ([_, second, behind @ ..], Some(Hole::Name)) => {
                let word =
                    second.split_once(' ').and_then(|(_, from)| whole(from, behind.is_empty()));
                word.filter(|word| !word.is_empty()).map_or(Key::Any, Key::Second)
            }
            _ => Key::Any,
        }
    }

    /// What stands in the holes, if `text` is this sentence as far as its own letters say.
    pub(super) fn arguments<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let (first, behind) = self.literals.split_first()?;
        let mut rest = text.strip_prefix(first)?;
        if self.holes.is_empty() {
            return rest.is_empty().then(Vec::new);
        }
        let open = self.holes.iter().position(|hole| hole.is_open());
        let open = open.unwrap_or(self.holes.len() - 1);
        let mut arguments = Vec::with_capacity(self.holes.len());
        for literal in behind.get(..open)? {
            let (argument, after) = rest.split_once(literal)?;
            arguments.push(argument);
            rest = after;
        }
        let (last, between) = behind.get(open..)?.split_last()?;
        rest = rest.strip_suffix(last)?;
        let mut from_right = Vec::with_capacity(between.len());
        for literal in between.iter().rev() {
            let (before, argument) = rest.rsplit_once(literal)?;
            from_right.push(argument);
            rest = before;
        }
        arguments.push(rest);
        arguments.extend(from_right.into_iter().rev());
        Some(arguments)
    }
}

/// A pattern's literals and the insides of its holes between them.
fn split(pattern: &'static str) -> Option<(Vec<&'static str>, Vec<&'static str>)> {
    let (mut literals, mut insides, mut rest) = (Vec::new(), Vec::new(), pattern);
    while let Some((literal, behind)) = rest.split_once('{') {
        let (inside, after) = behind.split_once('}')?;
        literals.push(literal);
        insides.push(inside);
        rest = after;
    }
    literals.push(rest);
    Some((literals, insides))
}
