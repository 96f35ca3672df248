//! The RCON password: compared, never shown.

use std::fmt;

/// A password that `Debug` does not give away.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a password; an empty one admits nobody, as on a real server.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// Whether no password was set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `attempt` opens the door.
    pub(crate) fn admits(&self, attempt: &[u8]) -> bool {
        !self.0.is_empty() && self.0.as_bytes() == attempt
    }

    /// `text` with the password blanked out, for lines that repeat what
    /// somebody else typed.
    pub(crate) fn scrub(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(&self.0, "***") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "Secret(empty)" } else { "Secret(***)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admits_only_itself_and_never_when_empty() {
        assert!(Secret::new("pw").admits(b"pw"));
        assert!(!Secret::new("pw").admits(b"pwx"));
        assert!(!Secret::default().admits(b""));
    }

    #[test]
    fn is_never_shown() {
        let secret = Secret::new("hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert_eq!(secret.scrub("rcon_password hunter2"), "rcon_password ***");
    }
}
