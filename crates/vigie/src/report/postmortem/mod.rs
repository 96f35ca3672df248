//! Does: the documented JSON shape of a post-mortem (`vigie incident postmortem N --json`); its
//! templates are given the same.

mod known;
mod words;

use serde::Serialize;
use vigie_core::incident::{Actor, Incident};
use vigie_core::learn::postmortem::{Case, Length, Review, Side};
use vigie_core::respond::{Ending, Phase, Rejected, Run};
use vigie_core::stack::{Stack, Targets};
use vigie_core::{Moment, Record};

use super::incident::BoundsJson;
use super::{Lang, ago, millis, rfc3339, say, source, symptom, tell_all, title, word};
use crate::store::{IncidentRow, TimelineRow};

/// A post-mortem; see `docs/guide/json.md`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the shape is documented in the guide, field by field")]
pub struct PostmortemJson {
    pub incident: u64,
    pub stack: String,
    pub severity: &'static str,
    pub state: String,
    pub service: String,
    pub title: String,
    pub started: BoundsJson,
    pub detected: String,
    pub acknowledged: Option<String>,
    pub in_hand: Option<String>,
    pub restored: Option<String>,
    pub resolved: Option<String>,
    pub resolved_by: Option<String>,
    pub merged_into: Option<u64>,
    pub detected_in_ms: Option<[u64; 2]>,
    pub in_hand_in_ms: Option<[u64; 2]>,
    pub lasted_ms: Option<[u64; 2]>,
    pub target_ms: Option<u64>,
    pub in_time: Option<bool>,
    pub players: Option<u32>,
    pub player_ms: Option<[u64; 2]>,
    pub symptoms: Vec<ShownJson>,
    pub findings: Vec<String>,
    pub console: Vec<String>,
    pub triggers: Vec<String>,
    pub runs: Vec<TriedJson>,
    pub view: Option<String>,
    pub seen_before: Option<String>,
    pub well: Vec<String>,
    pub badly: Vec<String>,
    pub luck: Vec<String>,
    pub actions: Vec<String>,
    pub due: String,
    pub timeline: Vec<LineJson>,
}

#[derive(Debug, Clone, Serialize)]
pub struct ShownJson {
    pub service: String,
    pub kind: String,
    pub detail: String,
    pub since: String,
    pub until: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct TriedJson {
    pub runbook: String,
    pub service: String,
    pub by: String,
    pub case: Option<String>,
    pub title: Option<String>,
    pub rejected: Vec<Rejected>,
    pub steps: Vec<DoneJson>,
    pub ending: Option<String>,
    pub verified: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct DoneJson {
    pub step: String,
    pub undo: bool,
    pub result: String,
    pub done: bool,
    pub took_ms: Option<u64>,
}

#[derive(Debug, Clone, Serialize)]
pub struct LineJson {
    pub at: String,
    pub after_ms: u64,
    pub source: String,
    pub text: String,
}

/// Everything that a post-mortem is made of.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// The incident and its runs.
    pub row: &'a IncidentRow,
    /// What happened, oldest first.
    pub timeline: &'a [TimelineRow],
    /// The stack: its name and its runbooks.
    pub stack: &'a Stack,
    /// The like of it that was seen before, in one line.
    pub seen_before: Option<&'a str>,
    /// The day by which proposed actions are due.
    pub due: &'a str,
    /// The reader's language.
    pub lang: Lang,
}

/// The shape of one post-mortem.
#[must_use]
pub fn postmortem_json(material: &Material<'_>) -> PostmortemJson {
    let Material { row, lang, stack, .. } = *material;
    let incident = &row.incident;
    let timeline: Vec<_> =
        material.timeline.iter().map(|one| (one.at, one.record.clone())).collect();
    let targets: &Targets = &stack.settings.targets;
    let review = Review::of(&Case { incident, runs: &row.runs, timeline: &timeline, targets });
    let at = |moment: Moment| rfc3339(moment.wall);
    let started = incident.started();
    let target = targets.within(incident.severity);
    let in_time = review.in_hand_in.zip(target).map(|((_, most), target)| most <= target);
    let side = |side| review.side(side).map(|lesson| words::lesson(lesson, lang)).collect();
    PostmortemJson {
        incident: incident.id.0,
        stack: stack.name.clone(),
        severity: incident.severity.word(),
        state: word(incident.state.word(), lang).to_owned(),
        service: incident.service.clone(),
        title: title(incident.group, &incident.title, lang).into_owned(),
        started: BoundsJson { earliest: at(started.earliest), latest: at(started.latest) },
        detected: at(incident.detected),
        acknowledged: incident.acknowledged.as_ref().map(|(when, _)| at(*when)),
        in_hand: incident.acknowledged.as_ref().map(|(_, by)| words::who(by, lang)),
        restored: incident.restored.map(at),
        resolved: incident.resolved.map(at),
        resolved_by: person(incident).map(|by| words::who(by, lang)),
        merged_into: merged_into(material),
        detected_in_ms: review.detected_in.map(bounds),
        in_hand_in_ms: review.in_hand_in.map(bounds),
        lasted_ms: review.lasted.map(bounds),
        target_ms: target.map(millis),
        // What nobody ever had in hand has no time, and was missed all the same.
        in_time: if incident.overdue { Some(false) } else { in_time },
        players: review.players,
        player_ms: review.player_time.map(bounds),
        symptoms: symptoms(row, lang),
        findings: known::findings(row, lang),
        console: known::console(row),
        triggers: known::triggers(row, lang),
        runs: row.runs.iter().map(|run| tried(run, stack, lang)).collect(),
        view: incident.view.as_ref().map(|view| say(view, lang).into_owned()),
        seen_before: material.seen_before.map(str::to_owned),
        well: side(Side::Well),
        badly: side(Side::Badly),
        luck: side(Side::Luck),
        actions: review.proposals.iter().map(|one| words::proposal(one, lang)).collect(),
        due: material.due.to_owned(),
        timeline: lines(material, started.latest),
    }
}

/// Who said that it was over, where it was not vigie.
fn person(incident: &Incident) -> Option<&Actor> {
    incident.resolved_by.as_ref().filter(|by| **by != Actor::Vigie)
}

/// The incident that it became a part of.
fn merged_into(material: &Material<'_>) -> Option<u64> {
    material.timeline.iter().find_map(|one| match one.record {
        Record::Merged { incident, into } if incident == material.row.incident.id => Some(into.0),
        _ => None,
    })
}

fn bounds((least, most): Length) -> [u64; 2] {
    [millis(least), millis(most)]
}

fn symptoms(row: &IncidentRow, lang: Lang) -> Vec<ShownJson> {
    let shown = row.incident.symptoms.iter().map(|shown| ShownJson {
        service: shown.service.clone(),
        kind: symptom(shown.kind, lang).to_owned(),
        detail: say(&shown.detail, lang).into_owned(),
        since: rfc3339(shown.started.latest.wall),
        until: shown.until.map(|until| rfc3339(until.wall)),
    });
    shown.collect()
}

fn tried(run: &Run, stack: &Stack, lang: Lang) -> TriedJson {
    let book = stack.runbooks.iter().find(|book| book.name == run.runbook);
    let case = book.zip(run.case.as_deref()).and_then(|(book, id)| book.case(id));
    let rejected = run
        .rejected
        .iter()
        .map(|one| Rejected { case: one.case.clone(), why: say(&one.why, lang).into_owned() });
    let steps = run.steps.iter().map(|step| DoneJson {
        step: say(&step.step.describe(&run.service), lang).into_owned(),
        undo: step.undo,
        result: step.ended.as_ref().map_or_else(
            || words::running(lang).to_owned(),
            |(_, result)| words::result(result, lang),
        ),
        done: step.ended.as_ref().is_some_and(|(_, result)| result.word() == "done"),
        took_ms: step.ended.as_ref().map(|(ended, _)| millis(ended.since(step.began))),
    });
    let ending = match run.phase {
        Phase::Ended(ending) => Some(ending),
        _ => None,
    };
    TriedJson {
        runbook: run.runbook.clone(),
        service: run.service.clone(),
        by: words::who(&run.by, lang),
        case: run.case.clone(),
        title: case.map(|case| lang.of(&case.title).to_owned()),
        rejected: rejected.collect(),
        steps: steps.collect(),
        ending: ending.map(|ending| words::ending(ending, lang).to_owned()),
        verified: ending == Some(Ending::Verified),
    }
}

fn lines(material: &Material<'_>, started: Moment) -> Vec<LineJson> {
    let Material { timeline, lang, .. } = *material;
    let texts = tell_all(timeline.iter().map(|one| &one.record), lang);
    let line = |(one, text): (&TimelineRow, String)| LineJson {
        at: rfc3339(one.at.wall),
        after_ms: millis(one.at.since(started)),
        source: word(source(&one.record), lang).to_owned(),
        text,
    };
    timeline.iter().zip(texts).map(line).collect()
}
