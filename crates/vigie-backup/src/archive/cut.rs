//! Decides where contents are cut: where the last 64 bytes have a certain fingerprint, which restic does in
//! the same places. What is put into the middle of a file moves the cuts with it, so that the rest is known.

use std::io::{ErrorKind, Read, Result};

use rustic_cdc::{Polynom as _, Rabin64};

/// Bytes that make up the fingerprint.
const WINDOW: usize = 64;
/// Bytes that are read at once, past the least size of a piece.
const STEP: usize = 256 << 10;

/// Sizes of pieces, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// A power of two: how far it is on average from the least size to a cut.
    pub(crate) average: usize,
    /// The least, but for the last piece of a file; more than the window.
    pub(crate) least: usize,
    /// The most.
    pub(crate) most: usize,
}

/// Cuts contents.
#[derive(Debug, Clone)]
pub(crate) struct Cutter {
    sizes: Sizes,
    mask: u64,
    shift: i32,
    out: [u64; 256],
    modulo: [u64; 256],
}

impl Cutter {
    /// By this polynomial; none when nothing can be cut by it.
    pub(crate) fn new(polynomial: u64, sizes: Sizes) -> Option<Self> {
        let shift = polynomial.degree() - 8;
        let fits = sizes.average.is_power_of_two() && sizes.least > WINDOW;
        if shift < 8 || !fits || sizes.most < sizes.least {
            return None;
        }
        Some(Self {
            sizes,
            mask: sizes.average as u64 - 1,
            shift,
            out: Rabin64::calculate_out_table(WINDOW, &polynomial),
            modulo: Rabin64::calculate_mod_table(&polynomial),
        })
    }

    /// Gives the pieces of a content of about `hint` bytes one by one, until nobody takes them.
    pub(crate) fn cut(
        &self,
        mut reader: impl Read,
        hint: u64,
        mut give: impl FnMut(Vec<u8>) -> bool,
    ) -> Result<()> {
        let Sizes { least, most, .. } = self.sizes;
        // One byte more than there is: the end is found without growing.
        let expected = usize::try_from(hint).unwrap_or(usize::MAX).saturating_add(1);
        let mut bytes: Vec<u8> = Vec::with_capacity(expected.min(least + STEP));
        loop {
            let mut is_over = !filled(&mut reader, &mut bytes, least)?;
            if bytes.is_empty() {
                return Ok(());
            }
            let mut end = least.min(bytes.len());
            let mut print = match end == least {
                true => self.print(&bytes[least - WINDOW..least]),
                false => 0,
            };
            let mut found = end < least;
            while !found {
                (end, print, found) = self.look(&bytes[..bytes.len().min(most)], end, print);
                if found || end >= most {
                    break;
                }
                let more = bytes.len() + STEP;
                if is_over || !filled(&mut reader, &mut bytes, more.min(most))? {
                    is_over = true;
                    if end >= bytes.len() {
                        break;
                    }
                }
            }
            let rest = bytes.split_off(end);
            let mut next = Vec::new();
            if !(is_over && rest.is_empty()) {
                next = Vec::with_capacity(rest.len().max(least + STEP));
                next.extend_from_slice(&rest);
            }
            if !give(std::mem::replace(&mut bytes, next)) || (is_over && bytes.is_empty()) {
                return Ok(());
            }
        }
    }

    /// From `at`, the first place to cut, or the end of what is there, and the fingerprint there.
    fn look(&self, bytes: &[u8], mut at: usize, mut print: u64) -> (usize, u64, bool) {
        if print & self.mask == 0 {
            return (at, print, true);
        }
        let leaving = bytes.get(at - WINDOW..).unwrap_or_default();
        let entering = bytes.get(at..).unwrap_or_default();
        for (old, new) in leaving.iter().zip(entering) {
            print = self.slide(print ^ self.out[usize::from(*old)], *new);
            at += 1;
            if print & self.mask == 0 {
                return (at, print, true);
            }
        }
        (at, print, false)
    }

    fn print(&self, window: &[u8]) -> u64 {
        window.iter().fold(0, |print, byte| self.slide(print, *byte))
    }

    fn slide(&self, print: u64, byte: u8) -> u64 {
        let index = (print >> self.shift) & 0xff;
        ((print << 8) | u64::from(byte)) ^ self.modulo[index as usize]
    }
}

/// Reads until there are `want` bytes; whether there are.
fn filled(reader: &mut impl Read, bytes: &mut Vec<u8>, want: usize) -> Result<bool> {
    while bytes.len() < want {
        let lacking = want - bytes.len();
        match reader.take(lacking as u64).read_to_end(bytes) {
            Ok(0) => return Ok(false),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One that restic could have chosen.
    const POLYNOMIAL: u64 = 0x003D_A335_8B4D_C173;
    const SIZES: Sizes = Sizes { average: 256, least: 128, most: 2_048 };

    fn pieces(bytes: &[u8], hint: u64, at_once: usize) -> Vec<Vec<u8>> {
        struct Slow<'a>(&'a [u8], usize);
        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
                let count = buffer.len().min(self.1).min(self.0.len());
                buffer[..count].copy_from_slice(&self.0[..count]);
                self.0 = &self.0[count..];
                Ok(count)
            }
        }
        let mut all = Vec::new();
        let cutter = Cutter::new(POLYNOMIAL, SIZES).unwrap();
        let given = cutter.cut(Slow(bytes, at_once), hint, |piece| {
            all.push(piece);
            true
        });
        given.unwrap();
        all
    }

    /// The same rule, written down as it is said.
    fn by_the_rule(bytes: &[u8]) -> Vec<Vec<u8>> {
        let cutter = Cutter::new(POLYNOMIAL, SIZES).unwrap();
        let (mut all, mut from) = (Vec::new(), 0);
        while from < bytes.len() {
            let is_cut = |end: &usize| {
                let window = &bytes[end - WINDOW..*end];
                end - from >= SIZES.most || cutter.print(window) & cutter.mask == 0
            };
            let end = (from + SIZES.least..=bytes.len()).find(is_cut).unwrap_or(bytes.len());
            all.push(bytes[from..end].to_vec());
            from = end;
        }
        all
    }

    proptest! {
        #[test]
        fn contents_are_cut_by_the_rule_however_they_come(
            seed in any::<u64>(),
            length in 0_usize..20_000,
            at_once in 1_usize..5_000,
            hint in 0_u64..30_000,
            calm in any::<bool>(),
        ) {
            let mut state = seed | 1;
            let bytes: Vec<u8> = (0..length).map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                if calm { (state & 1) as u8 } else { state as u8 }
            }).collect();
            prop_assert_eq!(pieces(&bytes, hint, at_once), by_the_rule(&bytes));
        }
    }

    #[test]
    fn what_is_put_in_moves_the_cuts_with_it() {
        let mut state = 7_u64;
        let mut byte = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        let before: Vec<u8> = (0..100_000).map(|_| byte()).collect();
        let mut after = before.clone();
        after.splice(1_000..1_000, *b"some more");
        let (before, after) = (pieces(&before, 0, 4_096), pieces(&after, 0, 4_096));
        let known = after.iter().filter(|piece| before.contains(piece)).count();
        assert!(known + 8 >= after.len(), "{known} of {}", after.len());
        assert!(before.len() > 100);
    }

    #[test]
    fn nonsense_cuts_nothing() {
        assert!(Cutter::new(0, SIZES).is_none());
        assert!(Cutter::new(POLYNOMIAL, Sizes { average: 100, ..SIZES }).is_none());
        assert!(Cutter::new(POLYNOMIAL, Sizes { least: 64, ..SIZES }).is_none());
        assert!(Cutter::new(POLYNOMIAL, Sizes { most: 100, ..SIZES }).is_none());
    }
}
