//! Decides what a person's order does, and answers it: an order that cannot be followed says why
//! and what to do instead.

use crate::detect::SymptomKind;
use crate::engine::Engine;
use crate::event::Order;
use crate::incident::{Actor, Group, IncidentId, Lifecycle, Severity};
use crate::learn::{Entry, Known};
use crate::moment::Moment;
use crate::record::Record;
use crate::respond::{Ending, Phase, RunId};
use crate::stack::ServiceId;

impl Engine {
    pub(super) fn order(&mut self, order: Order) {
        let reply = match order {
            Order::Acknowledge(id, by) => self.acknowledge(id, by),
            Order::Note(id, by, text) => self.note(id, by, text),
            Order::Report { service, severity, text, by } => {
                self.report(service, severity, text, by)
            }
            Order::Resolve(id, by) => self.resolve(id, by),
            Order::Close(id, by) => self.close(id, by),
            Order::Approve { run, granted, by } => self.approve(run, granted, by),
            Order::Run { service, runbook, by } => self.run_by_order(service, &runbook, by),
            Order::Learn(known, by) => Ok(self.learn(known, &by)),
            Order::Journal(entry, by) => self.journal(entry, by),
            Order::Maintenance(until, by) => self.maintain(until, by),
        };
        self.out.reply = Some(reply);
    }

    fn acknowledge(&mut self, id: IncidentId, by: Actor) -> Result<String, String> {
        let incident = self.state.incidents.get(&id).ok_or_else(|| unknown(id))?;
        if !incident.state.is_active() {
            return Err(format!("incident {id} is {} already", incident.state.word()));
        }
        self.record(Record::Acknowledged { incident: id, by });
        Ok(format!("incident {id} acknowledged"))
    }

    fn report(
        &mut self,
        service: ServiceId,
        severity: Severity,
        text: String,
        by: Actor,
    ) -> Result<String, String> {
        if text.trim().is_empty() {
            return Err(String::from("a report needs a text: what do players see?"));
        }
        let incident = self.open(service, Group::Errors, severity, text.clone());
        self.record(Record::Noted { incident, by: by.clone(), text });
        let role = self.stack.service(service).role;
        let mut books = self.stack.runbooks.iter();
        let book = books.find(|book| book.answers(SymptomKind::LuaErrors, role));
        if let (Some(book), Severity::P1 | Severity::P2) = (book, severity) {
            let name = book.name.clone();
            self.start_run(incident, service, &name, Actor::Vigie);
        }
        Ok(format!("incident {incident} opened"))
    }

    fn resolve(&mut self, id: IncidentId, by: Actor) -> Result<String, String> {
        let incident = self.state.incidents.get(&id).ok_or_else(|| unknown(id))?;
        if matches!(incident.state, Lifecycle::Resolved | Lifecycle::Closed) {
            return Err(format!("incident {id} is {} already", incident.state.word()));
        }
        let live: Vec<_> = incident.runs.clone();
        let lasting: Vec<_> =
            incident.active().map(|shown| (shown.service.clone(), shown.kind)).collect();
        for run in live {
            if self.run(run).is_some_and(|run| !run.in_step()) {
                self.end_run(run, Ending::Cancelled, "the incident was resolved by a person");
            }
        }
        // A person's word holds until the symptom has gone and come back.
        for (service, kind) in lasting {
            if let Some(at) = self.stack.find(&service) {
                self.watches[at.index()].shown &= !kind.bit();
                self.watches[at.index()].muted |= kind.bit();
            }
            self.record(Record::SymptomEnded { incident: id, service, kind });
        }
        self.record(Record::Resolved { incident: id, by });
        Ok(format!("incident {id} resolved"))
    }

    fn note(&mut self, id: IncidentId, by: Actor, text: String) -> Result<String, String> {
        self.exists(id)?;
        if text.trim().is_empty() {
            return Err(String::from("a note needs a text"));
        }
        self.record(Record::Noted { incident: id, by, text });
        Ok(format!("noted in incident {id}"))
    }

    fn exists(&self, id: IncidentId) -> Result<(), String> {
        self.state.gave(id).then_some(()).ok_or_else(|| unknown(id))
    }

    fn close(&mut self, id: IncidentId, by: Actor) -> Result<String, String> {
        self.exists(id)?;
        if let Some(incident) = self.state.incidents.get(&id)
            && incident.state.is_active()
        {
            return Err(format!(
                "incident {id} is {}; resolve it first: vigie incident resolve {}",
                incident.state.word(),
                id.0
            ));
        }
        self.record(Record::Closed { incident: id, by });
        Ok(format!("incident {id} closed"))
    }

    fn approve(&mut self, id: RunId, granted: bool, by: Actor) -> Result<String, String> {
        let run = self.run(id).ok_or_else(|| format!("{id} is not waiting for anybody"))?;
        if !matches!(run.phase, Phase::Approval { .. }) {
            return Err(format!("{id} is not waiting for an approval"));
        }
        self.answered(id, by, granted);
        Ok(format!("{id} {}", if granted { "approved" } else { "refused" }))
    }

    fn run_by_order(
        &mut self,
        service: ServiceId,
        runbook: &str,
        by: Actor,
    ) -> Result<String, String> {
        if !self.stack.runbooks.iter().any(|book| book.name == runbook) {
            return Err(format!("there is no runbook `{runbook}`; try: vigie runbook list"));
        }
        if let Some(holder) = self.state.holder() {
            return Err(format!("{} holds the stack; try again when it is over", holder.id));
        }
        let name = self.name(service).to_owned();
        let known = self.state.active().find(|incident| incident.service == name);
        let incident = match known.map(|incident| incident.id) {
            Some(incident) => incident,
            None => {
                let title = format!("runbook {runbook} run by hand on {name}");
                self.open(service, Group::Availability, Severity::P4, title)
            }
        };
        let run = self.start_run(incident, service, runbook, by);
        Ok(format!("{run} started in incident {incident}"))
    }

    fn learn(&mut self, known: Vec<Known>, by: &Actor) -> String {
        let count = known.len();
        for known in known {
            self.record(Record::KnownLearned { known: Box::new(known), by: by.clone() });
        }
        format!("{count} known incidents learned")
    }

    fn journal(&mut self, entry: Entry, by: Actor) -> Result<String, String> {
        let record = entry.written(&self.state, by)?;
        self.record(record);
        Ok(format!("entry {} written", self.state.last_entry))
    }

    fn maintain(&mut self, until: Option<Moment>, by: Actor) -> Result<String, String> {
        self.record(Record::Maintenance { until, by });
        self.assess_all();
        if until.is_none() {
            let waiting = self.state.live_runs();
            let waiting = waiting.filter(|run| matches!(run.phase, Phase::Waiting { .. }));
            for run in waiting.map(|run| run.id).collect::<Vec<_>>() {
                self.advance(run);
            }
        }
        Ok(String::from(if until.is_some() { "maintenance began" } else { "maintenance ended" }))
    }
}

fn unknown(id: IncidentId) -> String {
    format!("there is no incident {id}; try: vigie incident list")
}
