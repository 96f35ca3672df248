//! Files like a game server's: half of them cannot be made smaller (maps, sounds), half of them can (Lua,
//! text). One in a hundred is another after a change.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

const MIB: usize = 1 << 20;

/// Files of 1 MiB each.
#[derive(Debug)]
pub(super) struct Files {
    directory: PathBuf,
    count: u32,
}

impl Files {
    /// `count` files in `directory`; nothing is written yet.
    pub(super) fn new(directory: &Path, count: u32) -> Self {
        Self { directory: directory.to_owned(), count }
    }

    /// Where they are.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Writes all of them.
    pub(super) fn fill(&self) -> Result<()> {
        let directory = &self.directory;
        fs::create_dir_all(directory).with_context(|| format!("cannot make {directory:?}"))?;
        (0..self.count).try_for_each(|number| self.write(number).map(drop))
    }

    /// Writes one in a hundred anew, both kinds in turns, and says which.
    pub(super) fn change(&self) -> Result<Vec<PathBuf>> {
        (0..self.count.div_ceil(100)).map(|number| self.write(number)).collect()
    }

    fn write(&self, number: u32) -> Result<PathBuf> {
        let mut bytes = vec![0; MIB];
        let mut random = File::open("/dev/urandom").context("no random numbers")?;
        let path = self.directory.join(format!("file-{number:05}"));
        if number.is_multiple_of(2) {
            random.read_exact(&mut bytes)?;
        } else {
            let mut seed = [0; 4];
            random.read_exact(&mut seed)?;
            bytes = text(u32::from_le_bytes(seed));
        }
        fs::write(&path, &bytes).with_context(|| format!("cannot write {path:?}"))?;
        Ok(path)
    }
}

/// 1 MiB of lines which differ by a few digits.
fn text(seed: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(MIB + 128);
    let mut state = seed;
    while bytes.len() < MIB {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let line = format!(
            "list.Set(\"entities\", \"item_{state:08x}\", {{ model = \"models/props/crate.mdl\" }})\n"
        );
        bytes.extend_from_slice(line.as_bytes());
    }
    bytes.truncate(MIB);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_a_hundred_is_another() {
        let room = tempfile::tempdir().unwrap();
        let files = Files::new(&room.path().join("maps"), 101);
        files.fill().unwrap();
        let read = || -> Vec<Vec<u8>> {
            (0..101)
                .map(|number| {
                    fs::read(files.directory().join(format!("file-{number:05}"))).unwrap()
                })
                .collect()
        };
        let before = read();
        assert_eq!(files.change().unwrap().len(), 2);
        let differing = before.iter().zip(read()).filter(|(old, new)| *old != new).count();
        assert_eq!((differing, before.iter().map(Vec::len).sum::<usize>()), (2, 101 * MIB));
    }
}
