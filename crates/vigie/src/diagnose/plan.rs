//! Does: what a runbook would do now: real evidence, the core's own choice, nothing carried out. The
//! watch knows more than a look does (exits, budget, guard, what failed before), so it is asked where
//! it runs.

use serde::Serialize;
use vigie_core::observe::ProofState;
use vigie_core::respond::{Case, Dependency, Evidence, Rejected, Runbook};
use vigie_core::{Record, span};

use super::{ProbeReport, probe};
use crate::config::Config;
use crate::report::{Lang, tell};
use crate::respond::collect;

/// What would be done.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// What was seen, one line each.
    pub evidence: Vec<String>,
    /// The case that would be tried.
    pub case: Option<Case>,
    /// The others, with why not.
    pub rejected: Vec<Rejected>,
    /// Its steps in words.
    pub steps: Vec<String>,
    /// What would prove it.
    pub verify: String,
    /// What follows from the choice by the rules: an approval, a wait, a guard's no. Only the watch
    /// knows it.
    pub then: Option<Vec<String>>,
}

/// Plans `runbook` on `service`.
///
/// # Errors
/// When there is no such runbook or service, in words.
pub async fn plan(config: Config, runbook: &str, service: &str) -> Result<Plan, String> {
    let book = config.stack.runbooks.iter().find(|book| book.name == runbook);
    let book =
        book.ok_or_else(|| format!("there is no runbook `{runbook}`; try: vigie runbook list"))?;
    let id = config.stack.find(service).ok_or_else(|| {
        let known: Vec<_> =
            config.stack.services().map(|(_, service)| service.name.as_str()).collect();
        format!("there is no service `{service}`; the stack has: {}", known.join(", "))
    })?;
    let runtime = crate::app::runtime(&config).map_err(|error| error.to_string())?;
    let mut evidence = collect(&config, runtime.as_ref(), id).await;
    let probes = probe(&config, &config.file.service[service]).await;
    let state = |name: &str| state_of(&probes, name);
    evidence.a2s = state("a2s");
    evidence.rcon = state("rcon");
    evidence.database = state("database");
    for needed in &config.stack.service(id).depends_on {
        let name = &config.stack.service(*needed).name;
        let looks = probe(&config, &config.file.service[name]).await;
        let well = looks.iter().all(|look| look.ok);
        evidence.dependencies.push(Dependency { service: name.clone(), well });
    }
    evidence.symptoms = guess_symptoms(&evidence);
    let (case, rejected) = book.choose(&evidence, |_| None);
    let steps = case.map(|case| case.steps.iter().map(|step| step.describe(service)).collect());
    let verify = case.map_or_else(String::new, |case| proof(book, case));
    Ok(Plan {
        evidence: facts(service, &evidence),
        case: case.cloned(),
        rejected,
        steps: steps.unwrap_or_default(),
        verify,
        then: None,
    })
}

/// The plan that the watch's own records tell: from the choice of the case on.
#[must_use]
pub fn told(config: &Config, runbook: &str, service: &str, records: &[Record]) -> Option<Plan> {
    let book = config.stack.runbooks.iter().find(|book| book.name == runbook)?;
    let (chosen, rest) = records.split_first()?;
    let Record::CaseChosen { evidence, case, rejected, .. } = chosen else { return None };
    let case = case.as_deref().and_then(|id| book.case(id));
    let steps = case.map(|case| case.steps.iter().map(|step| step.describe(service)).collect());
    // A step that would begin now is in the plan already; that a person said yes is the order itself.
    let is_news = |record: &&Record| {
        !matches!(record, Record::StepIntended { .. } | Record::ApprovalGiven { granted: true, .. })
    };
    let then = rest.iter().filter(is_news).map(|record| tell(record, Some(service), Lang::En));
    Some(Plan {
        evidence: facts(service, evidence),
        case: case.cloned(),
        rejected: rejected.clone(),
        steps: steps.unwrap_or_default(),
        verify: case.map_or_else(String::new, |case| proof(book, case)),
        then: Some(then.collect()),
    })
}

fn proof(book: &Runbook, case: &Case) -> String {
    let verify = book.verify_of(case);
    format!(
        "verify: well within {}, and without a break for {}",
        span::format(verify.within),
        span::format(verify.stable)
    )
}

fn facts(service: &str, evidence: &Evidence) -> Vec<String> {
    let mut facts = vec![
        format!("{service} is {}", evidence.inspection.state.word()),
        format!("a2s {:?}, rcon {:?}", evidence.a2s, evidence.rcon).to_lowercase(),
    ];
    facts.extend(evidence.inspection.exit_code.map(|code| format!("last exit code {code}")));
    facts.extend(evidence.missing.clone());
    facts
}

fn state_of(probes: &[ProbeReport], name: &str) -> ProofState {
    match probes.iter().find(|look| look.probe == name) {
        Some(look) if look.ok => ProofState::Passing,
        Some(_) => ProofState::Failing,
        None => ProofState::Unknown,
    }
}

/// The symptoms that a running watch would see in this evidence.
fn guess_symptoms(evidence: &Evidence) -> Vec<String> {
    let down = evidence.not_running();
    let frozen =
        !down && evidence.a2s == ProofState::Failing && evidence.rcon == ProofState::Failing;
    [(down, "down"), (frozen, "frozen")]
        .into_iter()
        .filter(|(shown, _)| *shown)
        .map(|(_, word)| word.to_owned())
        .collect()
}
