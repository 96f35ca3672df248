//! Decides how a test's log looks: events as a server writes them.

pub(super) const QUERY: u8 = 2;
pub(super) const ROTATE: u8 = 4;
pub(super) const DESCRIPTION: u8 = 15;
pub(super) const XID: u8 = 16;
pub(super) const HEARTBEAT: u8 = 27;
const ROW: u8 = 30;
pub(super) const GTID: u8 = 162;
pub(super) const SERVER: u32 = 7;

/// One event with its checksum; `end` is the offset after it.
pub(super) fn event(kind: u8, time: u32, end: u32, flags: u16, body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(19 + body.len() + 4).unwrap();
    let mut bytes = time.to_le_bytes().to_vec();
    bytes.push(kind);
    bytes.extend(SERVER.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend(end.to_le_bytes());
    bytes.extend(flags.to_le_bytes());
    bytes.extend(body);
    let crc = crc32fast::hash(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

/// A server's log: files of events, and what it sends of them.
#[derive(Default)]
pub(super) struct Log {
    pub(super) files: Vec<(String, Vec<Vec<u8>>)>,
    number: u64,
    /// Whether the events inside a transaction do not tell where they are.
    pub(super) silent: bool,
}

impl Log {
    pub(super) fn new() -> Self {
        let mut log = Self::default();
        log.open(1);
        log
    }

    pub(super) fn open(&mut self, number: u32) {
        self.files.push((format!("bin.{number:06}"), Vec::new()));
        let mut body = vec![4, 0];
        body.extend([b'1'; 50]);
        body.extend(0_u32.to_le_bytes());
        body.push(19);
        body.extend([13; 40]);
        body.push(1);
        self.add(DESCRIPTION, 0, &body);
    }

    pub(super) fn end(&self) -> u32 {
        let bytes: usize = self.files.last().unwrap().1.iter().map(Vec::len).sum();
        u32::try_from(4 + bytes).unwrap()
    }

    pub(super) fn add(&mut self, kind: u8, time: u32, body: &[u8]) {
        let end = self.end() + u32::try_from(23 + body.len()).unwrap();
        let end = if self.silent && kind == ROW { 0 } else { end };
        let bytes = event(kind, time, end, 0, body);
        self.files.last_mut().unwrap().1.push(bytes);
    }

    /// A transaction of `rows` statements and a commit.
    pub(super) fn commit(&mut self, time: u32, rows: u8) {
        self.number += 1;
        let mut body = self.number.to_le_bytes().to_vec();
        body.extend([0; 5]);
        self.add(GTID, time, &body);
        for row in 0..rows {
            self.add(ROW, time, &[row; 20]);
        }
        self.add(XID, time, &self.number.to_le_bytes());
    }

    pub(super) fn rotate(&mut self) {
        let number = u32::try_from(self.files.len() + 1).unwrap();
        let mut body = 4_u64.to_le_bytes().to_vec();
        body.extend(format!("bin.{number:06}").as_bytes());
        self.add(ROTATE, 1, &body);
        self.open(number);
    }

    /// What the server sends from `offset` in file `index` on.
    pub(super) fn sent(&self, index: usize, offset: u64) -> Vec<Vec<u8>> {
        let mut sent = Vec::new();
        for (number, (name, events)) in self.files.iter().enumerate().skip(index) {
            let from = if number == index { offset } else { 4 };
            sent.push(moved(name, from));
            let mut at = 4;
            for bytes in events {
                if at >= from {
                    sent.push(bytes.clone());
                } else if at == 4 {
                    sent.push(event(DESCRIPTION, 0, 0, 0, &bytes[19..bytes.len() - 4]));
                }
                at += bytes.len() as u64;
            }
        }
        sent
    }

    /// The bytes of a file as the server has them.
    pub(super) fn bytes(&self, index: usize) -> Vec<u8> {
        let mut bytes = crate::binlog::MAGIC.to_vec();
        bytes.extend(self.files[index].1.concat());
        bytes
    }
}

/// The server says that it reads `name` from now on.
pub(super) fn moved(name: &str, offset: u64) -> Vec<u8> {
    let mut body = offset.to_le_bytes().to_vec();
    body.extend(name.as_bytes());
    event(ROTATE, 0, 0, 0x20, &body)
}
