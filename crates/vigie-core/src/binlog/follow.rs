//! Decides what to do with each event that a server sends: keep it, pass over it, or say that there
//! is a gap. Never takes an event that does not begin where the one before it ended.

use super::{Event, EventError, Group, Groups, Kind, Place, Position, Tail, is_checksummed};

/// The log that is kept and the log that the server has do not join: something is lost, or would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Gap {
    /// The server does not have that place any more, or never had it.
    #[error("the server does not give its log from {at} on: {says}")]
    Refused {
        /// What was asked for.
        at: String,
        /// What the server says.
        says: String,
    },
    /// The event that was kept last is not where it was.
    #[error(
        "the server's log at {0} is not the one that was kept: it was reset, or this is another \
         server's"
    )]
    Foreign(Position),
    /// Events are missing in between.
    #[error("the server's log goes on at {to} where {from} was expected")]
    Hole {
        /// Where the next event should have begun.
        from: Position,
        /// The low 32 bits of the offset at which it begins.
        to: u32,
    },
    /// A file is missing in between.
    #[error("after {after} the server goes on with {next}, which is not the next file")]
    Skipped {
        /// The end of what there is.
        after: Position,
        /// The file that it names.
        next: String,
    },
    /// The server itself lost events.
    #[error("the server says that it lost events at {0}")]
    Lost(Position),
    /// Another server answers.
    #[error("the log of server {kept} is kept, and server {found} answers")]
    OtherServer {
        /// The id of the one whose log is kept.
        kept: u32,
        /// The id of the one that answers.
        found: u32,
    },
}

/// Why an event cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// It does not read.
    #[error(transparent)]
    Event(#[from] EventError),
    /// It does not join.
    #[error(transparent)]
    Gap(#[from] Gap),
    /// The server names a file whose name cannot be one.
    #[error("the server names a log file `{0}`")]
    Name(String),
}

/// An event to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// Its offset in its file.
    pub offset: u64,
    /// The offset after it.
    pub end: u64,
    /// Whether it is the first of a file, or of all: a new piece begins.
    pub opens: Option<Option<Position>>,
    /// Where the log is after it.
    pub place: Place,
}

/// What to do with an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing: it is in no file, or it is kept already.
    Pass,
    /// Keep it.
    Keep(Keep),
}

/// Follows a server's log.
#[derive(Debug, Clone, Default)]
pub struct Follow {
    /// Where the next event begins; nothing before that is known.
    at: Option<Position>,
    /// The file that the server reads.
    file: Option<String>,
    /// Which event has to come first.
    tail: Option<Tail>,
    /// Where the log stood before the next piece.
    before: Option<Position>,
    opens: bool,
    /// From a name on: what comes before the first transaction is not wanted.
    by_name: bool,
    description: Vec<u8>,
    checksummed: bool,
    groups: Groups,
}

impl Follow {
    /// From the beginning of whichever file the server names first.
    #[must_use]
    pub fn from_oldest() -> Self {
        Self { opens: true, ..Self::default() }
    }

    /// From a place between two events.
    #[must_use]
    pub fn from_position(at: Position) -> Self {
        Self { at: Some(at), opens: true, ..Self::default() }
    }

    /// From the first transaction that the server sends.
    #[must_use]
    pub fn from_name() -> Self {
        Self { opens: true, by_name: true, ..Self::default() }
    }

    /// After what is kept: `tail`, the last event of it, has to come first.
    #[must_use]
    pub fn after(file: &str, tail: Tail) -> Self {
        let at = Position::new(file, tail.offset);
        Self { at: Some(at), tail: Some(tail), opens: true, ..Self::default() }
    }

    /// Where the next event begins.
    #[must_use]
    pub const fn at(&self) -> Option<&Position> {
        self.at.as_ref()
    }

    /// The description of the file that is read, as the server sent it.
    #[must_use]
    pub fn description(&self) -> &[u8] {
        &self.description
    }

    /// Whether the events of the file that is read have checksums.
    #[must_use]
    pub const fn is_checksummed(&self) -> bool {
        self.checksummed
    }

    /// Whether no transaction is open.
    #[must_use]
    pub fn is_between(&self) -> bool {
        self.groups.is_between()
    }

    /// Takes the next event that the server sent.
    ///
    /// # Errors
    /// It does not read, or it does not join; then nothing after it may be taken.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Step, FollowError> {
        let event = Event::read(bytes)?;
        match event.kind {
            Kind::Heartbeat => return Ok(Step::Pass),
            Kind::Rotate if event.is_artificial() => return self.rotate(&event),
            Kind::Description => {
                event.verify()?;
                self.checksummed = is_checksummed(&event);
                bytes.clone_into(&mut self.description);
            }
            _ => {}
        }
        if event.is_artificial() {
            return Ok(Step::Pass);
        }
        if self.checksummed && event.kind != Kind::Description {
            event.verify()?;
        }
        let Some(at) = self.begin(&event) else { return Ok(Step::Pass) };
        let size = u32::try_from(event.size()).unwrap_or(u32::MAX);
        let begins = event.end.wrapping_sub(size);
        // One that does not tell is measured by the next one that does.
        if event.end != 0 && low(at.offset) != begins {
            return Err(Gap::Hole { from: at, to: begins }.into());
        }
        if event.kind == Kind::Incident {
            return Err(Gap::Lost(at).into());
        }
        let end = at.offset + event.size();
        self.at = Some(Position::new(at.file.clone(), end));
        if let Some(tail) = self.tail.take() {
            if Tail::of(at.offset, bytes) != tail {
                return Err(Gap::Foreign(at).into());
            }
            self.before = self.at.clone();
            return Ok(Step::Pass);
        }
        let opens = std::mem::take(&mut self.opens).then(|| self.before.take());
        let place = self.groups.take(&event, self.checksummed);
        Ok(Step::Keep(Keep { offset: at.offset, end, opens, place }))
    }

    /// Where `event` has to begin; nothing when it is not wanted.
    fn begin(&mut self, event: &Event<'_>) -> Option<Position> {
        if let Some(at) = &self.at {
            return Some(at.clone());
        }
        let file = self.file.clone()?;
        let begins = event.end.wrapping_sub(u32::try_from(event.size()).unwrap_or(u32::MAX));
        let wanted = event.kind == Kind::MariaDbGtid || event.kind == Kind::MySqlGtid;
        if self.by_name && !wanted {
            return None;
        }
        Some(Position::new(file, u64::from(begins)))
    }

    /// The server says which file it reads.
    fn rotate(&mut self, event: &Event<'_>) -> Result<Step, FollowError> {
        // The first one comes before the description that tells whether there are checksums.
        let next = event.rotation(event.verify().is_ok())?;
        if !Position::new(next.file.clone(), Position::START).is_sound() {
            return Err(FollowError::Name(next.file.chars().take(80).collect()));
        }
        let known = self.file.replace(next.file.clone());
        let here = known.or_else(|| self.at.as_ref().map(|at| at.file.clone()));
        if here.as_ref() == Some(&next.file) {
            return Ok(Step::Pass);
        }
        match (&self.at, &self.tail) {
            // What was kept last is not in the file in which it was.
            (Some(at), Some(_)) => return Err(Gap::Foreign(at.clone()).into()),
            (Some(at), None) if !at.is_followed_by(&next.file) => {
                return Err(Gap::Skipped { after: at.clone(), next: next.file }.into());
            }
            (Some(at), None) => self.before = Some(at.clone()),
            (None, _) if self.by_name && here.is_none() => return Ok(Step::Pass),
            (None, _) => {}
        }
        self.at = Some(Position::new(next.file, Position::START));
        self.opens = true;
        self.groups = Groups::default();
        Ok(Step::Pass)
    }
}

/// The low 32 bits, which is what an event tells of its place.
#[expect(clippy::cast_possible_truncation, reason = "an event tells the low 32 bits")]
const fn low(offset: u64) -> u32 {
    offset as u32
}

impl Keep {
    /// The transaction that ends with it.
    #[must_use]
    pub const fn group(&self) -> Option<&Group> {
        match &self.place {
            Place::Ended(group) => Some(group),
            Place::Between | Place::Inside => None,
        }
    }
}
