//! Cuts a console line the way the Source engine does.
//!
//! A `;` or a line break outside quotes ends a command: `say hi; quit` stops a
//! real server too, and whoever relays a player's text has to know it.

/// The commands of one line, in order, empty ones left out.
pub(crate) fn commands(line: &str) -> Vec<&str> {
    let mut quoted = false;
    line.split(move |c: char| {
        quoted ^= c == '"';
        // A line break ends a quote that was left open.
        quoted &= c != '\n';
        !quoted && (c == ';' || c == '\n' || c == '\r')
    })
    .map(str::trim)
    .filter(|command| !command.is_empty())
    .collect()
}

/// The words of one command; quotes group and are dropped.
pub(crate) fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = command.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('"') {
            Some(inside) => inside.split_once('"').unwrap_or((inside, "")),
            None => {
                let end = rest.find(|c: char| c.is_whitespace() || c == '"');
                rest.split_at(end.unwrap_or(rest.len()))
            }
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

/// What follows the first word, as it was typed, outer quotes dropped.
pub(crate) fn tail(command: &str) -> &str {
    let tail = command.trim_start().split_once(char::is_whitespace).map_or("", |(_, tail)| tail);
    let tail = tail.trim();
    tail.strip_prefix('"').and_then(|inside| inside.strip_suffix('"')).unwrap_or(tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_semicolon_ends_a_command_unless_quoted() {
        assert_eq!(commands("say hi; quit"), ["say hi", "quit"]);
        assert_eq!(commands("say \"hi; quit\""), ["say \"hi; quit\""]);
        assert_eq!(commands("say \"open\nquit"), ["say \"open", "quit"]);
        assert_eq!(commands(" ;;\n "), [""; 0]);
    }

    #[test]
    fn quotes_group_words() {
        assert_eq!(words("a \"b c\" d"), ["a", "b c", "d"]);
        assert_eq!(words("a\"b\""), ["a", "b"]);
        assert_eq!(words("\"open"), ["open"]);
        assert_eq!(tail("say  hello  you "), "hello  you");
        assert_eq!(tail("say \"a b\""), "a b");
        assert_eq!(tail("say"), "");
    }

    proptest! {
        #[test]
        fn never_panics(line in any::<String>()) {
            for command in commands(&line) {
                words(command);
                tail(command);
            }
        }
    }
}
