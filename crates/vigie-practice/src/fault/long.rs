//! `practice long BYTES`: an answer of exactly that length, to try the
//! boundaries between RCON packets (one holds 4086 bytes).

use super::args;

const USAGE: &str = "practice long BYTES";
const LONGEST: u32 = 1 << 20;

/// A long answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Long {
    bytes: u32,
}

impl Long {
    pub(super) fn parse(words: &[&str]) -> Result<Self, String> {
        match words {
            // A line break alone would be no answer at all.
            [bytes] => Ok(Self { bytes: args::count(bytes, LONGEST, USAGE)?.max(2) }),
            _ => Err(args::wrong(USAGE)),
        }
    }

    /// Rows of ten characters, the position first, so that a lost or doubled
    /// piece shows. The final line break counts.
    pub(super) fn strike(self) -> String {
        let bytes = self.bytes as usize;
        let mut text: String =
            (0..bytes.div_ceil(10)).map(|row| format!("{:08}.\n", row * 10)).collect();
        text.truncate(bytes.saturating_sub(1));
        // The caller cuts line breaks at the end and puts one.
        if text.ends_with('\n') {
            text.pop();
            text.push('.');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_as_long_as_asked_with_its_line_break() {
        for bytes in [2, 10, 11, 12, 4085, 4086, 4087, 8172, 8173] {
            let text = Long { bytes }.strike();
            assert_eq!(text.len() + 1, bytes as usize);
            assert!(!text.ends_with('\n'));
        }
    }
}
