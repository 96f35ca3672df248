//! Decides whether a copy that passes is whole: reads its format, and keeps the few small files of it that
//! say what it is. Never changes a byte, never keeps a table's data.

use std::collections::{BTreeMap, BTreeSet};

use vigie_core::binlog::Position;

/// How every piece begins.
const MAGIC: &[u8] = b"XBSTCK01";
/// No path is longer, nor is what is said of a copy.
const LONGEST: usize = 4 << 10;
/// A piece of a file.
const PIECE: u8 = b'P';
/// The end of a file.
const END: u8 = b'E';
/// A piece with holes, which newer tools write.
const SPARSE: u8 = b'S';

/// What a copy is, in its own words.
const INFO: [&str; 2] = ["xtrabackup_info", "mariadb_backup_info"];

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// So much of a piece's head: up to its path's length, with its path, with its payload's length.
    Head,
    /// So many bytes of a file.
    Payload(u64),
    /// It is no stream of this kind.
    Broken,
}

/// What was seen of a copy.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    state: State,
    head: Vec<u8>,
    path: String,
    /// Files that were begun and did not end yet.
    open: BTreeSet<String>,
    files: u64,
    /// The small files that say what it is.
    told: BTreeMap<String, Vec<u8>>,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            state: State::Head,
            head: Vec::new(),
            path: String::new(),
            open: BTreeSet::new(),
            files: 0,
            told: BTreeMap::new(),
        }
    }
}

impl Stream {
    /// Takes the next bytes.
    pub(super) fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self.state {
                State::Broken => return,
                State::Payload(left) => {
                    let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    self.payload(&bytes[..count]);
                    bytes = &bytes[count..];
                    let left = left - count as u64;
                    self.state = if left == 0 { State::Head } else { State::Payload(left) };
                }
                State::Head => {
                    let Some(wanted) = self.wanted() else {
                        self.state = State::Broken;
                        return;
                    };
                    let count = (wanted - self.head.len()).min(bytes.len());
                    self.head.extend_from_slice(&bytes[..count]);
                    bytes = &bytes[count..];
                    if self.head.len() == wanted {
                        self.state = self.headed();
                    }
                }
            }
        }
    }

    /// How long the head is, as far as it is known; nothing when it is no head.
    fn wanted(&self) -> Option<usize> {
        // Magic, flags, kind, the path's length.
        const FIXED: usize = 8 + 1 + 1 + 4;
        let head = &self.head;
        let Some(length) = number::<4>(head, FIXED - 4) else { return Some(FIXED) };
        let named = FIXED + usize::try_from(length).ok().filter(|length| *length <= LONGEST)?;
        if !head.starts_with(MAGIC) {
            return None;
        }
        match head[9] {
            END => Some(named),
            // The payload's length, its place in the file, its checksum.
            PIECE => Some(named + 8 + 8 + 4),
            SPARSE => {
                // The number of holes first, and behind the checksum as many pairs of lengths.
                let Some(holes) = number::<4>(head, named) else { return Some(named + 4) };
                let holes = usize::try_from(holes).ok().filter(|holes| *holes <= 1 << 20)?;
                Some(named + 4 + 8 + 8 + 4 + holes * 8)
            }
            _ => None,
        }
    }

    /// A head may be whole only as far as its length was known.
    fn headed(&mut self) -> State {
        match self.wanted() {
            None => return State::Broken,
            Some(wanted) if wanted > self.head.len() => return State::Head,
            Some(_) => {}
        }
        let head = std::mem::take(&mut self.head);
        let length = number::<4>(&head, 10).and_then(|length| usize::try_from(length).ok());
        let named = 14 + length.unwrap_or_default();
        self.path = String::from_utf8_lossy(&head[14..named]).into_owned();
        if head[9] == END {
            self.files += 1;
            self.open.remove(&self.path);
            return State::Head;
        }
        self.open.insert(self.path.clone());
        let at = if head[9] == SPARSE { named + 4 } else { named };
        match number::<8>(&head, at).unwrap_or_default() {
            0 => State::Head,
            length => State::Payload(length),
        }
    }

    fn payload(&mut self, bytes: &[u8]) {
        let name = self.path.trim_start_matches("./");
        let is_told = !name.contains('/')
            && (name.starts_with("xtrabackup_") || name.starts_with("mariadb_backup_"))
            && (name.ends_with("info") || name.ends_with("checkpoints"));
        if is_told {
            let text = self.told.entry(name.to_owned()).or_default();
            let room = (16 * LONGEST).saturating_sub(text.len());
            text.extend_from_slice(&bytes[..room.min(bytes.len())]);
        }
    }

    /// Why it is not whole; nothing when it is.
    pub(super) fn fault(&self) -> Option<String> {
        if self.state == State::Broken {
            return Some(String::from("it prints no stream of pieces"));
        }
        if self.state != State::Head || !self.head.is_empty() {
            return Some(String::from("its stream ends in the middle of a file"));
        }
        if let Some(open) = self.open.first() {
            return Some(format!("its stream has no end of {open}"));
        }
        // It is written last, when everything else is there.
        let is_told = self.told.keys().any(|name| INFO.contains(&name.as_str()));
        (!is_told).then(|| String::from("its stream does not say what it is"))
    }

    /// Files in it.
    pub(super) const fn files(&self) -> u64 {
        self.files
    }

    /// Where the binary log stood, and what had been committed by name; nothing where there is no log.
    pub(super) fn place(&self) -> Option<(Position, Option<String>)> {
        let text = self.told.iter().find(|(name, _)| name.ends_with("binlog_info"))?.1;
        let text = String::from_utf8_lossy(text);
        let mut parts = text.trim().split('\t').map(str::trim);
        let (file, offset) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
        let gtids = parts.next().filter(|names| !names.is_empty()).map(str::to_owned);
        Some((Position { file, offset }, gtids))
    }

    /// What the copy says of itself under `key`.
    pub(super) fn says(&self, key: &str) -> Option<String> {
        let text = INFO.iter().find_map(|name| self.told.get(*name))?;
        let text = String::from_utf8_lossy(text);
        let line = |line: &str| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == key).then(|| value.trim().to_owned())
        };
        text.lines().find_map(line)
    }
}

/// A number of so many bytes at `at`, the least of them first.
fn number<const BYTES: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let found = bytes.get(at..at + BYTES)?;
    Some(found.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(kind: u8, path: &str) -> Vec<u8> {
        let mut head = [MAGIC, &[0, kind]].concat();
        head.extend((path.len() as u32).to_le_bytes());
        head.extend(path.as_bytes());
        head
    }

    fn piece(path: &str, at: u64, bytes: &[u8]) -> Vec<u8> {
        let mut piece = head(PIECE, path);
        piece.extend((bytes.len() as u64).to_le_bytes());
        piece.extend(at.to_le_bytes());
        piece.extend([1, 2, 3, 4]);
        piece.extend(bytes);
        piece
    }

    fn stream() -> Vec<u8> {
        let binlog = b"log-bin.000003\t1234\t0-7-42\n";
        let info = b"uuid = x\ntool_version = 10.11.14-MariaDB\nserver_version = 10.11.14\n";
        [
            piece("ibdata1", 0, &[7; 3_000]),
            piece("town/rows.ibd", 0, b"XBSTCK01 in a row"),
            head(END, "town/rows.ibd"),
            piece("ibdata1", 3_000, b""),
            head(END, "ibdata1"),
            piece("xtrabackup_binlog_info", 0, binlog),
            head(END, "xtrabackup_binlog_info"),
            piece("xtrabackup_info", 0, info),
            head(END, "xtrabackup_info"),
        ]
        .concat()
    }

    fn seen(bytes: &[u8], at_once: usize) -> Stream {
        let mut stream = Stream::default();
        bytes.chunks(at_once).for_each(|piece| stream.take(piece));
        stream
    }

    #[test]
    fn it_says_what_it_is_however_it_is_cut() {
        let bytes = stream();
        for at_once in [1, 7, 64, bytes.len()] {
            let seen = seen(&bytes, at_once);
            assert_eq!(seen.fault(), None, "{at_once}");
            assert_eq!(seen.files(), 4);
            let (at, gtids) = seen.place().unwrap();
            assert_eq!(
                (at.to_string(), gtids.as_deref()),
                (String::from("log-bin.000003:1234"), Some("0-7-42"))
            );
            assert_eq!(seen.says("tool_version").as_deref(), Some("10.11.14-MariaDB"));
        }
    }

    #[test]
    fn what_is_cut_off_anywhere_is_not_whole() {
        let bytes = stream();
        for end in 0..bytes.len() {
            assert!(seen(&bytes[..end], 512).fault().is_some(), "{end} of {}", bytes.len());
        }
    }

    #[test]
    fn what_is_no_stream_is_no_copy_and_takes_no_memory() {
        let mut longest = [MAGIC, &[0, PIECE]].concat();
        longest.extend(u32::MAX.to_le_bytes());
        for bytes in [&b"mariadb-backup: command not found"[..], &longest, &[0; 100]] {
            assert!(seen(bytes, 3).fault().is_some());
        }
        let mut endless = Stream::default();
        endless.take(&piece("xtrabackup_info", 0, &[b'x'; 1 << 20]));
        assert!(endless.told["xtrabackup_info"].len() <= 16 * LONGEST);
    }

    #[test]
    fn holes_are_passed_over() {
        let mut sparse = head(SPARSE, "a.ibd");
        sparse.extend(2_u32.to_le_bytes());
        sparse.extend(5_u64.to_le_bytes());
        sparse.extend([0; 12]);
        sparse.extend([9; 16]);
        sparse.extend(b"12345");
        let bytes = [
            sparse,
            head(END, "a.ibd"),
            piece("xtrabackup_info", 0, b"a = b"),
            head(END, "xtrabackup_info"),
        ];
        let seen = seen(&bytes.concat(), 5);
        assert_eq!((seen.fault(), seen.files(), seen.place()), (None, 2, None));
    }
}
