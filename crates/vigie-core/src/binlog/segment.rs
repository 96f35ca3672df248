//! Decides what is written down about a piece of a binary log that is kept, and whether one piece
//! joins another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Group, Gtid, Position};

/// One piece of a server's log that is kept as a file of its own. The file is a binary log that the
/// usual programs read: `head` bytes (the magic, and the description where the piece is not the
/// beginning of the server's file), then the server's own bytes from `first` to `last`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// The server's id (`server_id`).
    pub server: u32,
    /// Pieces of one chain follow each other without a gap; each gap begins a new one.
    pub chain: u32,
    /// The log file's name at the server.
    pub file: String,
    /// Offset of its first byte in the server's file.
    pub first: u64,
    /// Offset after its last byte.
    pub last: u64,
    /// Bytes of the piece's file in front of the first of the server's.
    pub head: u64,
    /// Bytes of the piece's file.
    pub size: u64,
    /// SHA-256 of the piece's file, in hexadecimal.
    pub sha256: String,
    /// When the server began its file, in seconds since 1970 by the server's clock; nothing where that was
    /// not told.
    #[serde(default)]
    pub begun: Option<i64>,
    /// Where the log stood before it; nothing for the first of a chain.
    pub follows: Option<Position>,
    /// Whether each event has a checksum that was compared.
    pub checksummed: bool,
    /// Transactions that end in it.
    pub groups: u64,
    /// The name of the first of them.
    pub first_gtid: Option<Gtid>,
    /// The name of the last of them.
    pub last_gtid: Option<Gtid>,
    /// For each source the lowest and the highest number.
    #[serde(default)]
    pub gtids: Spans,
    /// The first transaction's time, in seconds since 1970.
    pub first_time: Option<i64>,
    /// The last transaction's.
    pub last_time: Option<i64>,
    /// The latest of all; a transaction that took long is older than those in front of it.
    pub latest: Option<i64>,
    /// Its last event.
    pub tail: Tail,
    /// Milliseconds since 1970 at which it was sealed, by the clock of this host.
    pub sealed: i64,
}

/// The last event of a piece: whoever goes on has to meet it again first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tail {
    /// Its offset in the server's file.
    pub offset: u64,
    /// Its length.
    pub size: u64,
    /// CRC-32 of its bytes but the last four, then these. An event's last four are the CRC-32 of the
    /// others as a rule, and a CRC-32 over both is the same for every event.
    pub print: u64,
}

impl Tail {
    /// Of an event at `offset`.
    #[must_use]
    pub fn of(offset: u64, event: &[u8]) -> Self {
        let (body, end) = event.split_at(event.len().saturating_sub(4));
        let end = end.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let print = u64::from(crc32fast::hash(body)) << 32 | end;
        Self { offset, size: event.len() as u64, print }
    }
}

/// For each source of names the lowest and the highest number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Spans(pub BTreeMap<String, (u64, u64)>);

impl Spans {
    /// Adds one.
    pub fn add(&mut self, gtid: &Gtid) {
        let number = gtid.number();
        let span = self.0.entry(gtid.source()).or_insert((number, number));
        *span = (span.0.min(number), span.1.max(number));
    }

    /// Whether it can be among them.
    #[must_use]
    pub fn may_have(&self, gtid: &Gtid) -> bool {
        let span = self.0.get(&gtid.source());
        span.is_some_and(|(first, last)| (*first..=*last).contains(&gtid.number()))
    }
}

impl Segment {
    /// Where the log stands after it.
    #[must_use]
    pub fn end(&self) -> Position {
        Position::new(self.file.clone(), self.last)
    }

    /// Whether it begins where `before` ends.
    #[must_use]
    pub fn joins(&self, before: &Self) -> bool {
        let same = self.chain == before.chain && self.server == before.server;
        same && self.follows.as_ref() == Some(&before.end())
    }

    /// Whether all of `other` is in it.
    #[must_use]
    pub fn has(&self, other: &Self) -> bool {
        let same = self.chain == other.chain && self.server == other.server;
        same && self.file == other.file && self.first <= other.first && other.last <= self.last
    }

    /// What it and `next` are as one piece; nothing when `next` does not go on from it within one file.
    /// The checksum of its file is for the caller to fill.
    #[must_use]
    pub fn with(&self, next: &Self) -> Option<Self> {
        let alike = self.file == next.file && self.checksummed == next.checksummed;
        if !alike || next.first != self.last || !next.joins(self) {
            return None;
        }
        let mut gtids = self.gtids.clone();
        for (source, (first, last)) in &next.gtids.0 {
            let span = gtids.0.entry(source.clone()).or_insert((*first, *last));
            *span = (span.0.min(*first), span.1.max(*last));
        }
        Some(Self {
            last: next.last,
            size: self.size + next.size.saturating_sub(next.head),
            sha256: String::new(),
            groups: self.groups + next.groups,
            first_gtid: self.first_gtid.clone().or_else(|| next.first_gtid.clone()),
            last_gtid: next.last_gtid.clone().or_else(|| self.last_gtid.clone()),
            gtids,
            first_time: self.first_time.or(next.first_time),
            last_time: next.last_time.or(self.last_time),
            latest: self.latest.max(next.latest),
            tail: next.tail,
            sealed: self.sealed.max(next.sealed),
            ..self.clone()
        })
    }

    /// Whether `at` is in it, or its very beginning, or what it goes on from.
    #[must_use]
    pub fn goes_on_from(&self, at: &Position) -> bool {
        let inside = self.file == at.file && (self.first..self.last).contains(&at.offset);
        inside || self.follows.as_ref() == Some(at)
    }

    /// Notes a transaction that ends in it.
    pub fn note(&mut self, group: &Group) {
        self.groups += 1;
        if let Some(gtid) = &group.gtid {
            self.gtids.add(gtid);
            self.first_gtid.get_or_insert_with(|| gtid.clone());
            self.last_gtid = Some(gtid.clone());
        }
        self.first_time.get_or_insert(group.time);
        self.last_time = Some(group.time);
        self.latest = self.latest.max(Some(group.time));
    }
}
