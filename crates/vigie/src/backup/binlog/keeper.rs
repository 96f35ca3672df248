//! Does: keeps what comes of a log in pieces: begins one with each file, adds what joins, seals what is
//! whole. Never waits for a server.

use tokio::time::Instant;
use vigie_core::binlog::{
    Covered, Follow, Keep, MAGIC, Place, Position, Segment, Spans, Step, Tail,
};

use super::open::Open;
use super::{Archive, BinlogError, Note, Wish};

/// What is kept of what comes.
pub(super) struct Keeper<'a> {
    pub(super) archive: &'a Archive,
    pub(super) wish: &'a Wish,
    pub(super) tell: &'a (dyn Fn(Note<'_>) + Send + Sync),
    /// The server's id.
    pub(super) server: u32,
    pub(super) chain: u32,
    pub(super) follow: Follow,
    pub(super) open: Option<Open>,
}

impl Keeper<'_> {
    /// Takes an event; whether something new is whole with it.
    pub(super) fn take(&mut self, event: &[u8]) -> Result<bool, BinlogError> {
        let Step::Keep(keep) = self.follow.take(event)? else { return Ok(false) };
        if keep.opens.is_some() && self.open.is_some() {
            self.seal()?;
        }
        let open = match &mut self.open {
            Some(open) => open,
            None => {
                let begun = self.begin(&keep)?;
                self.open.insert(begun)
            }
        };
        open.add(&keep, event)?;
        if open.size() >= self.wish.seal_bytes && self.follow.is_between() {
            self.seal()?;
        }
        Ok(keep.place != Place::Inside)
    }

    fn begin(&self, keep: &Keep) -> Result<Open, BinlogError> {
        let file = self.follow.at().map(|at| at.file.clone()).unwrap_or_default();
        let here = Position::new(file.clone(), keep.offset);
        let follows = match &keep.opens {
            Some(before) => before.clone(),
            None => Some(here),
        };
        let mut head = MAGIC.to_vec();
        if keep.offset != Position::START {
            head.extend_from_slice(self.follow.description());
        }
        let draft = Segment {
            server: self.server,
            chain: self.chain,
            file,
            first: keep.offset,
            last: keep.offset,
            head: 0,
            size: 0,
            sha256: String::new(),
            follows,
            checksummed: self.follow.is_checksummed(),
            begun: begun(self.follow.description()),
            groups: 0,
            first_gtid: None,
            last_gtid: None,
            gtids: Spans::default(),
            first_time: None,
            last_time: None,
            latest: None,
            tail: Tail::of(keep.offset, &[]),
            sealed: 0,
        };
        self.archive.begin(draft, &head)
    }

    /// When the open piece has to be sealed; nothing while it may not be.
    pub(super) fn due(&self) -> Option<Instant> {
        let open = self.open.as_ref().filter(|_| self.follow.is_between())?;
        Some(open.since()? + self.wish.seal_after)
    }

    /// Whether everything that has come is sealed.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_none() && self.follow.is_between()
    }

    pub(super) fn seal(&mut self) -> Result<(), BinlogError> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let segment = self.archive.seal(open, crate::clock::wall_ms())?;
        (self.tell)(Note::Sealed(&segment));
        Ok(())
    }

    /// The server told a second, and after it where its log stood: here, it is whole up to then.
    pub(super) fn covered(&self, until: i64, at: Position) -> Result<(), BinlogError> {
        if self.follow.at() != Some(&at) {
            return Ok(());
        }
        let covered = Covered { chain: self.chain, at, until };
        self.archive.cover(&covered)?;
        (self.tell)(Note::Covered(&covered));
        Ok(())
    }
}

/// When the server began a file, by the time of the file's description: its first four bytes.
fn begun(description: &[u8]) -> Option<i64> {
    let time = description.first_chunk().map(|time| u32::from_le_bytes(*time))?;
    (time > 0).then(|| i64::from(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_tells_when_its_file_was_begun() {
        assert_eq!(begun(&[1, 2, 0, 0, 15, 7]), Some(513));
        assert_eq!(begun(&[0, 0, 0, 0, 15, 7]), None);
        assert_eq!(begun(&[1, 2]), None);
    }
}
