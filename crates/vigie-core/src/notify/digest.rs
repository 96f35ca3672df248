//! Decides when what waits for a channel is told as one: when more than a few incidents wait, none of them
//! worse than P3 and none with a question in it. Nothing is kept of a digest: what it tells waits on the
//! disk as it always did, until the other side has taken it.

use std::collections::{BTreeMap, BTreeSet};

use crate::incident::{IncidentId, Severity};
use crate::notify::lane::Key;
use crate::notify::{Notice, Occasion};

/// So many incidents are told one by one.
pub(super) const FEW: usize = 5;
/// The most in one digest: a line each has to fit into a message on every channel.
pub(super) const MOST: usize = 10;

/// What would be told as one now; empty where everything goes alone. `stands` says whether a message of
/// its own stands for an incident: an edit of that one disturbs nobody.
pub(super) fn of(waiting: &BTreeMap<Key, Notice>, stands: impl Fn(IncidentId) -> bool) -> Vec<Key> {
    let mut alone = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut many = Vec::new();
    let posts = |notice: &Notice| match notice.occasion {
        Occasion::Opened | Occasion::Relapsed | Occasion::Restored | Occasion::Resolved => true,
        Occasion::Updated => notice.incident.is_some_and(|incident| !stands(incident)),
        Occasion::Escalated
        | Occasion::Overdue { .. }
        | Occasion::Approval { .. }
        | Occasion::Said { .. }
        | Occasion::Digest { .. } => false,
    };
    for notice in waiting.values() {
        let Some(incident) = notice.incident else { continue };
        let edits = notice.occasion == Occasion::Updated;
        if notice.severity <= Severity::P2 || !(posts(notice) || edits) {
            alone.insert(incident);
        } else if posts(notice) && seen.insert(incident) {
            many.push(incident);
        }
    }
    many.retain(|incident| !alone.contains(incident));
    if many.len() <= FEW {
        return Vec::new();
    }
    many.truncate(MOST);
    let told = |notice: &Notice| {
        posts(notice) && notice.incident.is_some_and(|incident| many.contains(&incident))
    };
    waiting.iter().filter(|(_, notice)| told(notice)).map(|(key, _)| *key).collect()
}
