//! Decides which records are worth telling, and as what.

use crate::incident::{Actor, Incident, Severity};
use crate::notify::Occasion;
use crate::record::Record;

/// What `record` gives to tell about `incident`, as it is now.
pub(super) fn of(record: &Record, incident: &Incident) -> Vec<Occasion> {
    match record {
        Record::IncidentOpened { .. } => vec![Occasion::Opened],
        Record::Relapsed { .. } => vec![Occasion::Relapsed, Occasion::Updated],
        Record::Escalated { .. } => vec![Occasion::Escalated, Occasion::Updated],
        Record::ApprovalAsked { run, .. } => {
            vec![Occasion::Approval { run: *run }, Occasion::Updated]
        }
        Record::Restored { .. } => vec![Occasion::Restored, Occasion::Updated],
        // It is told with the one that it became a part of.
        Record::Merged { .. } => vec![Occasion::Updated],
        // What was restored has rung already; that it stayed so is an edit.
        Record::Resolved { by, .. } if incident.restored.is_none() && *by != Actor::Vigie => {
            vec![Occasion::Resolved, Occasion::Updated]
        }
        Record::Resolved { .. }
        | Record::SymptomBegan { .. }
        | Record::SymptomEnded { .. }
        | Record::SeverityRaised { .. }
        | Record::Rerooted { .. }
        | Record::Acknowledged { .. }
        | Record::Noted { .. }
        | Record::Overdue { .. }
        | Record::EscalatedTo { .. }
        | Record::Closed { .. }
        | Record::RunStarted { .. }
        | Record::CaseChosen { .. }
        | Record::ApprovalGiven { .. }
        | Record::RunWaits { .. }
        | Record::StepIntended { .. }
        | Record::StepEnded { .. }
        | Record::VerifyBegan { .. }
        | Record::UndoBegan { .. }
        | Record::RunEnded { .. } => vec![Occasion::Updated],
        Record::WatchBegan { .. }
        | Record::ClockJumped { .. }
        | Record::RuntimeLost
        | Record::RuntimeBack
        | Record::NetworkLost
        | Record::NetworkBack
        | Record::JournalGap { .. }
        | Record::Exited { .. }
        | Record::StoodDown { .. }
        | Record::StoodUp { .. }
        | Record::BootLearned { .. }
        | Record::StreakEnded { .. }
        | Record::SignatureSeen { .. }
        | Record::Renamed { .. }
        | Record::Maintenance { .. }
        | Record::Degraded { .. }
        | Record::KnownLearned { .. }
        | Record::Journaled { .. }
        | Record::Proved { .. }
        | Record::Distrusted { .. }
        | Record::Notified { .. }
        | Record::ActionsReminded { .. }
        | Record::ChannelStopped { .. } => Vec::new(),
    }
}

/// What a record that belongs to no incident gives to tell, and how bad it is.
pub(super) fn of_vigie(record: &Record) -> Option<(String, Severity)> {
    match record {
        Record::JournalGap { lost } => {
            Some((format!("{lost} records could not be written and are lost"), Severity::P2))
        }
        Record::ChannelStopped { channel, why } => {
            Some((format!("the channel {channel} takes no messages any more: {why}"), Severity::P2))
        }
        Record::ActionsReminded { open, late, actions } => {
            let mut list = actions.join(" · ");
            if usize::try_from(*open).is_ok_and(|open| open > actions.len()) {
                list.push_str(" · …");
            }
            let text = format!("corrective actions open: {open}, late: {late}: {list}");
            Some((text, Severity::P3))
        }
        _ => None,
    }
}
