//! Decides what each record changes. It only writes down: every choice was made before the record.

use crate::incident::{Actor, Incident, IncidentId, Lifecycle, Symptom};
use crate::moment::Moment;
use crate::record::Record;
use crate::respond::{Ending, Phase, Run, RunId, StepRecord};
use crate::state::{ExitRecord, State};

impl State {
    /// Applies one record.
    pub fn apply(&mut self, at: Moment, record: &Record) {
        self.last = self.last.max(at);
        match record {
            Record::WatchBegan { .. }
            | Record::ClockJumped { .. }
            | Record::JournalGap { .. }
            | Record::KnownLearned { .. } => {}
            Record::Journaled { entry, .. } => self.last_entry = self.last_entry.max(entry.number),
            Record::RuntimeLost => self.runtime_lost = true,
            Record::RuntimeBack => self.runtime_lost = false,
            Record::NetworkLost | Record::NetworkBack | Record::ChannelStopped { .. } => {}
            Record::ActionsReminded { .. } => self.reminded = Some(at),
            Record::Maintenance { until, .. } => self.maintenance = *until,
            Record::Degraded { service, on } => self.set_degraded(service, *on),
            _ => {
                self.apply_to_service(at, record);
                self.apply_to_incident(at, record);
                self.apply_to_run(at, record);
            }
        }
    }

    fn set_degraded(&mut self, service: &str, on: bool) {
        self.degraded.retain(|name| name != service);
        if on {
            self.degraded.push(service.to_owned());
        }
    }

    fn apply_to_service(&mut self, at: Moment, record: &Record) {
        match record {
            Record::Exited { service, exit_code, oom, asked: None, at: ended } => {
                // Never later than it was told: a clock that jumped makes no exit in the future.
                let ended = ended.map_or(at, |ended| ended.min(at));
                let exit = ExitRecord { at: ended, code: *exit_code, oom: *oom };
                self.services.remember(service).exited(exit);
            }
            Record::StoodDown { service } => self.services.remember(service).stood_down = true,
            Record::StoodUp { service } => self.services.remember(service).stood_down = false,
            Record::BootLearned { service, took_ms } => {
                self.services.remember(service).booted(*took_ms)
            }
            Record::Proved { service, proof } => self.services.remember(service).proved(*proof),
            Record::Distrusted { service, proof } => {
                self.services.remember(service).distrust(*proof)
            }
            Record::StreakEnded { service } => self.services.remember(service).streak = 0,
            Record::SignatureSeen { service, signature, .. } => {
                self.services.remember(service).learn_signature(*signature);
            }
            Record::StepIntended { run, step, .. } if step.restarts() => {
                if let Some(service) = self.runs.get(run).map(|run| run.service.clone()) {
                    self.services.remember(&service).restarted(at);
                }
            }
            _ => {}
        }
    }

    fn apply_to_incident(&mut self, at: Moment, record: &Record) {
        if let Record::IncidentOpened { incident, service, group, severity, title, players } =
            record
        {
            self.last_incident = self.last_incident.max(incident.0);
            let opened = Incident {
                id: *incident,
                service: service.clone(),
                group: *group,
                severity: *severity,
                state: Lifecycle::Open,
                title: title.clone(),
                symptoms: Vec::new(),
                detected: at,
                players: *players,
                acknowledged: None,
                claimed: false,
                holder: None,
                restored: None,
                view: None,
                resolved: None,
                resolved_by: None,
                relapses: 0,
                runs: Vec::new(),
                tried: Vec::new(),
                escalated: None,
                overdue: false,
                level: 0,
                told: None,
                raised: None,
                turned: at,
            };
            self.incidents.insert(*incident, opened);
            return;
        }
        if let Record::Merged { incident, into } = record {
            return self.merge(at, *incident, *into);
        }
        let Some(id) = record.incident() else { return };
        let Some(incident) = self.incidents.get_mut(&id) else { return };
        match record {
            Record::SymptomBegan { service, kind, started, detail, .. } => {
                incident.show(Symptom {
                    service: service.clone(),
                    kind: *kind,
                    started: *started,
                    began: at,
                    until: None,
                    detail: detail.clone(),
                });
            }
            Record::SymptomEnded { service, kind, .. } => {
                let shown = incident.symptoms.iter_mut().rev();
                let mut shown = shown.filter(|symptom| symptom.until.is_none());
                let found =
                    shown.find(|symptom| symptom.service == *service && symptom.kind == *kind);
                if let Some(symptom) = found {
                    symptom.until = Some(at);
                }
            }
            Record::SeverityRaised { severity, title, .. } => {
                incident.severity = *severity;
                incident.raised = Some(at);
                // Its clock starts afresh, and with it who is told.
                incident.overdue = false;
                if let Some(title) = title {
                    incident.title.clone_from(title);
                }
            }
            Record::Rerooted { service, group, title, .. } => {
                incident.service.clone_from(service);
                incident.group = *group;
                incident.title.clone_from(title);
            }
            Record::Relapsed { .. } => {
                incident.relapses += 1;
                incident.restored = None;
                incident.view = None;
                incident.turned = at;
                // What a person was told of is over; what came back may be repaired, and told.
                incident.escalated = None;
                (incident.overdue, incident.level, incident.told) = (false, 0, None);
                incident.state = Lifecycle::Open;
            }
            Record::Acknowledged { by, .. } => {
                incident.acknowledged.get_or_insert_with(|| (at, by.clone()));
                if matches!(by, Actor::Person(_)) {
                    incident.claimed = true;
                    incident.holder = Some((at, by.clone()));
                }
            }
            Record::Overdue { .. } => incident.overdue = true,
            Record::EscalatedTo { level, .. } => {
                incident.level = *level;
                incident.told = Some(at);
            }
            Record::Escalated { .. } => {
                incident.escalated = Some(at);
                incident.state = Lifecycle::Escalated;
            }
            Record::Restored { at: since, view, .. } => {
                incident.restored = Some(*since);
                incident.view = Some(view.clone());
                incident.turned = at;
                incident.state = Lifecycle::Restored;
            }
            Record::Resolved { by, .. } => {
                incident.resolved = Some(at);
                incident.resolved_by = Some(by.clone());
                incident.turned = at;
                incident.state = Lifecycle::Resolved;
            }
            Record::Closed { .. } => incident.state = Lifecycle::Closed,
            Record::RunStarted { run, .. } => {
                incident.runs.push(*run);
                incident.state = Lifecycle::Repairing;
                // A fault that comes and goes for weeks has runs without end; the journal has them.
                while incident.runs.len() > Self::RUNS {
                    self.runs.remove(&incident.runs.remove(0));
                }
                let old = incident.runs.len().saturating_sub(Self::EVIDENCE);
                for run in &incident.runs[..old] {
                    if let Some(run) = self.runs.get_mut(run) {
                        run.evidence = None;
                    }
                }
            }
            _ => {}
        }
        if matches!(record, Record::Resolved { .. }) {
            self.forget_oldest();
        }
    }

    /// What still lasts of one incident goes on as part of the other.
    fn merge(&mut self, at: Moment, from: IncidentId, into: IncidentId) {
        let Some(part) = self.incidents.get_mut(&from) else { return };
        let mut lasting = Vec::new();
        for symptom in part.symptoms.iter_mut().filter(|symptom| symptom.until.is_none()) {
            lasting.push(symptom.clone());
            symptom.until = Some(at);
        }
        part.resolved = Some(at);
        part.resolved_by = Some(Actor::Vigie);
        part.turned = at;
        part.state = Lifecycle::Resolved;
        let (severity, acknowledged, claimed) =
            (part.severity, part.acknowledged.clone(), part.claimed);
        if let Some(whole) = self.incidents.get_mut(&into) {
            whole.severity = whole.severity.min(severity);
            whole.acknowledged = whole.acknowledged.take().or(acknowledged);
            whole.claimed |= claimed;
            lasting.into_iter().for_each(|symptom| whole.show(symptom));
        }
        self.forget_oldest();
    }

    /// Resolved incidents live on in the register; here only the last ones do, for relapses and
    /// for commands that come late.
    fn forget_oldest(&mut self) {
        let over =
            |incident: &Incident| matches!(incident.state, Lifecycle::Resolved | Lifecycle::Closed);
        while self.incidents.values().filter(|incident| over(incident)).count() > Self::RESOLVED {
            // By when it was over, or the register would never hear the end of an old one.
            let oldest = self.incidents.values().filter(|incident| over(incident));
            let oldest = oldest.min_by_key(|incident| incident.turned);
            let Some(id) = oldest.map(|incident| incident.id) else { return };
            self.incidents.remove(&id);
            self.runs.retain(|_, run| run.incident != id);
        }
    }

    fn apply_to_run(&mut self, at: Moment, record: &Record) {
        if let Record::RunStarted { run, incident, service, runbook, by } = record {
            self.last_run = self.last_run.max(run.0);
            self.runs.insert(*run, new_run(at, *run, *incident, service, runbook, by));
            return;
        }
        let Some(run) = record.run().and_then(|id| self.runs.get_mut(&id)) else { return };
        match record {
            Record::CaseChosen { evidence, case, rejected, .. } => {
                run.evidence = Some(evidence.clone());
                run.case.clone_from(case);
                run.rejected.clone_from(rejected);
                run.phase = Phase::Waiting { until: at };
            }
            Record::ApprovalAsked { until, silence, .. } => {
                run.phase = Phase::Approval { until: *until, silence: *silence };
            }
            Record::ApprovalGiven { by, granted, .. } => {
                run.approved = granted.then(|| by.clone());
                run.phase = Phase::Waiting { until: at };
            }
            Record::RunWaits { until, .. } => run.phase = Phase::Waiting { until: *until },
            Record::StepIntended { step, undo, .. } => {
                run.phase = if *undo { Phase::Undoing } else { Phase::Stepping };
                run.steps.push(StepRecord {
                    step: step.clone(),
                    undo: *undo,
                    began: at,
                    ended: None,
                });
            }
            Record::StepEnded { result, .. } => {
                if let Some(step) = run.steps.last_mut() {
                    step.ended = Some((at, result.clone()));
                }
            }
            Record::VerifyBegan { until, .. } => run.phase = Phase::Verifying { until: *until },
            Record::UndoBegan { .. } => run.phase = Phase::Undoing,
            Record::RunEnded { ending, .. } => {
                run.phase = Phase::Ended(*ending);
                run.ended = Some(at);
                let verdict = matches!(ending, Ending::Verified | Ending::Failed);
                let incident = self.incidents.get_mut(&run.incident).filter(|_| verdict);
                if let (Some(incident), Some(case)) = (incident, &run.case) {
                    let failed = *ending == Ending::Failed;
                    incident.count(&run.service, &run.runbook, case, failed);
                }
            }
            _ => {}
        }
    }
}

fn new_run(
    at: Moment,
    id: RunId,
    incident: IncidentId,
    service: &str,
    runbook: &str,
    by: &Actor,
) -> Run {
    Run {
        id,
        incident,
        service: service.to_owned(),
        runbook: runbook.to_owned(),
        began: at,
        by: by.clone(),
        phase: Phase::Collecting,
        evidence: None,
        case: None,
        rejected: Vec::new(),
        steps: Vec::new(),
        approved: None,
        ended: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exited(at: Option<Moment>) -> Record {
        Record::Exited {
            service: String::from("gmod"),
            exit_code: Some(1),
            oom: false,
            asked: None,
            at,
        }
    }

    #[test]
    fn exits_are_kept_in_the_order_in_which_they_happened() {
        let told = Moment::from_ms(100_000);
        let happened = [Some(50_000), None, Some(20_000), Some(900_000)];
        let records = happened.map(|ms| (told, exited(ms.map(Moment::from_ms))));
        let state = State::replay(records);
        let exits = state.services["gmod"].exits.iter().map(|exit| exit.at.steady);
        // One without a time, and one that claims to be later than now, happened when it was told.
        assert_eq!(exits.collect::<Vec<_>>(), [20_000, 50_000, 100_000, 100_000]);
    }

    #[test]
    fn a_record_of_before_the_moment_was_kept_is_read() {
        let text = r#"{"what":"exited","service":"gmod","exit_code":1,"oom":false,"asked":null}"#;
        assert_eq!(serde_json::from_str::<Record>(text).unwrap(), exited(None));
    }
}
