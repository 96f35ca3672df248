//! Decides what Compose puts in for `$NAME` and `${NAME:-default}`, and which variables a text needs.

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// As it is; `$$` is one `$`.
    Literal(String),
    /// A variable.
    Variable {
        /// Its name.
        name: String,
        /// What stands behind the name: `:-`, `-`, `:?`, `?`, `:+`, `+`, or nothing.
        how: String,
        /// What stands behind that: the default, or the message.
        rest: String,
    },
}

/// The pieces of `text`. What is no variable stays as it is.
#[must_use]
pub fn parts(text: &str) -> Vec<Part> {
    let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), text);
    while let Some(at) = rest.find('$') {
        literal.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            literal.push('$');
            rest = after;
            continue;
        }
        let Some((part, after)) = variable(rest) else {
            literal.push('$');
            continue;
        };
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
        }
        parts.push(part);
        rest = after;
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    parts
}

fn variable(text: &str) -> Option<(Part, &str)> {
    let (inner, after) = match text.strip_prefix('{') {
        Some(braced) => {
            let end = closing(braced)?;
            (&braced[..end], &braced[end + 1..])
        }
        None => text.split_at(name_end(text)),
    };
    let (name, behind) = inner.split_at(name_end(inner));
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let colon = usize::from(behind.starts_with(':'));
    let sign = behind[colon..].starts_with(['-', '?', '+']);
    if !behind.is_empty() && !sign {
        return None;
    }
    let (how, rest) = behind.split_at(if sign { colon + 1 } else { 0 });
    let part = Part::Variable { name: name.into(), how: how.into(), rest: rest.into() };
    Some((part, after))
}

fn name_end(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// The brace that closes, with those within it skipped.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The names of the variables in `text`, those in defaults too.
#[must_use]
pub fn variables(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in parts(text) {
        if let Part::Variable { name, rest, .. } = part {
            names.push(name);
            names.extend(variables(&rest));
        }
    }
    names
}

/// Puts the variables in.
#[must_use]
pub fn fill(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let one = |part| match part {
        Part::Literal(text) => text,
        Part::Variable { name, how, rest } => {
            let set = value(&name);
            let usable = set.clone().filter(|set| !how.starts_with(':') || !set.is_empty());
            match how.trim_start_matches(':') {
                "-" => usable.unwrap_or_else(|| fill(&rest, value)),
                "+" => usable.map_or_else(String::new, |_| fill(&rest, value)),
                _ => set.unwrap_or_default(),
            }
        }
    };
    parts(text).into_iter().map(one).collect()
}

/// `text` so that Compose leaves it alone.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('$', "$$")
}
