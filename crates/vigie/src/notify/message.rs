//! Does: puts an incident into words for people on a chat or in a mailbox, in their language. Nothing
//! here is escaped or cut: each channel does that in its own way, with its own limits.

use vigie_core::Moment;
use vigie_core::incident::{Incident, Lifecycle, Severity};
use vigie_core::notify::{Notice, Occasion};
use vigie_core::respond::{Ending, Phase, Run, Silence};

use crate::report::{Lang, ago, say};
use crate::store::IncidentRow;

/// What a channel shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// `0xRRGGBB`, by severity and state.
    pub colour: u32,
    /// A sign that is seen from afar: `🔴`.
    pub sign: &'static str,
    /// Severity, service and state in one line.
    pub head: String,
    /// What is wrong, in one line.
    pub title: String,
    /// What there is to know, in the order of its weight.
    pub facts: Vec<Fact>,
    /// The steps of the runs, one line each, oldest first.
    pub steps: Vec<String>,
    /// What rings: the news itself, in one line; `None` where the message only changes.
    pub news: Option<String>,
    /// What a person can do on the spot.
    pub choices: Vec<Choice>,
    /// The stack's name and the incident's number.
    pub footer: String,
}

/// One thing to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// How it is.
    pub value: Value,
}

/// A fact's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Words.
    Text(String),
    /// A command to type.
    Command(String),
    /// A time, in milliseconds since 1970; channels that can show it in the reader's zone.
    Time(i64),
}

/// What a button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Take the incident in hand.
    Acknowledge(u64),
    /// Say yes to a run.
    Approve(u64),
    /// Say no to it.
    Refuse(u64),
}

impl Choice {
    /// The button's word.
    #[must_use]
    pub const fn word(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::Acknowledge(_), Lang::En) => "Acknowledge",
            (Self::Acknowledge(_), Lang::Fr) => "Je m'en occupe",
            (Self::Approve(_), Lang::En) => "Approve",
            (Self::Approve(_), Lang::Fr) => "Approuver",
            (Self::Refuse(_), Lang::En) => "Refuse",
            (Self::Refuse(_), Lang::Fr) => "Refuser",
        }
    }
}

/// Everything that a message is made of.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The stack's name.
    pub stack: &'a str,
    /// Its response targets.
    pub targets: &'a vigie_core::stack::Targets,
    /// What brought the message about.
    pub notice: &'a Notice,
    /// The incident as it is now; none for what is about vigie itself.
    pub row: Option<&'a IncidentRow>,
    /// The like of it that was seen before, in one line.
    pub seen_before: Option<&'a str>,
    /// Now.
    pub now: Moment,
    /// The reader's language.
    pub lang: Lang,
}

impl Message {
    /// The words for one notice.
    #[must_use]
    pub fn of(about: &About<'_>) -> Self {
        let words = Words(about.lang);
        match about.row {
            Some(row) => incident(about, row, words),
            None => said(about, words),
        }
    }
}

/// Picks the reader's language.
#[derive(Clone, Copy)]
pub(super) struct Words(pub(super) Lang);

impl Words {
    pub(super) fn pick(self, english: &str, french: &str) -> String {
        match self.0 {
            Lang::En => english.to_owned(),
            Lang::Fr => french.to_owned(),
        }
    }

    /// A sentence of the core's.
    pub(super) fn say(self, text: &str) -> String {
        say(text, self.0).into_owned()
    }

    pub(super) fn state(self, state: Lifecycle) -> String {
        match state {
            Lifecycle::Open => self.pick("open", "ouvert"),
            Lifecycle::Repairing => self.pick("repairing", "en réparation"),
            Lifecycle::Escalated => self.pick("needs a person", "attend une personne"),
            Lifecycle::Restored => self.pick("restored, verified", "rétabli, vérifié"),
            Lifecycle::Resolved => self.pick("resolved", "résolu"),
            Lifecycle::Closed => self.pick("closed", "clos"),
        }
    }
}

const RED: u32 = 0xd6_28_28;
const ORANGE: u32 = 0xf7_7f_00;
const YELLOW: u32 = 0xfc_bf_49;
const GREY: u32 = 0x8d_99_ae;
const GREEN: u32 = 0x2a_9d_4f;

pub(super) const fn look(severity: Severity, over: bool) -> (u32, &'static str) {
    match (over, severity) {
        (true, _) => (GREEN, "🟢"),
        (false, Severity::P1) => (RED, "🔴"),
        (false, Severity::P2) => (ORANGE, "🟠"),
        (false, Severity::P3) => (YELLOW, "🟡"),
        (false, Severity::P4) => (GREY, "⚪"),
    }
}

fn said(about: &About<'_>, words: Words) -> Message {
    let text = match &about.notice.occasion {
        Occasion::Said { text } => words.say(text),
        other => other.word().to_owned(),
    };
    let (colour, sign) = look(about.notice.severity, false);
    Message {
        colour,
        sign,
        head: words.pick("about vigie itself", "à propos de vigie"),
        title: text.clone(),
        facts: Vec::new(),
        steps: Vec::new(),
        news: Some(format!("{sign} vigie · {}: {text}", about.stack)),
        choices: Vec::new(),
        footer: about.stack.to_owned(),
    }
}

fn incident(about: &About<'_>, row: &IncidentRow, words: Words) -> Message {
    let incident = &row.incident;
    let over = !incident.state.is_active();
    let (colour, sign) = look(incident.severity, over);
    let state = words.state(incident.state);
    let head = format!("{} {} · {state}", incident.severity.word(), incident.service);
    Message {
        colour,
        sign,
        title: words.say(&incident.title),
        facts: facts(about, row, words),
        steps: row.runs.iter().flat_map(|run| steps(run, words)).collect(),
        news: news(about, row, words).map(|news| format!("{sign} #{} {news}", incident.id.0)),
        choices: choices(row),
        footer: format!("{} · incident {}", about.stack, incident.id),
        head,
    }
}

fn facts(about: &About<'_>, row: &IncidentRow, words: Words) -> Vec<Fact> {
    let incident = &row.incident;
    let mut facts = Vec::new();
    let mut add = |english: &str, french: &str, value: Value| {
        facts.push(Fact { name: words.pick(english, french), value });
    };
    let started = incident.started();
    add("Since", "Depuis", Value::Time(started.latest.wall));
    if let Some(view) = &incident.view {
        add("Players see", "Les joueurs voient", Value::Text(words.say(view)));
    } else {
        let shown: Vec<_> =
            incident.active().map(|shown| words.say(&shown.detail)).take(3).collect();
        if !shown.is_empty() && shown != [words.say(&incident.title)] {
            add("Players see", "Les joueurs voient", Value::Text(shown.join(" · ")));
        }
    }
    if let Some(run) = row.runs.last() {
        let case = run.case.as_deref().unwrap_or("–");
        let text = match words.0 {
            Lang::En => format!("{}, case {case}", run.runbook),
            Lang::Fr => format!("{}, cas {case}", run.runbook),
        };
        add("Runbook", "Procédure", Value::Text(text));
    }
    let runbook = incident.acknowledged.as_ref().filter(|_| incident.escalated.is_none());
    match incident.holder.as_ref().or(runbook) {
        Some((at, by)) => {
            let after = ago(at.since(incident.detected));
            let text = match words.0 {
                Lang::En => format!("{by}, after {after}"),
                Lang::Fr => format!("{by}, après {after}"),
            };
            add("In hand", "Pris en charge", Value::Text(text));
        }
        None => {
            if let Some(text) = clock(about, incident, words).filter(|_| incident.state.is_active())
            {
                add("Response", "Délai", Value::Text(text));
            }
        }
    }
    if let Some(at) = incident.restored {
        let text = match words.0 {
            Lang::En => format!("after {}", ago(at.since(started.latest))),
            Lang::Fr => format!("après {}", ago(at.since(started.latest))),
        };
        add("Restored", "Rétabli", Value::Text(text));
    }
    if let Some(before) = about.seen_before {
        add("Seen before", "Déjà vu", Value::Text(before.to_owned()));
    }
    if incident.state.is_active() && !incident.claimed {
        let command = format!("vigie incident ack {}", incident.id.0);
        add("Take it", "La prendre", Value::Command(command));
    }
    if let Some(run) = waiting(row) {
        let command = format!("vigie runbook approve {}", run.id.0);
        add("Approve", "Approuver", Value::Command(command));
        if let Phase::Approval { until, silence } = run.phase {
            let at = Value::Time(until.wall);
            match silence {
                Silence::Refuse => add("Left without an answer", "Abandonné sans réponse", at),
                Silence::Approve => add("Done without an answer", "Fait sans réponse", at),
            }
        }
    }
    facts
}

/// The clock against the target: how long is left, or by how much it was missed.
fn clock(about: &About<'_>, incident: &Incident, words: Words) -> Option<String> {
    let target = match incident.severity {
        Severity::P1 => about.targets.acknowledge[0],
        Severity::P2 => about.targets.acknowledge[1],
        Severity::P3 => about.targets.acknowledge[2],
        Severity::P4 => return None,
    };
    let gone = about.now.since(incident.waits_since());
    Some(match (target.checked_sub(gone), words.0) {
        (Some(left), Lang::En) => format!("{} of {} left", ago(left), ago(target)),
        (Some(left), Lang::Fr) => format!("encore {} sur {}", ago(left), ago(target)),
        (None, Lang::En) => format!("{} past its {}", ago(gone - target), ago(target)),
        (None, Lang::Fr) => format!("{} de retard sur {}", ago(gone - target), ago(target)),
    })
}

fn steps(run: &Run, words: Words) -> Vec<String> {
    let mark = |ended: Option<&str>| match ended {
        None => "…",
        Some("done") => "✓",
        Some(_) => "✗",
    };
    let mut lines: Vec<_> = run
        .steps
        .iter()
        .map(|step| {
            let result = step.ended.as_ref().map(|(_, result)| result.word());
            format!("{} {}", mark(result), words.say(&step.step.describe(&run.service)))
        })
        .collect();
    match run.phase {
        Phase::Verifying { .. } => lines.push(words.pick(
            "… verifying from the player's side",
            "… vérification du point de vue du joueur",
        )),
        Phase::Ended(Ending::Verified) => {
            lines.push(words.pick("✓ verified", "✓ vérifié"));
        }
        Phase::Ended(Ending::Failed) => {
            lines.push(words.pick("✗ it did not help", "✗ sans effet"));
        }
        _ => {}
    }
    lines
}

/// The run that waits for a person's yes.
fn waiting(row: &IncidentRow) -> Option<&Run> {
    row.runs.iter().find(|run| matches!(run.phase, Phase::Approval { .. }))
}

/// What is made of silence, while there is time to answer.
fn silence(now: Moment, row: &IncidentRow, words: Words) -> String {
    let phase = waiting(row).map(|run| &run.phase);
    let Some(Phase::Approval { until, silence }) = phase else { return String::new() };
    let left = ago(until.since(now));
    match (silence, words.0) {
        (Silence::Refuse, Lang::En) => format!("; without an answer within {left} it is left"),
        (Silence::Approve, Lang::En) => format!("; without an answer within {left} it is done"),
        (Silence::Refuse, Lang::Fr) => format!(" ; sans réponse sous {left}, rien n'est fait"),
        (Silence::Approve, Lang::Fr) => format!(" ; sans réponse sous {left}, c'est fait"),
    }
}

fn choices(row: &IncidentRow) -> Vec<Choice> {
    let incident = &row.incident;
    let mut choices = Vec::new();
    if let Some(run) = waiting(row) {
        choices.extend([Choice::Approve(run.id.0), Choice::Refuse(run.id.0)]);
    }
    if incident.state.is_active() && !incident.claimed {
        choices.push(Choice::Acknowledge(incident.id.0));
    }
    choices
}

/// What rings, in one line.
fn news(about: &About<'_>, row: &IncidentRow, words: Words) -> Option<String> {
    let incident = &row.incident;
    let (severity, service) = (incident.severity.word(), &incident.service);
    let title = words.say(&incident.title);
    Some(match (&about.notice.occasion, words.0) {
        (Occasion::Updated, _) => return None,
        (Occasion::Opened | Occasion::Said { .. } | Occasion::Digest { .. }, _) => {
            format!("{severity} {title}")
        }
        (Occasion::Relapsed, Lang::En) => format!("{severity} it came back: {title}"),
        (Occasion::Relapsed, Lang::Fr) => format!("{severity} rechute : {title}"),
        (Occasion::Escalated, Lang::En) => {
            format!("{severity} vigie cannot repair it, a person is needed: {title}")
        }
        (Occasion::Escalated, Lang::Fr) => {
            format!("{severity} vigie ne peut pas réparer, il faut une personne : {title}")
        }
        (Occasion::Overdue { level }, Lang::En) => {
            format!("{severity} nobody has it in hand (level {level}): {title}")
        }
        (Occasion::Overdue { level }, Lang::Fr) => {
            format!("{severity} personne ne s'en occupe (niveau {level}) : {title}")
        }
        (Occasion::Approval { run }, Lang::En) => {
            let silence = silence(about.now, row, words);
            format!("a yes is needed: vigie runbook approve {}{silence}", run.0)
        }
        (Occasion::Approval { run }, Lang::Fr) => {
            let silence = silence(about.now, row, words);
            format!("il faut un accord : vigie runbook approve {}{silence}", run.0)
        }
        (Occasion::Restored, Lang::En) => format!("{service} is back, verified"),
        (Occasion::Restored, Lang::Fr) => format!("{service} est de retour, vérifié"),
        (Occasion::Resolved, Lang::En) => format!("resolved: {title}"),
        (Occasion::Resolved, Lang::Fr) => format!("résolu : {title}"),
    })
}
