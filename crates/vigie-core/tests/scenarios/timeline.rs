//! What happened, as text: `>` is what the world did, `=>` what vigie did to it, and the rest what
//! it wrote down. Looks are left out: they change nothing.

use std::fmt::Write as _;
use std::time::Duration;

use vigie_core::event::Act;
use vigie_core::incident::Incident;
use vigie_core::{Moment, Record, State};

use crate::story::Header;

#[derive(Debug)]
pub(crate) struct Timeline {
    zero: Moment,
    text: String,
    executed: usize,
}

impl Timeline {
    pub(crate) fn new(zero: Moment) -> Self {
        Self { zero, text: String::new(), executed: 0 }
    }

    pub(crate) fn say(&mut self, now: Moment, what: &str) {
        let at = time(now.since(self.zero));
        writeln!(self.text, "{at:>13}  {what}").unwrap();
    }

    pub(crate) fn record(&mut self, now: Moment, record: &Record) {
        let what = tell(record, self.zero);
        self.say(now, &what);
    }

    pub(crate) fn act(&mut self, now: Moment, act: &Act, service: &str) {
        match act {
            Act::Execute { step, .. } => {
                self.executed += 1;
                self.say(now, &format!("=> {}", step.describe(service)));
            }
            Act::Abort { run } => self.say(now, &format!("=> abort the step of {run}")),
            Act::Collect { .. } | Act::Look { .. } | Act::Hasten { .. } => {}
        }
    }

    /// The whole of it: the title above, how every incident stands below.
    pub(crate) fn finish(&self, header: &Header, state: &State) -> String {
        let lasts = time(header.lasts);
        let remark = header.remark.as_ref().map_or(String::new(), |text| format!("{text}\n"));
        let mut text = format!("{}\n{remark}\n{}\nafter {lasts}:\n", header.title, self.text);
        for incident in state.incidents.values() {
            writeln!(text, "  {}", self.summary(incident)).unwrap();
        }
        if state.incidents.is_empty() {
            text.push_str("  no incident\n");
        }
        write!(text, "  steps carried out: {}", self.executed).unwrap();
        text
    }

    fn summary(&self, one: &Incident) -> String {
        let at = |moment: Moment| time(moment.since(self.zero));
        let mut text = format!("incident {} {} ", one.id, one.severity.word());
        let started = one.started();
        write!(text, "{} on {}: {}; ", one.state.word(), one.service, one.title).unwrap();
        write!(text, "started {}..{}, ", at(started.earliest), at(started.latest)).unwrap();
        write!(text, "detected {}", at(one.detected)).unwrap();
        if let Some((moment, by)) = &one.acknowledged {
            write!(text, ", acknowledged {} by {by}", at(*moment)).unwrap();
        }
        if let Some(moment) = one.restored {
            write!(text, ", restored {}", at(moment)).unwrap();
        }
        text
    }
}

fn time(span: Duration) -> String {
    let (minutes, seconds) = (span.as_secs() / 60, span.as_secs() % 60);
    let ms = span.subsec_millis();
    match minutes {
        0 => format!("+{seconds}.{ms:03}s"),
        _ => format!("+{minutes}m{seconds:02}.{ms:03}s"),
    }
}

fn tell(record: &Record, zero: Moment) -> String {
    let until = |moment: &Moment| time(moment.since(zero));
    let about = record.incident().map(|id| id.to_string());
    let about = about.or(record.run().map(|run| run.to_string())).unwrap_or_default();
    let what = match record {
        Record::Exited { service, exit_code, oom, asked, .. } => {
            let code = exit_code.map_or_else(|| String::from("?"), |code| code.to_string());
            let oom = if *oom { ", for memory" } else { "" };
            let asked = asked.as_ref().map_or(String::new(), |by| format!(", asked by {by}"));
            format!("{service} ended with {code}{oom}{asked}")
        }
        Record::StoodDown { service } => format!("{service} was stopped by a person"),
        Record::StoodUp { service } => format!("{service} was started by a person"),
        Record::Proved { service, proof } => format!("{service}: {} was answered", proof.word()),
        Record::Distrusted { service, proof } => {
            format!("{service}: {} is no witness any more", proof.word())
        }
        Record::StreakEnded { service } => format!("{service} has been stable for long"),
        Record::RuntimeLost => String::from("the runtime is away"),
        Record::NetworkLost => String::from("vigie's own network is down"),
        Record::NetworkBack => String::from("vigie's own network works again"),
        Record::RuntimeBack => String::from("the runtime is back"),
        Record::BootLearned { service, took_ms } => {
            format!("{service} was ready {took_ms} ms after its start")
        }
        Record::SignatureSeen { service, sample, .. } => {
            format!("{service}: new Lua error {sample}")
        }
        Record::Maintenance { until: Some(to), by } => {
            format!("maintenance until {} by {by}", until(to))
        }
        Record::Maintenance { until: None, by } => format!("maintenance ended by {by}"),
        Record::IncidentOpened { service, severity, title, .. } => {
            format!("OPENED {} on {service}: {title}", severity.word())
        }
        Record::SymptomBegan { service, kind, started, detail, .. } => {
            let (from, to) = (until(&started.earliest), until(&started.latest));
            format!("{service} shows {} since {from}..{to}: {detail}", kind.word())
        }
        Record::SymptomEnded { service, kind, .. } => {
            format!("{service} no longer shows {}", kind.word())
        }
        Record::SeverityRaised { severity, .. } => format!("raised to {}", severity.word()),
        Record::Rerooted { service, title, .. } => format!("its cause is {service}: {title}"),
        Record::Acknowledged { by, .. } => format!("acknowledged by {by}"),
        Record::Overdue { .. } => String::from("OVERDUE"),
        Record::Escalated { why, .. } => format!("ESCALATED: {why}"),
        Record::Merged { into, .. } => format!("MERGED into {into}"),
        Record::Relapsed { .. } => String::from("RELAPSED"),
        Record::Restored { at, view, .. } => format!("RESTORED, well since {}: {view}", until(at)),
        Record::Resolved { by, .. } => format!("resolved by {by}"),
        Record::Degraded { service, on } => {
            format!("the stack works without {service}: {}", if *on { "yes" } else { "no longer" })
        }
        Record::RunStarted { run, service, runbook, by, .. } => {
            format!("{run} of {runbook} on {service}, by {by}")
        }
        Record::CaseChosen { case, rejected, .. } => {
            let others = rejected.iter().map(|one| format!("; not {}: {}", one.case, one.why));
            let others: String = others.collect();
            format!("chose {}{others}", case.as_deref().unwrap_or("no case"))
        }
        Record::ApprovalAsked { until: to, plan, silence, .. } => {
            let silence = if silence.is_no() { "" } else { ", and does it without an answer" };
            format!("ASKS until {}{silence}: {}", until(to), plan.join(", then "))
        }
        Record::ApprovalGiven { by, granted, .. } => {
            format!("{by} said {}", if *granted { "yes" } else { "no" })
        }
        Record::RunWaits { until: to, why, .. } => format!("waits until {}: {why}", until(to)),
        Record::StepIntended { step, undo, .. } => {
            format!("{} {}", if *undo { "takes back with" } else { "intends" }, step.describe("it"))
        }
        Record::StepEnded { result, .. } => {
            format!("step {} {}", result.word(), result.why().unwrap_or_default())
        }
        Record::VerifyBegan { until: to, .. } => format!("verifies until {}", until(to)),
        Record::RunEnded { ending, why, .. } => format!("ended {ending:?}: {why}"),
        // The rest is rare in stories and short enough as it is.
        other => format!("{other:?}"),
    };
    format!("{about} {what}").trim().to_owned()
}
