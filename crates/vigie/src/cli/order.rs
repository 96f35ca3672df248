//! Does: gives a person's order to the daemon, or, in a dry run, says what it would do and to what.

use vigie_core::incident::IncidentId;
use vigie_core::learn::Entry;
use vigie_core::respond::RunId;

use super::{Exit, Failure};
use crate::config::Config;
use crate::control::{Answer, Client, Request};
use crate::report::say;
use crate::store::{IncidentRow, Register};

/// Bytes of what is written into a timeline, as of the development journal.
const LONGEST: usize = Entry::LONGEST;

/// Asks the daemon and says what it answers.
pub(super) async fn ask(
    config: &Config,
    request: &Request,
    dry_run: bool,
) -> Result<Exit, Failure> {
    let lang = config.file.stack.lang;
    match request {
        // The daemon says the same; but a slip of the pen is no guard's no.
        Request::Report { text, .. } if text.trim().is_empty() => {
            let why = say("a report needs a text: what do players see?", lang);
            return Err(Failure::say(Exit::Usage, why));
        }
        Request::Note { text, .. } if text.trim().is_empty() => {
            return Err(Failure::say(Exit::Usage, say("a note needs a text", lang)));
        }
        Request::Report { text, .. } | Request::Note { text, .. } if text.len() > LONGEST => {
            let most = LONGEST / 1024;
            let why =
                format!("the text has more than {most} KiB; keep it in a file, and name that");
            return Err(Failure::say(Exit::Usage, why));
        }
        Request::Report { service, .. } => check_names(config, service, None)?,
        Request::RunRunbook { service, runbook, .. } => {
            check_names(config, service, Some(runbook))?;
        }
        _ => {}
    }
    let subject = subject(config, request)?;
    if dry_run {
        let known = subject.is_some() || !names_one(request);
        println!("would {}", words(request));
        match &subject {
            Some(row) => println!("  now  {}", line(row)),
            None if !known => return Err(Failure::say(Exit::Usage, unknown(request))),
            None => {}
        }
        return Ok(Exit::Fine);
    }
    let mut client = Client::connect(&config.socket()).await?;
    match client.ask(request).await? {
        Answer::Done { text } => {
            println!("{}", say(&text, lang));
            Ok(Exit::Fine)
        }
        // A number that nobody knows is a slip of the pen, not a guard's no.
        Answer::Refused { why } if names_one(request) && subject.is_none() => {
            Err(Failure::say(Exit::Usage, say(&why, lang)))
        }
        Answer::Refused { why } => Err(Failure::say(Exit::Refused, say(&why, lang))),
        Answer::Status { .. } | Answer::Rehearsed { .. } => Ok(Exit::Fine),
    }
}

/// Refuses services and runbooks that the configuration does not have.
pub(super) fn check_names(
    config: &Config,
    service: &str,
    runbook: Option<&str>,
) -> Result<(), Failure> {
    if config.stack.find(service).is_none() {
        let known: Vec<_> = config.stack.services().map(|(_, one)| one.name.as_str()).collect();
        let text = format!("there is no service `{service}`; the stack has: {}", known.join(", "));
        return Err(Failure::say(Exit::Usage, text));
    }
    let known = |name: &str| config.stack.runbooks.iter().any(|book| book.name == name);
    match runbook {
        Some(name) if !known(name) => {
            let text = format!("there is no runbook `{name}`; try: vigie runbook list");
            Err(Failure::say(Exit::Usage, text))
        }
        _ => Ok(()),
    }
}

/// Whether the request is about one incident or one run.
const fn names_one(request: &Request) -> bool {
    matches!(
        request,
        Request::Acknowledge { .. }
            | Request::Note { .. }
            | Request::Resolve { .. }
            | Request::Close { .. }
            | Request::Approve { .. }
    )
}

/// The incident that the request is about, as the register has it.
fn subject(config: &Config, request: &Request) -> Result<Option<IncidentRow>, Failure> {
    let register = Register::open(&config.journal())?;
    Ok(match request {
        Request::Acknowledge { incident, .. }
        | Request::Note { incident, .. }
        | Request::Resolve { incident, .. }
        | Request::Close { incident, .. } => register.get(IncidentId(*incident))?,
        Request::Approve { run, .. } => {
            let rows = register.list(usize::MAX)?;
            rows.into_iter().find(|row| row.runs.iter().any(|one| one.id == RunId(*run)))
        }
        _ => None,
    })
}

fn unknown(request: &Request) -> String {
    match request {
        Request::Approve { run, .. } => {
            format!("there is no run {run}; `vigie incident list` and `show` name those that wait")
        }
        Request::Acknowledge { incident, .. }
        | Request::Note { incident, .. }
        | Request::Resolve { incident, .. }
        | Request::Close { incident, .. } => {
            format!("there is no incident {incident}; try: vigie incident list")
        }
        _ => String::from("there is no such thing"),
    }
}

/// An incident in one line.
fn line(row: &IncidentRow) -> String {
    let incident = &row.incident;
    let (severity, state) = (incident.severity.word(), incident.state.word());
    format!("incident {} {severity} {state}, {}: {}", incident.id, incident.service, incident.title)
}

/// What a request wants, behind "would".
fn words(request: &Request) -> String {
    match request {
        Request::Acknowledge { incident, by } => {
            format!("take incident {incident} in hand as {by}: its response clock stops")
        }
        Request::Note { incident, by, text } => {
            format!("write into the timeline of incident {incident} as {by}: {text}")
        }
        Request::Report { service, severity, by, text } => {
            format!("open an incident {severity} on {service} as {by}: {text}")
        }
        Request::Resolve { incident, by } => format!(
            "declare incident {incident} over as {by}: its runs are cancelled, and what still shows \
             stays quiet until it has gone and come back"
        ),
        Request::Close { incident, by } => format!("file incident {incident} as {by}"),
        Request::Approve { run, granted: true, by } => {
            format!("say yes to run {run} as {by}: its steps begin")
        }
        Request::Approve { run, granted: false, by } => {
            format!("say no to run {run} as {by}: nothing of it is done")
        }
        Request::Maintenance { minutes: Some(minutes), by } => format!(
            "declare maintenance of {minutes} min as {by}: no incident is opened, nothing is repaired"
        ),
        Request::Maintenance { minutes: None, by } => format!("end maintenance as {by}"),
        Request::RunRunbook { service, runbook, .. } | Request::Rehearse { service, runbook } => {
            format!("run {runbook} on {service}")
        }
        Request::Operate { service, stop } => {
            format!("{} {service} as an operator", if *stop { "stop" } else { "start" })
        }
        Request::Journal { entry, by } => {
            format!("write into the development journal as {by}: {}", entry.text)
        }
        Request::Learn { known, .. } => format!("learn {} known incidents", known.len()),
        Request::Status => String::from("ask how the stack is"),
    }
}
