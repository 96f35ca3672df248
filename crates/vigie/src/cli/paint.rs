//! Does: colour, where a terminal shows it and `NO_COLOR` does not forbid it.

use std::io::IsTerminal;

use vigie_core::incident::Severity;

/// Whether and how to colour.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    colour: bool,
}

impl Paint {
    /// For standard output.
    #[must_use]
    pub fn for_stdout() -> Self {
        Self { colour: wanted(std::io::stdout().is_terminal()) }
    }

    /// For standard error.
    #[must_use]
    pub fn for_stderr() -> Self {
        Self { colour: wanted(std::io::stderr().is_terminal()) }
    }

    /// Whether there is colour.
    #[must_use]
    pub const fn colour(self) -> bool {
        self.colour
    }

    fn code(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Good news.
    #[must_use]
    pub fn good(self, text: &str) -> String {
        self.code("32", text)
    }

    /// Bad news.
    #[must_use]
    pub fn bad(self, text: &str) -> String {
        self.code("31", text)
    }

    /// Something to look at.
    #[must_use]
    pub fn warn(self, text: &str) -> String {
        self.code("33", text)
    }

    /// Something said by the way.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.code("2", text)
    }

    /// Something that matters.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.code("1", text)
    }

    /// A line of a diff in its colour.
    #[must_use]
    pub fn diff(self, line: &str) -> String {
        match line.chars().next() {
            Some('-') => self.bad(line),
            Some('+') => self.good(line),
            Some('@') => self.dim(line),
            _ => line.to_owned(),
        }
    }

    /// A severity in its colour.
    #[must_use]
    pub fn severity(self, severity: Severity) -> String {
        let code = match severity {
            Severity::P1 => "1;31",
            Severity::P2 => "33",
            Severity::P3 => "36",
            Severity::P4 => "2",
        };
        self.code(code, severity.word())
    }
}

fn wanted(terminal: bool) -> bool {
    let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !forbidden && (terminal || forced)
}
