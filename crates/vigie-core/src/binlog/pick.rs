//! Decides which dump and which pieces of the log bring a database to a moment or to a transaction,
//! and says what is possible instead when they cannot. Never plans across a gap.

use serde::{Deserialize, Serialize};

use super::{Gtid, Position, Reach, Segment, Stop};

/// How far the clocks of two hosts, or a statement's beginning and its commit, may be apart when
/// two histories of one file name are told apart; in seconds.
const SLACK: i64 = 5;

/// A dump, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dump {
    /// By which it is found again.
    pub id: String,
    /// The server's id.
    pub server: u32,
    /// Where the log stood at the moment that the dump shows.
    pub at: Position,
    /// What had been committed by then, by name; nothing where the server gives no names.
    pub gtids: Option<String>,
    /// The second (since 1970, by the server's clock) of that moment, or a later one.
    pub taken: i64,
}

/// How far the log was known to be whole when nothing was committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// The chain of pieces that this is about.
    pub chain: u32,
    /// Where the log stood.
    pub at: Position,
    /// Everything that was acknowledged before this second (since 1970) is in front of it.
    pub until: i64,
}

/// What the database shall be brought to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// As it was at the beginning of this second (since 1970).
    Moment(i64),
    /// As it was right after this transaction.
    Gtid(Gtid),
    /// As late as possible.
    Latest,
}

/// A piece of the log to play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Which.
    pub segment: Segment,
    /// The offset in the server's file from which it is played.
    pub from: u64,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The dump to begin with.
    pub dump: Dump,
    /// The pieces to play after it, in their order.
    pub pieces: Vec<Piece>,
    /// Where to end.
    pub stop: Stop,
}

/// Why it is not possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is no dump.
    NoDump,
    /// Before the first dump; from this second on it is possible.
    TooEarly(i64),
    /// After the last thing kept; up to this second it is possible.
    TooLate(i64),
    /// Something is missing in between.
    Gap {
        /// Where the log ends.
        ends: Position,
        /// The last second before the gap that is possible.
        before: i64,
        /// The first second after it that is possible, where there is one.
        after: Option<i64>,
    },
    /// The log that goes on from the dumps is not kept.
    NoLog(Position),
    /// No such transaction is kept behind a dump.
    NoSuch(Gtid),
}

/// As far as a server that is lost comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Furthest {
    /// What to do.
    pub plan: Plan,
    /// Everything that was acknowledged before this second (since 1970) is in it.
    pub until: i64,
    /// Why it is not all that could be wished.
    pub short: Option<Short>,
}

/// Why a server does not come back as far as it could.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Short {
    /// What is kept after this place does not join it.
    Gap(Position),
    /// The log ends before the moment.
    Ends,
}

/// Pieces that follow each other without a gap.
struct Run<'a>(Vec<&'a Segment>);

impl Run<'_> {
    /// Everything that was acknowledged before this second is in it, from `from` on.
    fn until(&self, from: usize, covered: Option<&Covered>) -> Option<i64> {
        let last = self.0.last()?;
        let latest = self.0[from..].iter().filter_map(|segment| segment.latest).max();
        let idle = covered.filter(|covered| {
            let here = |segment: &&&Segment| segment.goes_on_from(&covered.at);
            let within = self.0.iter().find(here).is_some() || covered.at == last.end();
            covered.chain == last.chain && within
        });
        latest.max(idle.map(|covered| covered.until))
    }
}

fn runs(segments: &[Segment]) -> Vec<Run<'_>> {
    let mut sorted: Vec<_> = segments.iter().collect();
    sorted.sort_by_key(|segment| {
        (segment.chain, segment.end().number(), segment.file.clone(), segment.first)
    });
    let mut runs: Vec<Run<'_>> = Vec::new();
    for segment in sorted {
        match runs.last_mut() {
            Some(run) if run.0.last().is_some_and(|last| segment.joins(last)) => {
                run.0.push(segment);
            }
            _ => runs.push(Run(vec![segment])),
        }
    }
    runs
}

/// The run and the piece of it that go on from `dump`.
fn goes_on<'a, 'b>(runs: &'b [Run<'a>], dump: &Dump) -> Option<(usize, usize)> {
    let fits = |segment: &Segment| {
        // An idle server's first transaction in a file may come long after the dump that is in it.
        let begun_later = segment.first < dump.at.offset
            && segment.file == dump.at.file
            && segment.begun.or(segment.first_time).is_some_and(|time| time > dump.taken + SLACK);
        // After a reset the same names come again, with what happened later.
        segment.server == dump.server && segment.goes_on_from(&dump.at) && !begun_later
    };
    let found =
        runs.iter().enumerate().rev().find_map(|(number, run)| {
            Some((number, run.0.iter().rposition(|segment| fits(segment))?))
        });
    // A dump at the very end of what is kept: nothing happened since.
    found.or_else(|| {
        let ends = |run: &Run<'a>| {
            let last = run.0.last();
            last.is_some_and(|last| last.server == dump.server && last.end() == dump.at)
        };
        runs.iter().rposition(ends).map(|number| (number, runs[number].0.len()))
    })
}

/// Chooses; `segments` may be in any order.
///
/// # Errors
/// Why it is not possible, and what is.
pub fn pick(
    dumps: &[Dump],
    segments: &[Segment],
    covered: Option<&Covered>,
    target: &Target,
) -> Result<Plan, Refusal> {
    let first = dumps.iter().map(|dump| dump.taken).min().ok_or(Refusal::NoDump)?;
    let mut candidates: Vec<&Dump> = dumps.iter().filter(|dump| before(dump, target)).collect();
    if candidates.is_empty() {
        return Err(match target {
            Target::Gtid(gtid) => Refusal::NoSuch(gtid.clone()),
            _ => Refusal::TooEarly(first.saturating_add(1)),
        });
    }
    candidates.sort_by_key(|dump| std::cmp::Reverse(dump.taken));
    let runs = runs(segments);
    let mut refusal = None;
    for dump in candidates {
        let Some((number, from)) = goes_on(&runs, dump) else {
            refusal.get_or_insert_with(|| Refusal::NoLog(dump.at.clone()));
            continue;
        };
        let run = &runs[number];
        match until(run, from, covered, dump, target) {
            Ok((to, stop)) => return Ok(plan(run, from..to, dump, stop)),
            Err(known) => {
                let why = why(&runs, number, known, dumps, target);
                // What the newest dump gives is nearest; that it has no log says least.
                if !matches!(refusal, Some(Refusal::Gap { .. } | Refusal::TooLate(_))) {
                    refusal = Some(why);
                }
            }
        }
    }
    Err(refusal.unwrap_or(Refusal::NoDump))
}

/// Chooses what brings a server that is lost back as far as possible, or to the beginning of `second`
/// (since 1970); `segments` may be in any order.
///
/// # Errors
/// Why it is not possible, and what is. That the log ends before the moment is no reason.
pub fn furthest(
    dumps: &[Dump],
    segments: &[Segment],
    covered: Option<&Covered>,
    second: Option<i64>,
) -> Result<Furthest, Refusal> {
    let Some(second) = second else { return latest(dumps, segments, covered) };
    match pick(dumps, segments, covered, &Target::Moment(second)) {
        Ok(plan) => Ok(Furthest { plan, until: second, short: None }),
        Err(Refusal::TooLate(_)) => {
            let before: Vec<Dump> =
                dumps.iter().filter(|dump| dump.taken < second).cloned().collect();
            let found = latest(&before, segments, covered)?;
            Ok(Furthest { short: Some(Short::Ends), ..found })
        }
        Err(refusal) => Err(refusal),
    }
}

fn latest(
    dumps: &[Dump],
    segments: &[Segment],
    covered: Option<&Covered>,
) -> Result<Furthest, Refusal> {
    let plan = pick(dumps, segments, covered, &Target::Latest)?;
    let runs = runs(segments);
    let (number, from) =
        goes_on(&runs, &plan.dump).ok_or_else(|| Refusal::NoLog(plan.dump.at.clone()))?;
    let taken = plan.dump.taken;
    let until = runs[number].until(from, covered).map_or(taken, |known| known.max(taken));
    let gap = runs[number].0.last().filter(|_| number + 1 < runs.len());
    let short = gap.map(|last| Short::Gap(last.end()));
    Ok(Furthest { plan, until, short })
}

/// Whether the dump shows nothing that is after the target.
fn before(dump: &Dump, target: &Target) -> bool {
    match target {
        Target::Moment(second) => dump.taken < *second,
        Target::Gtid(gtid) => {
            let reach = dump.gtids.as_ref().and_then(|text| Reach::parse(text).ok());
            !reach.is_some_and(|reach| reach.has(gtid))
        }
        Target::Latest => true,
    }
}

/// The piece after the last to play, and where to stop in it; otherwise the last possible second.
fn until(
    run: &Run<'_>,
    from: usize,
    covered: Option<&Covered>,
    dump: &Dump,
    target: &Target,
) -> Result<(usize, Stop), i64> {
    let all = run.0.len();
    let pieces = &run.0[from..];
    let known = run.until(from, covered).map_or(dump.taken, |known| known.max(dump.taken));
    match target {
        Target::Moment(second) => {
            let late = |segment: &&Segment| segment.latest.is_some_and(|latest| latest >= *second);
            let stop = Stop::Before(*second);
            match pieces.iter().position(late) {
                Some(index) => Ok((from + index + 1, stop)),
                None if known >= *second => Ok((all, stop)),
                None => Err(known),
            }
        }
        Target::Gtid(gtid) => {
            let has = pieces.iter().rposition(|segment| segment.gtids.may_have(gtid));
            has.map(|index| (from + index + 1, Stop::After(gtid.clone()))).ok_or(known)
        }
        Target::Latest => Ok((all, Stop::End)),
    }
}

fn plan(run: &Run<'_>, range: std::ops::Range<usize>, dump: &Dump, stop: Stop) -> Plan {
    let pieces = run.0[range].iter().map(|segment| {
        let inside =
            segment.file == dump.at.file && (segment.first..segment.last).contains(&dump.at.offset);
        let from = if inside { dump.at.offset } else { segment.first };
        Piece { segment: (*segment).clone(), from }
    });
    Plan { dump: dump.clone(), pieces: pieces.collect(), stop }
}

fn why(runs: &[Run<'_>], number: usize, known: i64, dumps: &[Dump], target: &Target) -> Refusal {
    if let Target::Gtid(gtid) = target {
        return Refusal::NoSuch(gtid.clone());
    }
    let Some(last) = runs[number].0.last().filter(|_| number + 1 < runs.len()) else {
        return Refusal::TooLate(known);
    };
    let later = dumps.iter().filter(|dump| {
        goes_on(runs, dump).is_some_and(|(run, _)| run > number) && dump.taken >= known
    });
    let after = later.map(|dump| dump.taken.saturating_add(1)).min();
    Refusal::Gap { ends: last.end(), before: known, after }
}
