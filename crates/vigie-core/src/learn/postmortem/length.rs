//! Decides how long the parts of an incident lasted, within bounds.

use crate::incident::Incident;
use crate::learn::postmortem::{Case, Length};
use crate::moment::{Bounds, Moment};
use crate::record::Record;

/// From `from` to `to`.
fn between(from: Bounds, to: Moment) -> Length {
    (to.since(from.latest), to.since(from.earliest))
}

/// Whether a detector saw it begin: a person's report says nothing of when the fault began.
pub(super) fn sensed(incident: &Incident) -> bool {
    !incident.symptoms.is_empty()
}

pub(super) fn detected_in(case: &Case<'_>) -> Option<Length> {
    let incident = case.incident;
    sensed(incident).then(|| between(incident.started(), incident.detected))
}

pub(super) fn in_hand_in(case: &Case<'_>) -> Option<Length> {
    let incident = case.incident;
    let (at, _) = incident.acknowledged.as_ref()?;
    Some(between(incident.started(), *at))
}

pub(super) fn lasted(case: &Case<'_>) -> Option<Length> {
    let incident = case.incident;
    let end = incident.restored.or(incident.resolved).filter(|_| !incident.state.is_active())?;
    let (mut least, mut most) = between(incident.started(), end);
    for (good_least, good_most) in good_times(case.timeline) {
        least = least.saturating_sub(good_most);
        most = most.saturating_sub(good_least);
    }
    Some((least, most))
}

/// The times between a restoration and the symptom with which it came back.
fn good_times(timeline: &[(Moment, Record)]) -> Vec<Length> {
    let mut good = Vec::new();
    let mut since: Option<Moment> = None;
    for (_, record) in timeline {
        match record {
            Record::Restored { at, .. } => since = Some(*at),
            Record::SymptomBegan { started, .. } => {
                good.extend(
                    since
                        .take()
                        .map(|since| (started.earliest.since(since), started.latest.since(since))),
                );
            }
            _ => {}
        }
    }
    good
}
