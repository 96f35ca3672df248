//! A tree like a game server's: many small files, some large ones, half of either cannot be made smaller.
//! One in twenty is another after a change.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The sizes that come in turns; together 8 MiB in 24 files.
const SIZES: [usize; 24] = [
    4 << 20,
    1 << 20,
    1 << 20,
    512 << 10,
    512 << 10,
    256 << 10,
    256 << 10,
    128 << 10,
    8 << 10,
    64 << 10,
    64 << 10,
    64 << 10,
    32 << 10,
    32 << 10,
    32 << 10,
    16 << 10,
    16 << 10,
    16 << 10,
    8 << 10,
    8 << 10,
    8 << 10,
    8 << 10,
    4 << 10,
    4 << 10,
];

/// Files of mixed sizes.
#[derive(Debug)]
pub(super) struct Content {
    directory: PathBuf,
    count: usize,
    /// Changes so far: what is written anew is never what was there.
    generation: u64,
}

impl Content {
    /// About `mib` MiB in `directory`; nothing is written yet.
    pub(super) fn new(directory: &Path, mib: u32) -> Self {
        let count = SIZES.len() * (mib as usize).div_ceil(8);
        Self { directory: directory.to_owned(), count, generation: 0 }
    }

    /// Where they are.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Writes all of them as they were in the beginning.
    pub(super) fn fill(&mut self) -> Result<()> {
        (0..self.count).try_for_each(|number| self.write(number, 0).map(drop))
    }

    /// Writes one in twenty anew, of every size, and says which.
    pub(super) fn change(&mut self) -> Result<Vec<PathBuf>> {
        self.generation += 1;
        let first = usize::try_from(self.generation % 20).unwrap_or(0);
        let chosen = (first..self.count).step_by(20);
        chosen.map(|number| self.write(number, self.generation)).collect()
    }

    fn write(&self, number: usize, generation: u64) -> Result<PathBuf> {
        let inside = PathBuf::from(format!("{:03}/file-{number:06}", number / 100));
        let path = self.directory.join(&inside);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make {parent:?}"))?;
        }
        let seed = (number as u64) << 24 ^ generation;
        let (turn, size) = (number / SIZES.len(), SIZES[number % SIZES.len()]);
        let bytes =
            if (turn + number).is_multiple_of(2) { noise(seed, size) } else { text(seed, size) };
        fs::write(&path, bytes).with_context(|| format!("cannot write {path:?}"))?;
        Ok(inside)
    }
}

/// Bytes that cannot be made smaller.
fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// Lines which differ by a few digits.
fn text(seed: u64, size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size + 128);
    let mut state = seed;
    while bytes.len() < size {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let digits = state >> 32;
        let line = format!(
            "list.Set(\"entities\", \"item_{digits:08x}\", {{ model = \"models/props/crate.mdl\" }})\n"
        );
        bytes.extend_from_slice(line.as_bytes());
    }
    bytes.truncate(size);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_twenty_is_another_each_time() {
        assert_eq!(SIZES.iter().sum::<usize>(), 8 << 20);
        let room = tempfile::tempdir().unwrap();
        let mut content = Content::new(&room.path().join("tree"), 16);
        content.fill().unwrap();
        let read = |content: &Content| -> Vec<Vec<u8>> {
            let one = |number: usize| {
                let inside = format!("{:03}/file-{number:06}", number / 100);
                fs::read(content.directory().join(inside)).unwrap()
            };
            (0..48).map(one).collect()
        };
        let mut before = read(&content);
        for _ in 0..3 {
            let changed = content.change().unwrap();
            let after = read(&content);
            let differing = before.iter().zip(&after).filter(|(old, new)| old != new).count();
            assert_eq!(differing, changed.len());
            assert!((2..=3).contains(&differing), "{differing}");
            before = after;
        }
    }
}
