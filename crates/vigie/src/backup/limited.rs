//! Does: takes what a site says of itself into memory, and no more of it than an honest one says.

use std::io::{Error as IoError, Result as IoResult, Write};

use crate::text::size;

/// Takes so many bytes and no more.
pub(super) struct Limited {
    bytes: Vec<u8>,
    limit: usize,
    is_over: bool,
}

impl Limited {
    pub(super) const fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit, is_over: false }
    }

    /// What came.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether more came than it takes.
    pub(super) const fn is_over(&self) -> bool {
        self.is_over
    }

    /// How that is said.
    pub(super) fn why(&self) -> String {
        let limit = size(u64::try_from(self.limit).unwrap_or(u64::MAX));
        format!("it is larger than {limit}, which no honest one is")
    }
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        if bytes.len() > self.limit - self.bytes.len() {
            self.is_over = true;
            return Err(IoError::other(self.why()));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> IoResult<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_not_taken() {
        let mut text = Limited::new(4);
        text.write_all(b"ab").unwrap();
        text.write_all(b"cd").unwrap();
        assert!(!text.is_over());
        let told = text.write_all(b"e").unwrap_err().to_string();
        assert!(text.is_over() && told.contains("larger than"), "{told}");
        assert_eq!(text.bytes(), b"abcd");
    }
}
