//! Does: the documented JSON shape of an incident (`vigie incident list --json`).

use serde::Serialize;
use vigie_core::Moment;
use vigie_core::respond::{ChangedFile, Ending, Phase, Rejected, Run, Suspect, WayBack};

use super::{millis, rfc3339};
use crate::store::IncidentRow;

/// An incident; see `docs/guide/json.md`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the shape is documented in the guide, field by field")]
pub struct IncidentJson {
    pub id: u64,
    pub severity: &'static str,
    pub state: &'static str,
    pub service: String,
    pub title: String,
    pub symptoms: Vec<SymptomJson>,
    pub started: BoundsJson,
    pub detected: String,
    pub acknowledged: Option<AcknowledgedJson>,
    pub restored: Option<String>,
    pub runs: Vec<RunJson>,
}

#[derive(Debug, Clone, Serialize)]
pub struct SymptomJson {
    pub kind: &'static str,
    pub since: String,
    pub until: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct BoundsJson {
    pub earliest: String,
    pub latest: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct AcknowledgedJson {
    pub at: String,
    pub by: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct RunJson {
    pub runbook: String,
    pub case: Option<String>,
    pub rejected: Vec<Rejected>,
    pub steps: Vec<StepJson>,
    pub verified: bool,
    /// The commit that its error is blamed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspect: Option<Suspect>,
    /// Watched files that had changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<ChangedFile>,
    /// An image that is known to have worked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way_back: Option<WayBack>,
}

#[derive(Debug, Clone, Serialize)]
pub struct StepJson {
    pub step: String,
    pub result: &'static str,
    pub took_ms: Option<u64>,
}

fn at(moment: Moment) -> String {
    rfc3339(moment.wall)
}

/// The JSON shape of a register's row.
#[must_use]
pub fn incident_json(row: &IncidentRow) -> IncidentJson {
    let incident = &row.incident;
    let started = incident.started();
    let symptoms = incident.symptoms.iter().map(|symptom| SymptomJson {
        kind: symptom.kind.word(),
        since: at(symptom.started.latest),
        until: symptom.until.map(at),
    });
    IncidentJson {
        id: incident.id.0,
        severity: incident.severity.word(),
        state: incident.state.word(),
        service: incident.service.clone(),
        title: incident.title.clone(),
        symptoms: symptoms.collect(),
        started: BoundsJson { earliest: at(started.earliest), latest: at(started.latest) },
        detected: at(incident.detected),
        acknowledged: incident
            .acknowledged
            .as_ref()
            .map(|(when, by)| AcknowledgedJson { at: at(*when), by: by.to_string() }),
        restored: incident.restored.map(at),
        runs: row.runs.iter().map(run_json).collect(),
    }
}

fn run_json(run: &Run) -> RunJson {
    let steps = run.steps.iter().map(|step| StepJson {
        step: step.step.describe(&run.service),
        result: step.ended.as_ref().map_or("running", |(_, result)| result.word()),
        took_ms: step.ended.as_ref().map(|(ended, _)| millis(ended.since(step.began))),
    });
    let evidence = run.evidence.as_deref();
    RunJson {
        runbook: run.runbook.clone(),
        case: run.case.clone(),
        rejected: run.rejected.clone(),
        steps: steps.collect(),
        verified: run.phase == Phase::Ended(Ending::Verified),
        suspect: evidence.and_then(|evidence| evidence.suspect.clone()),
        changed: evidence.map(|evidence| evidence.changed.clone()).unwrap_or_default(),
        way_back: evidence.and_then(|evidence| evidence.way_back.clone()),
    }
}
