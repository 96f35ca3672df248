//! Does: keeps a server's log as it is written: connects, takes each event, seals what is whole every
//! few seconds, and connects again when the connection is lost. Ends by itself only where going on would
//! hide a gap, or where a person has to do something.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use vigie_core::binlog::{Covered, Follow, Gap, Position, Segment};

use super::facts::{Clerk, Facts};
use super::keeper::Keeper;
use super::wire::Wire;
use super::{Archive, BinlogError, Source};

/// How often a server that has nothing to say says so.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long it may be silent until it is taken for gone.
const SILENCE: Duration = Duration::from_secs(15);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often in a row an event may come damaged: on its way it is once, on the server's disk always.
const DAMAGED: u32 = 3;

/// Where a log begins of which nothing is kept yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Start {
    /// With the oldest file that the server has.
    #[default]
    Oldest,
    /// At a place between two events, as a dump tells it.
    At(Position),
    /// After these transactions (MariaDB): `0-1-100,1-2-5`.
    After(String),
}

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Where to begin when nothing is kept.
    pub start: Start,
    /// A piece is sealed when its first event is this old.
    pub seal_after: Duration,
    /// Or when it has this many bytes.
    pub seal_bytes: u64,
    /// The number under which the server knows this reader; no replica may have the same.
    pub replica: u32,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            start: Start::Oldest,
            seal_after: Duration::from_secs(1),
            seal_bytes: 16 << 20,
            replica: 0x5649_4749,
        }
    }
}

/// What happens meanwhile.
#[derive(Debug)]
pub enum Note<'a> {
    /// The server sends its log.
    Connected(&'a Facts),
    /// A piece is on the disk.
    Sealed(&'a Segment),
    /// Nothing was committed; the log is whole up to there.
    Covered(&'a Covered),
    /// The connection was lost, and will be made again after this time.
    Lost(&'a BinlogError, Duration),
}

/// Keeps the log of `source` in `archive` until `stop`. What was not sealed then is sealed. Sealing waits
/// for the disk: give it a task of its own on a runtime of several threads.
///
/// # Errors
/// A gap, a missing privilege, a server without a log, a full disk: what does not pass by itself.
pub async fn stream(
    source: &Source,
    archive: &Archive,
    wish: &Wish,
    stop: &CancellationToken,
    tell: &(dyn Fn(Note<'_>) + Send + Sync),
) -> Result<(), BinlogError> {
    let mut pause = FIRST_PAUSE;
    let mut damaged = 0;
    while !stop.is_cancelled() {
        let mut progress = false;
        let session = Session { source, archive, wish, stop, tell };
        let Err(error) = session.run(&mut progress).await else { return Ok(()) };
        if progress {
            (pause, damaged) = (FIRST_PAUSE, 0);
        }
        if matches!(error, BinlogError::Event(_)) {
            damaged += 1;
        }
        let again = matches!(error, BinlogError::Event(_)) && damaged < DAMAGED;
        if !error.is_passing() && !again {
            return Err(error);
        }
        tell(Note::Lost(&error, pause));
        if stop.run_until_cancelled(sleep(pause)).await.is_none() {
            return Ok(());
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(())
}

/// One connection, from beginning to end.
struct Session<'a> {
    source: &'a Source,
    archive: &'a Archive,
    wish: &'a Wish,
    stop: &'a CancellationToken,
    tell: &'a (dyn Fn(Note<'_>) + Send + Sync),
}

impl Session<'_> {
    async fn run(&self, progress: &mut bool) -> Result<(), BinlogError> {
        let (chain, last) = self.archive.resume()?;
        let begin = timeout(CONNECT, self.begin(last.as_ref()));
        let Some(begun) = self.stop.run_until_cancelled(begin).await else { return Ok(()) };
        let (mut wire, mut clerk, facts, follow) = begun.unwrap_or_else(|_| {
            let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
            Err(BinlogError::Unreachable(self.source.address.to_string(), late))
        })?;
        (self.tell)(Note::Connected(&facts));
        let Self { archive, wish, tell, .. } = *self;
        let server = facts.server;
        let mut keeper = Keeper { archive, wish, tell, server, chain, follow, open: None };
        let done = self.listen(&mut wire, &mut clerk, &mut keeper, progress).await;
        let Some(open) = keeper.open.take() else { return done };
        // What could not be written is not known to be whole.
        if matches!(done, Err(BinlogError::File(..))) {
            open.discard();
            return done;
        }
        // What is whole is kept whatever happened; the beginning of a transaction is not.
        keeper.open = open.cut_back();
        let sealed = keeper.seal();
        done.and(sealed)
    }

    async fn begin(
        &self,
        last: Option<&Segment>,
    ) -> Result<(Wire, Clerk, Facts, Follow), BinlogError> {
        let (clerk, facts) = Clerk::open(self.source).await?;
        if let Some(last) = last
            && last.server != facts.server
        {
            let gap = Gap::OtherServer { kept: last.server, found: facts.server };
            return Err(BinlogError::Gap(gap));
        }
        let mut wire = Wire::open(self.source).await?;
        // As it is in the server's file: checksums where it has them, MariaDB's own events.
        // Newer MySQLs look for the second name.
        for role in ["master", "source"] {
            let beat = HEARTBEAT.as_nanos();
            wire.say(&format!("SET @{role}_binlog_checksum = @@global.binlog_checksum")).await?;
            wire.say(&format!("SET @{role}_heartbeat_period = {beat}")).await?;
        }
        if facts.is_mariadb {
            wire.say("SET @mariadb_slave_capability = 4").await?;
        }
        let (file, offset, follow, asked) = match (last, &self.wish.start) {
            (Some(last), _) => {
                let follow = Follow::after(&last.file, last.tail);
                let asked = format!("{} (what is kept ends at {})", last.file, last.end());
                (last.file.clone(), last.tail.offset, follow, asked)
            }
            (None, Start::Oldest) => (
                String::new(),
                Position::START,
                Follow::from_oldest(),
                String::from("its oldest file"),
            ),
            (None, Start::At(at)) => {
                let follow = Follow::from_position(at.clone());
                (at.file.clone(), at.offset, follow, at.to_string())
            }
            (None, Start::After(gtids)) => {
                after(&mut wire, &facts, gtids).await?;
                (String::new(), Position::START, Follow::from_name(), gtids.clone())
            }
        };
        let offset = u32::try_from(offset).map_err(|_| {
            let says = String::from("no server can be asked for a place behind 4 GiB of a file");
            BinlogError::Gap(Gap::Refused { at: asked.clone(), says })
        })?;
        wire.ask(self.wish.replica, &file, offset, asked).await?;
        Ok((wire, clerk, facts, follow))
    }

    async fn listen(
        &self,
        wire: &mut Wire,
        clerk: &mut Clerk,
        keeper: &mut Keeper<'_>,
        progress: &mut bool,
    ) -> Result<(), BinlogError> {
        let mut ask = Instant::now() + self.wish.seal_after;
        let mut heard = Instant::now();
        loop {
            let due = keeper.due();
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(()),
                () = sleep_until(due.unwrap_or(ask)), if due.is_some() => keeper.seal()?,
                event = wire.event() => {
                    // What comes before the next transaction's end says nothing about whether it comes.
                    *progress |= keeper.take(&event?)?;
                    heard = Instant::now();
                }
                () = sleep_until(ask), if keeper.is_idle() => {
                    let (until, at) = clerk.stand().await?;
                    keeper.covered(until, at)?;
                    ask = Instant::now() + self.wish.seal_after;
                }
                () = sleep_until(heard + SILENCE) => {
                    let silent = std::io::Error::from(std::io::ErrorKind::TimedOut);
                    return Err(BinlogError::Unreachable(self.source.address.to_string(), silent));
                }
            }
        }
    }
}

/// From these transactions on, as a replica asks.
async fn after(wire: &mut Wire, facts: &Facts, gtids: &str) -> Result<(), BinlogError> {
    let sound = gtids.chars().all(|c| c.is_ascii_digit() || "-,".contains(c));
    if !facts.is_mariadb || !sound {
        let says =
            String::from("only MariaDB is asked by names like 0-1-100; begin at a dump's place");
        return Err(BinlogError::Gap(Gap::Refused { at: gtids.to_owned(), says }));
    }
    wire.say(&format!("SET @slave_connect_state = '{gtids}'")).await?;
    wire.say("SET @slave_gtid_strict_mode = 1").await?;
    wire.say("SET @slave_gtid_ignore_duplicates = 0").await
}
