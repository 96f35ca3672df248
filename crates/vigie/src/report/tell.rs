//! Does: puts a record into one line for people, in English or French: the frame here, what the core
//! wrote into it by the catalogue. Texts that come from outside were made printable where they came in.

use std::borrow::Cow;

use vigie_core::Record;
use vigie_core::incident::Actor;
use vigie_core::learn::Entry;
use vigie_core::respond::{Ending, StepResult};

use super::catalogue;
use super::time::minute;
use crate::app::SCHEDULE;
pub use crate::config::Lang;

/// The record in one line. `service` is the one that its run treats, where it belongs to a run.
#[must_use]
pub fn tell(record: &Record, service: Option<&str>, lang: Lang) -> String {
    match (lang, record, service) {
        (Lang::En, Record::StepIntended { step, undo, .. }, Some(service)) => {
            format!("{}: {}", if *undo { "undo" } else { "step" }, step.describe(service))
        }
        (Lang::Fr, Record::StepIntended { step, undo, .. }, Some(service)) => {
            format!(
                "{} : {}",
                if *undo { "annulation" } else { "étape" },
                say(&step.describe(service))
            )
        }
        (Lang::En, ..) => english(record),
        (Lang::Fr, ..) => french(record),
    }
}

/// The records of one incident, each in one line.
#[must_use]
pub fn tell_all<'a>(records: impl Iterator<Item = &'a Record>, lang: Lang) -> Vec<String> {
    let mut treated = None;
    let lines = records.map(|record| {
        if let Record::RunStarted { service, .. } = record {
            treated = Some(service.as_str());
        }
        tell(record, treated, lang)
    });
    lines.collect()
}

/// Where a record comes from: the source shown in a timeline.
#[must_use]
pub const fn source(record: &Record) -> &'static str {
    match record {
        Record::Exited { .. } | Record::RuntimeLost | Record::RuntimeBack => "runtime",
        Record::SymptomBegan { .. } | Record::SymptomEnded { .. } => "detector",
        Record::Acknowledged { by: Actor::Person(_), .. }
        | Record::Noted { .. }
        | Record::ApprovalGiven { .. }
        | Record::KnownLearned { .. }
        | Record::Resolved { by: Actor::Person(_), .. }
        | Record::Journaled { .. }
        | Record::Closed { .. } => "person",
        Record::Acknowledged { by: Actor::Runbook(_), .. }
        | Record::RunStarted { .. }
        | Record::CaseChosen { .. }
        | Record::ApprovalAsked { .. }
        | Record::RunWaits { .. }
        | Record::StepIntended { .. }
        | Record::StepEnded { .. }
        | Record::UndoBegan { .. }
        | Record::RunEnded { .. } => "runbook",
        Record::VerifyBegan { .. } | Record::Restored { .. } => "verify",
        _ => "vigie",
    }
}

fn seconds(ms: u64) -> String {
    super::ago(std::time::Duration::from_millis(ms))
}

fn code(exit_code: Option<i32>) -> String {
    exit_code.map_or_else(|| String::from("?"), |code| code.to_string())
}

/// The first line of an entry.
fn first(entry: &Entry) -> &str {
    entry.text.lines().next().unwrap_or_default()
}

fn result(result: &StepResult) -> String {
    result.why().map_or_else(|| result.word().to_owned(), |why| format!("{}: {why}", result.word()))
}

fn english(record: &Record) -> String {
    match record {
        Record::WatchBegan { version } => format!("the watch began (vigie {version})"),
        Record::ClockJumped { by_ms } => format!("the host's clock jumped by {by_ms} ms"),
        Record::RuntimeLost => String::from("the runtime cannot be reached"),
        Record::RuntimeBack => String::from("the runtime can be reached"),
        Record::NetworkLost => {
            String::from("this machine's own network is down: no silence is blamed on a service")
        }
        Record::NetworkBack => String::from("this machine's own network works again"),
        Record::JournalGap { lost } => format!("{lost} records could not be written and are lost"),
        Record::Exited { service, exit_code, oom, asked, .. } => {
            let oom = if *oom { ", out of memory" } else { "" };
            let code = code(*exit_code);
            match asked {
                Some(by) => format!("{service} ended as asked by {by} (exit code {code}{oom})"),
                None => format!("{service} died (exit code {code}{oom})"),
            }
        }
        Record::StoodDown { service } => {
            format!("{service} was stopped by an operator: respected, vigie will not start it")
        }
        Record::StoodUp { service } => format!("{service} was started again by an operator"),
        Record::BootLearned { service, took_ms } => {
            format!("{service} was ready {} after its start", seconds(*took_ms))
        }
        Record::Proved { service, proof } => format!("{service}: {} was answered", proof.word()),
        Record::Distrusted { service, proof } => {
            format!("{service}: {} has failed alone for long and proves nothing", proof.word())
        }
        Record::StreakEnded { service } => {
            format!("{service} has been stable; its backoff is reset")
        }
        Record::SignatureSeen { service, signature, sample } => {
            format!("{service}: new Lua error {signature:016x}: {sample}")
        }
        Record::Renamed { service, to } => format!("{service}'s container is now called {to}"),
        Record::Maintenance { until: Some(until), by } => {
            format!("maintenance until {}, declared by {by}", super::rfc3339(until.wall))
        }
        Record::Maintenance { until: None, by } => format!("maintenance ended ({by})"),
        Record::IncidentOpened { incident, severity, title, .. } => {
            format!("incident {incident} opened, {}: {title}", severity.word())
        }
        Record::SymptomBegan { kind, detail, .. } => format!("symptom {}: {detail}", kind.word()),
        Record::SymptomEnded { service, kind, .. } => {
            format!("symptom {} of {service} ended", kind.word())
        }
        Record::SeverityRaised { severity, .. } => {
            format!("severity raised to {}", severity.word())
        }
        Record::Rerooted { service, title, .. } => format!("the cause lies at {service}: {title}"),
        Record::Merged { into, .. } => format!("it is part of incident {into}"),
        Record::Relapsed { .. } => String::from("it came back"),
        Record::Acknowledged { by, .. } => format!("acknowledged by {by}"),
        Record::Noted { by, text, .. } => format!("note by {by}: {text}"),
        Record::Overdue { .. } => String::from("nobody has taken it in hand in time"),
        Record::EscalatedTo { level, to, .. } => {
            format!("nobody has it in hand: level {level} is told: {}", to.join(", "))
        }
        Record::Notified { channel, occasion, .. } => format!("told {channel}: {occasion}"),
        Record::ChannelStopped { channel, why } => {
            format!("the channel {channel} takes no messages any more: {why}")
        }
        Record::ActionsReminded { open, late, .. } => {
            format!("people were reminded of {open} open actions, {late} of them late")
        }
        Record::Escalated { why, .. } => format!("handed to a person: {why}"),
        Record::Restored { view, .. } => format!("restored, verified stable: {view}"),
        Record::Resolved { by, .. } => format!("resolved by {by}"),
        Record::Closed { by, .. } => format!("closed by {by}"),
        Record::KnownLearned { known, by } => {
            format!("{by} told of a known incident, {}: {}", known.id, known.title.en)
        }
        Record::Journaled { entry, by } => {
            format!("entry {} of the development journal, by {by}: {}", entry.number, first(entry))
        }
        Record::Degraded { service, on: true } => {
            format!("degraded: the stack works without {service}")
        }
        Record::Degraded { service, on: false } => format!("no longer degraded: {service} is back"),
        Record::RunStarted { runbook, service, .. } => {
            format!("runbook {runbook} on {service}: collecting evidence")
        }
        Record::CaseChosen { case, rejected, .. } => {
            let chosen = case.as_deref().map_or_else(
                || String::from("no case matches"),
                |case| format!("case {case} chosen"),
            );
            let others: Vec<_> =
                rejected.iter().map(|one| format!("{} ({})", one.case, one.why)).collect();
            if others.is_empty() {
                chosen
            } else {
                format!("{chosen}; not {}", others.join(", not "))
            }
        }
        Record::ApprovalAsked { run, plan, until, silence } => {
            let then = if silence.is_no() { "it is left" } else { "it is done" };
            format!(
                "waits for approval: {}; `vigie runbook approve {}`; without an answer by {} {then}",
                plan.join(", then "),
                run.0,
                minute(until.wall)
            )
        }
        Record::ApprovalGiven { granted: true, case: Some(case), .. } => {
            format!("nobody answered in time: approved by default, as case {case} says")
        }
        Record::ApprovalGiven { by: Actor::Vigie, granted: false, .. } => {
            String::from("nobody answered in time: refused by default")
        }
        Record::ApprovalGiven { by, granted: true, .. } => format!("approved by {by}"),
        Record::ApprovalGiven { by, granted: false, .. } => format!("refused by {by}"),
        Record::RunWaits { why, .. } => format!("waits: {why}"),
        Record::StepIntended { step, undo, .. } => {
            let undo = if *undo { "undo" } else { "step" };
            format!("{undo}: {}", step.describe("it"))
        }
        Record::StepEnded { result: how, .. } => format!("step {}", result(how)),
        Record::VerifyBegan { .. } => String::from("verifying from the player's side"),
        Record::UndoBegan { why, .. } => format!("taking it back: {why}"),
        Record::RunEnded { ending, why, .. } => {
            let ending = match ending {
                Ending::Verified => "verified",
                Ending::Failed => "failed",
                Ending::NoCase => "no case",
                Ending::Escalated => "escalated",
                Ending::Refused => "refused",
                Ending::Observed => "only observed",
                Ending::Cancelled => "cancelled",
                Ending::RefusedByGuard => "refused by the guard",
            };
            format!("run {ending}: {why}")
        }
    }
}

/// The French of what the core wrote.
fn say(text: &str) -> Cow<'_, str> {
    catalogue::say(text, Lang::Fr)
}

/// Who did it: a person's name is nobody's to translate.
fn who(by: &Actor) -> String {
    match by {
        Actor::Person(name) if name == SCHEDULE => String::from("l'horaire de vigie.toml"),
        _ => by.to_string(),
    }
}

fn french_result(result: &StepResult) -> String {
    match result {
        StepResult::Done => String::from("faite"),
        StepResult::Failed(why) => format!("échouée : {}", say(why)),
        StepResult::TimedOut => String::from("échouée : pas finie à temps"),
        StepResult::Unknown => String::from("de fin inconnue"),
        StepResult::Refused(why) => format!("refusée : {}", say(why)),
    }
}

fn french(record: &Record) -> String {
    match record {
        Record::WatchBegan { version } => format!("la veille commence (vigie {version})"),
        Record::ClockJumped { by_ms } => format!("l'horloge de l'hôte a sauté de {by_ms} ms"),
        Record::RuntimeLost => String::from("le moteur d'exécution ne répond plus"),
        Record::RuntimeBack => String::from("le moteur d'exécution répond de nouveau"),
        Record::NetworkLost => String::from(
            "le réseau de cette machine est coupé : aucun silence n'est reproché à un service",
        ),
        Record::NetworkBack => String::from("le réseau de cette machine fonctionne de nouveau"),
        Record::JournalGap { lost } => format!("{lost} entrées n'ont pas pu être écrites"),
        Record::Exited { service, exit_code, oom, asked, .. } => {
            let oom = if *oom { ", mémoire épuisée" } else { "" };
            let code = code(*exit_code);
            match asked {
                Some(by) => format!("{service} arrêté à la demande de {by} (code {code}{oom})"),
                None => format!("{service} est mort (code {code}{oom})"),
            }
        }
        Record::StoodDown { service } => {
            format!("{service} arrêté par un opérateur : respecté, vigie ne le relance pas")
        }
        Record::StoodUp { service } => format!("{service} relancé par un opérateur"),
        Record::BootLearned { service, took_ms } => {
            format!("{service} prêt {} après son démarrage", seconds(*took_ms))
        }
        Record::Proved { service, proof } => {
            format!("{service} : {} a répondu", catalogue::word(proof.word(), Lang::Fr))
        }
        Record::Distrusted { service, proof } => {
            let proof = catalogue::word(proof.word(), Lang::Fr);
            format!("{service} : {proof} échoue seul depuis longtemps et ne prouve rien")
        }
        Record::StreakEnded { service } => {
            format!("{service} est stable ; son délai repart de zéro")
        }
        Record::SignatureSeen { service, signature, sample } => {
            format!("{service} : nouvelle erreur Lua {signature:016x} : {sample}")
        }
        Record::Renamed { service, to } => {
            format!("le conteneur de {service} s'appelle maintenant {to}")
        }
        Record::Maintenance { until: Some(until), by } => {
            format!("maintenance jusqu'à {}, déclarée par {}", super::rfc3339(until.wall), who(by))
        }
        Record::Maintenance { until: None, by } => format!("fin de maintenance ({})", who(by)),
        Record::IncidentOpened { incident, severity, group, title, .. } => {
            let title = catalogue::title(*group, title, Lang::Fr);
            format!("incident {incident} ouvert, {} : {title}", severity.word())
        }
        Record::SymptomBegan { kind, detail, .. } => {
            format!("symptôme « {} » : {}", catalogue::symptom(*kind, Lang::Fr), say(detail))
        }
        Record::SymptomEnded { service, kind, .. } => {
            format!("fin du symptôme « {} » de {service}", catalogue::symptom(*kind, Lang::Fr))
        }
        Record::SeverityRaised { severity, .. } => format!("gravité relevée à {}", severity.word()),
        Record::Rerooted { service, group, title, .. } => {
            format!("la cause est {service} : {}", catalogue::title(*group, title, Lang::Fr))
        }
        Record::Merged { into, .. } => format!("fait partie de l'incident {into}"),
        Record::Relapsed { .. } => String::from("rechute"),
        Record::Acknowledged { by, .. } => format!("pris en charge par {by}"),
        Record::Noted { by, text, .. } => format!("note de {by} : {text}"),
        Record::Overdue { .. } => String::from("personne ne l'a pris en charge à temps"),
        Record::EscalatedTo { level, to, .. } => {
            format!("personne ne s'en occupe : niveau {level} prévenu : {}", to.join(", "))
        }
        Record::Notified { channel, occasion, .. } => {
            format!("{channel} prévenu : {}", say(occasion))
        }
        Record::ChannelStopped { channel, why } => {
            format!("le canal {channel} ne prend plus de messages : {why}")
        }
        Record::ActionsReminded { open, late, .. } => {
            format!("rappel des actions ouvertes : {open}, dont {late} en retard")
        }
        Record::Escalated { why, .. } => format!("remis à une personne : {}", say(why)),
        Record::Restored { view, .. } => format!("rétabli, stabilité vérifiée : {}", say(view)),
        Record::Resolved { by, .. } => format!("résolu par {by}"),
        Record::Closed { by, .. } => format!("clos par {by}"),
        Record::KnownLearned { known, by } => {
            let title = known.title.fr.as_ref().unwrap_or(&known.title.en);
            format!("{by} a fait connaître un incident, {} : {title}", known.id)
        }
        Record::Journaled { entry, by } => {
            let (number, text) = (entry.number, first(entry));
            format!("entrée {number} du journal de développement, par {by} : {text}")
        }
        Record::Degraded { service, on: true } => format!("mode dégradé : sans {service}"),
        Record::Degraded { service, on: false } => {
            format!("fin du mode dégradé : {service} est de retour")
        }
        Record::RunStarted { runbook, service, .. } => {
            format!("runbook {runbook} sur {service} : collecte des preuves")
        }
        Record::CaseChosen { case, rejected, .. } => {
            let chosen = case.as_deref().map_or_else(
                || String::from("aucun cas ne convient"),
                |case| format!("cas {case} choisi"),
            );
            let others: Vec<_> =
                rejected.iter().map(|one| format!("{} ({})", one.case, say(&one.why))).collect();
            if others.is_empty() {
                chosen
            } else {
                format!("{chosen} ; pas {}", others.join(", pas "))
            }
        }
        Record::ApprovalAsked { run, plan, until, silence } => {
            let plan: Vec<_> = plan.iter().map(|step| say(step)).collect();
            let plan = plan.join(", puis ");
            let then = if silence.is_no() { "rien n'est fait" } else { "c'est fait" };
            format!(
                "attend une approbation : {plan} ; `vigie runbook approve {}` ; sans réponse d'ici {}, \
                 {then}",
                run.0,
                minute(until.wall)
            )
        }
        Record::ApprovalGiven { granted: true, case: Some(case), .. } => {
            format!("personne n'a répondu à temps : approuvé d'office, comme le dit le cas {case}")
        }
        Record::ApprovalGiven { by: Actor::Vigie, granted: false, .. } => {
            String::from("personne n'a répondu à temps : refusé d'office")
        }
        Record::ApprovalGiven { by, granted: true, .. } => format!("approuvé par {by}"),
        Record::ApprovalGiven { by, granted: false, .. } => format!("refusé par {by}"),
        Record::RunWaits { why, .. } => format!("attend : {}", say(why)),
        Record::StepIntended { step, undo, .. } => {
            let undo = if *undo { "annulation" } else { "étape" };
            format!("{undo} : {}", say(&step.describe("it")))
        }
        Record::StepEnded { result: how, .. } => format!("étape {}", french_result(how)),
        Record::VerifyBegan { .. } => String::from("vérification du point de vue du joueur"),
        Record::UndoBegan { why, .. } => format!("retour en arrière : {}", say(why)),
        Record::RunEnded { ending, why, .. } => {
            let ending = match ending {
                Ending::Verified => "vérifié",
                Ending::Failed => "échoué",
                Ending::NoCase => "aucun cas",
                Ending::Escalated => "remis à une personne",
                Ending::Refused => "refusé",
                Ending::Observed => "observé seulement",
                Ending::Cancelled => "annulé",
                Ending::RefusedByGuard => "refusé par la garde",
            };
            format!("procédure : {ending} : {}", say(why))
        }
    }
}
