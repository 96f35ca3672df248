//! Does: reads every piece of an archive, event by event, and says whether they are what was sealed and follow
//! each other. Never plays anything.

use vigie_core::binlog::{Piece, Position, Segment, Stop};

use super::pieces::{Cut, read};
use super::{Archive, BinlogError};

/// What the pieces of an archive are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Pieces.
    pub pieces: u64,
    /// Transactions in them.
    pub groups: u64,
    /// Gaps that were found and noted when they came about: what is behind one is a chain of its own.
    pub gaps: u64,
    /// Where the log ends; nothing where there is none.
    pub ends: Option<Position>,
}

/// Reads all pieces of `archive`: each event with its checksum, each piece with its own. Blocks.
///
/// # Errors
/// A piece that is not as it was sealed, or a gap that nobody noted.
pub fn prove(archive: &Archive) -> Result<Proof, BinlogError> {
    let (segments, breaks) = (archive.segments()?, archive.breaks()?);
    let mut proof = Proof { pieces: 0, groups: 0, gaps: 0, ends: None };
    let mut before: Option<&Segment> = None;
    for segment in &segments {
        let path = archive.path(segment);
        let wrong = |why: String| BinlogError::Piece(path.clone(), why);
        if let Some(before) = before.filter(|before| !segment.joins(before)) {
            let is_noted = before.chain != segment.chain
                && breaks.iter().any(|found| found.chain == before.chain);
            if !is_noted {
                return Err(wrong(format!("does not go on from {}", before.end())));
            }
            proof.gaps += 1;
        }
        let mut cut = Cut { slices: Vec::new(), ends: None, groups: 0, last: None, next: None };
        let piece = Piece { segment: segment.clone(), from: segment.first };
        read(&path, &piece, &Stop::End, &[], &mut cut)?;
        if cut.groups != segment.groups {
            let (found, sealed) = (cut.groups, segment.groups);
            return Err(wrong(format!("has {found} transactions, and {sealed} were sealed")));
        }
        proof.pieces += 1;
        proof.groups += cut.groups;
        proof.ends = Some(segment.end());
        before = Some(segment);
    }
    Ok(proof)
}
