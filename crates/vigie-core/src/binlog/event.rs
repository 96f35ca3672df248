//! Decides what the bytes of one event of a binary log say. Never trusts a length that it was told:
//! what does not fit is an error. Layouts are those of the MariaDB and MySQL protocol documentation.

use super::Gtid;

/// What a log file begins with.
pub const MAGIC: [u8; 4] = [0xfe, b'b', b'i', b'n'];
/// Bytes in front of every event's body.
pub const HEADER: usize = 19;
/// Bytes of a checksum.
const CHECKSUM: usize = 4;
/// Where the flags are in a header.
const FLAGS: usize = 17;
/// The log was not closed yet when this description was written; no part of its checksum.
const IN_USE: u8 = 0x01;
/// Made for the reader, in no file.
const ARTIFICIAL: u16 = 0x20;

/// The kinds of events that have a meaning here; the others are passed on as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A statement.
    Query,
    /// A statement that MariaDB compressed.
    CompressedQuery,
    /// The server was shut down.
    Stop,
    /// The next file.
    Rotate,
    /// How the events of this file are written.
    Description,
    /// A commit.
    Xid,
    /// The end of a loaded file.
    ExecuteLoad,
    /// Names the table of the rows that follow.
    TableMap,
    /// The server lost events.
    Incident,
    /// Nothing happened.
    Heartbeat,
    /// MySQL's beginning of a transaction, with a name or without.
    MySqlGtid,
    /// The first phase of a distributed transaction.
    XaPrepare,
    /// A whole compressed transaction of MySQL.
    Payload,
    /// MariaDB's beginning of a transaction.
    MariaDbGtid,
    /// Between transactions: lists of names, checkpoints.
    Between,
    /// MariaDB encrypts this file.
    Encryption,
    /// Any other; it belongs to the transaction that it is in.
    Other(u8),
}

/// One event, with its header read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    bytes: &'a [u8],
    /// Seconds since 1970 at which its statement began.
    pub time: u32,
    /// What it is.
    pub kind: Kind,
    /// The server that committed it first.
    pub server: u32,
    /// The low 32 bits of the offset after it in its file; 0 when it is in none, and inside the
    /// transactions of newer MariaDBs (11.8), where only the first and the last event tell it.
    pub end: u32,
    /// Its flags.
    pub flags: u16,
}

/// The bytes are no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Shorter than it says.
    #[error("an event of {found} bytes that says it has {told}")]
    Length {
        /// Bytes that there are.
        found: usize,
        /// Bytes that it tells.
        told: u32,
    },
    /// Changed on its way or on the server's disk.
    #[error("an event of kind {kind} whose checksum is {told:08x} and should be {found:08x}")]
    Checksum {
        /// Its kind as a number.
        kind: u8,
        /// What it tells.
        told: u32,
        /// What its bytes give.
        found: u32,
    },
    /// Its body does not read.
    #[error("an event of kind {0} that does not read")]
    Body(u8),
}

/// Where the log goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The next file.
    pub file: String,
    /// The offset in it.
    pub offset: u64,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

impl<'a> Event<'a> {
    /// Reads the header; `bytes` are one whole event.
    ///
    /// # Errors
    /// [`EventError::Length`].
    pub fn read(bytes: &'a [u8]) -> Result<Self, EventError> {
        let told = u32_at(bytes, 9).unwrap_or(0);
        let wrong = EventError::Length { found: bytes.len(), told };
        if bytes.len() < HEADER || usize::try_from(told) != Ok(bytes.len()) {
            return Err(wrong);
        }
        let read = |at| u32_at(bytes, at).unwrap_or(0);
        let flags = u16_at(bytes, FLAGS).unwrap_or(0);
        let kind = kind(bytes[4]);
        Ok(Self { bytes, time: read(0), kind, server: read(5), end: read(13), flags })
    }

    /// Its length in bytes, its header and its checksum with it.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// All of it.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether it is in no file: made for whoever reads over the wire.
    #[must_use]
    pub const fn is_artificial(&self) -> bool {
        match self.kind {
            Kind::Heartbeat => true,
            Kind::Rotate | Kind::Description | Kind::Between if self.end == 0 => true,
            _ => self.flags & ARTIFICIAL != 0,
        }
    }

    /// The last four bytes: its checksum where the log has them.
    #[must_use]
    pub fn checksum(&self) -> u32 {
        u32_at(self.bytes, self.bytes.len() - CHECKSUM).unwrap_or(0)
    }

    /// Compares its checksum with its bytes.
    ///
    /// # Errors
    /// [`EventError::Checksum`].
    pub fn verify(&self) -> Result<(), EventError> {
        let (body, told) = self.bytes.split_at(self.bytes.len() - CHECKSUM);
        let told = u32_at(told, 0).unwrap_or(0);
        let mut crc = crc32fast::Hasher::new();
        if self.kind == Kind::Description {
            crc.update(&body[..FLAGS]);
            crc.update(&[body[FLAGS] & !IN_USE]);
            crc.update(&body[FLAGS + 1..]);
        } else {
            crc.update(body);
        }
        let found = crc.finalize();
        if found == told {
            return Ok(());
        }
        Err(EventError::Checksum { kind: self.bytes[4], told, found })
    }

    fn wrong(&self) -> EventError {
        EventError::Body(self.bytes[4])
    }

    fn body(&self, checksummed: bool) -> &'a [u8] {
        let end = self.bytes.len() - if checksummed { CHECKSUM } else { 0 };
        self.bytes.get(HEADER..end).unwrap_or_default()
    }

    /// Of a rotation: where the log goes on.
    ///
    /// # Errors
    /// [`EventError::Body`].
    pub fn rotation(&self, checksummed: bool) -> Result<Rotation, EventError> {
        let body = self.body(checksummed);
        let offset = u64_at(body, 0).ok_or_else(|| self.wrong())?;
        let file = body.get(8..).and_then(|name| std::str::from_utf8(name).ok());
        let file = file.ok_or_else(|| self.wrong())?.to_owned();
        Ok(Rotation { file, offset })
    }

    /// Of the beginning of a transaction: its name, where it has one.
    #[must_use]
    pub fn gtid(&self) -> Option<Gtid> {
        let body = self.body(false);
        match self.kind {
            Kind::MariaDbGtid => Some(Gtid::MariaDb {
                domain: u32_at(body, 8)?,
                server: self.server,
                number: u64_at(body, 0)?,
            }),
            // 33 has a name; 34 is without one; 42 has its fields in another form.
            Kind::MySqlGtid if self.bytes[4] == 33 => {
                let id = body.get(1..17)?;
                let hex = |from: usize, to: usize| -> String {
                    id[from..to].iter().map(|byte| format!("{byte:02x}")).collect()
                };
                let parts = [hex(0, 4), hex(4, 6), hex(6, 8), hex(8, 10), hex(10, 16)];
                Some(Gtid::MySql { source: parts.join("-"), number: u64_at(body, 17)? })
            }
            _ => None,
        }
    }

    /// Of MariaDB's beginning of a transaction: whether it is one statement without a commit.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.kind == Kind::MariaDbGtid
            && self.body(false).get(12).is_some_and(|flags| flags & 1 != 0)
    }

    /// Of a statement: the database that it was said in, and its text.
    #[must_use]
    pub fn statement(&self, checksummed: bool) -> Option<(&'a [u8], &'a [u8])> {
        if !matches!(self.kind, Kind::Query | Kind::CompressedQuery | Kind::ExecuteLoad) {
            return None;
        }
        let body = self.body(checksummed);
        let schema = usize::from(*body.get(8)?);
        let status = usize::from(u16_at(body, 11)?);
        // A loaded file's has 13 bytes more: its number, two places in the text, what with duplicates.
        let more = if self.kind == Kind::ExecuteLoad { 13 } else { 0 };
        let rest = body.get(13 + more + status..)?;
        Some((rest.get(..schema)?, rest.get(schema + 1..)?))
    }

    /// Of a table's map: the database and the table.
    #[must_use]
    pub fn table(&self) -> Option<(&'a [u8], &'a [u8])> {
        let body = self.body(false);
        let schema = usize::from(*body.get(8)?);
        let rest = body.get(9..)?;
        let table = usize::from(*rest.get(schema + 1)?);
        let name = rest.get(schema + 2..schema + 2 + table)?;
        (self.kind == Kind::TableMap).then_some((rest.get(..schema)?, name))
    }
}

/// Of a description: whether the events of its file have checksums. It has one itself either way.
#[must_use]
pub fn is_checksummed(description: &Event<'_>) -> bool {
    let bytes = description.bytes;
    let algorithm = bytes.len().checked_sub(CHECKSUM + 1).and_then(|at| bytes.get(at));
    description.kind == Kind::Description && bytes.len() > HEADER + 57 && algorithm == Some(&1)
}

const fn kind(number: u8) -> Kind {
    match number {
        2 => Kind::Query,
        3 => Kind::Stop,
        4 => Kind::Rotate,
        15 => Kind::Description,
        16 => Kind::Xid,
        18 => Kind::ExecuteLoad,
        19 => Kind::TableMap,
        26 => Kind::Incident,
        27 | 41 => Kind::Heartbeat,
        33 | 34 | 42 => Kind::MySqlGtid,
        35 | 161 | 163 => Kind::Between,
        38 => Kind::XaPrepare,
        40 => Kind::Payload,
        162 => Kind::MariaDbGtid,
        164 => Kind::Encryption,
        165 => Kind::CompressedQuery,
        other => Kind::Other(other),
    }
}
