//! Does: puts the risk matrix beside the real stack: what is done against each risk, whether that is
//! really there, how often the risk came true. Changes nothing.

mod collect;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use vigie_core::incident::{Impact, Probability, Severity};
use vigie_core::learn::risk::{Facts, Risk, State, matrix};

pub use collect::collect;

use crate::config::{Config, Lang};
use crate::report::{rfc3339, say};
use crate::store::{JournalError, Register};

const SHIPPED: &str = include_str!("../../knowledge/risks.toml");

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    risk: Vec<Risk>,
}

/// The matrix of a configuration: the shipped risks, its own in their place or beside them.
#[must_use]
pub fn risks(config: &Config) -> Vec<Risk> {
    let shipped: File = toml::from_str(SHIPPED).unwrap_or_else(|error| {
        tracing::error!(%error, "the shipped risks cannot be read");
        File::default()
    });
    matrix(shipped.risk, &config.file.risk)
}

/// The matrix beside the stack; see `docs/guide/json.md`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the shape is documented in the guide, field by field")]
pub struct RiskReport {
    pub risks: Vec<RiskRow>,
    /// Risks of the worst gravity against which something is missing.
    pub open: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "as above")]
pub struct RiskRow {
    pub id: String,
    pub title: String,
    pub probability: Probability,
    pub impact: Impact,
    pub gravity: Severity,
    pub mitigation: String,
    pub checks: Vec<CheckRow>,
    /// How often it came true; nothing where no symptom shows it.
    pub came_true: Option<CameTrue>,
}

#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "as above")]
pub struct CheckRow {
    pub check: &'static str,
    pub state: State,
    pub why: String,
}

#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "as above")]
pub struct CameTrue {
    pub times: u64,
    pub last: Option<String>,
}

/// Puts `config`'s matrix beside `facts` and the register.
///
/// # Errors
/// When the register cannot be read.
pub fn assess(
    config: &Config,
    facts: &Facts,
    register: &Register,
    lang: Lang,
) -> Result<RiskReport, JournalError> {
    let mut report = RiskReport { risks: Vec::new(), open: Vec::new() };
    for risk in risks(config) {
        let verdicts = risk.look(facts);
        if risk.is_open(&verdicts) {
            report.open.push(risk.id.clone());
        }
        let mut names: Vec<&str> =
            facts.of_role(risk.role).map(|service| service.name.as_str()).collect();
        if risk.role.is_none() {
            names.push(vigie_core::stack::HOST);
        }
        let came_true = match risk.bits() {
            0 => None,
            bits => {
                let (times, last) = register.came_true(bits, &names)?;
                Some(CameTrue { times, last: last.map(rfc3339) })
            }
        };
        let checks = verdicts.iter().map(|(check, verdict)| CheckRow {
            check: check.word(),
            state: verdict.state,
            why: match (verdict.state, lang) {
                (State::Unknown, Lang::Fr) => unseen(lang.of(&verdict.why)),
                _ => lang.of(&verdict.why).to_owned(),
            },
        });
        report.risks.push(RiskRow {
            title: lang.of(&risk.title).to_owned(),
            probability: risk.probability,
            impact: risk.impact,
            gravity: risk.gravity(),
            mitigation: lang.of(&risk.mitigation).to_owned(),
            checks: checks.collect(),
            came_true,
            id: risk.id,
        });
    }
    Ok(report)
}

/// Why services could not be looked at, in French: each name stands before its own why.
fn unseen(text: &str) -> String {
    let part = |part: &str| match part.split_once(" : ") {
        Some((name, why)) => format!("{name} : {}", say(why, Lang::Fr)),
        None => say(part, Lang::Fr).into_owned(),
    };
    text.split(" ; ").map(part).collect::<Vec<_>>().join(" ; ")
}
