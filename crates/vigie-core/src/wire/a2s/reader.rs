//! Decides how fields are read off a reply: bounded by what arrived, every error with its offset.

use super::A2sError;

/// Reads a reply from front to back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn is_done(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], A2sError> {
        let end = self.at.saturating_add(length);
        let short = A2sError::Short { what, at: self.bytes.len() };
        let taken = self.bytes.get(self.at..end).ok_or(short)?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], A2sError> {
        let short = A2sError::Short { what, at: self.bytes.len() };
        self.take(N, what)?.try_into().map_err(|_| short)
    }

    pub(super) fn u8(&mut self, what: &'static str) -> Result<u8, A2sError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self, what: &'static str) -> Result<u16, A2sError> {
        self.array(what).map(u16::from_le_bytes)
    }

    pub(super) fn i32(&mut self, what: &'static str) -> Result<i32, A2sError> {
        self.array(what).map(i32::from_le_bytes)
    }

    pub(super) fn f32(&mut self, what: &'static str) -> Result<f32, A2sError> {
        self.array(what).map(f32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, what: &'static str) -> Result<u64, A2sError> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A string up to its NUL; what is not UTF-8 becomes U+FFFD.
    pub(super) fn string(&mut self, what: &'static str) -> Result<String, A2sError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == 0);
        let length = length.ok_or(A2sError::Short { what, at: self.bytes.len() })?;
        let text = self.take(length + 1, what)?;
        Ok(String::from_utf8_lossy(&text[..length]).into_owned())
    }
}
