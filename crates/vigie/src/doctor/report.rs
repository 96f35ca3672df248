//! Does: what the doctor found, in one documented shape.

use serde::Serialize;
use vigie_core::doctor::{Diagnosis, Finding, Level};

use super::patch::{Masks, changes};
use super::plan::texts;
use super::{DoctorError, Looked};
use crate::config::Lang;

/// What is shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// This grave or graver.
    pub level: Level,
    /// Of these rules; of all when empty.
    pub rules: Vec<vigie_core::doctor::Rule>,
}

impl Shown {
    /// Whether a finding is shown.
    #[must_use]
    pub fn has(&self, finding: &Finding) -> bool {
        finding.level >= self.level && (self.rules.is_empty() || self.rules.contains(&finding.rule))
    }
}

/// The doctor's report; see `docs/guide/json.md`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the shape is documented in the guide, field by field")]
pub struct DoctorReport {
    pub files: Vec<String>,
    pub findings: Vec<FindingRow>,
    pub silenced: usize,
    /// Why the engine said nothing of the images.
    pub engine: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "as above")]
pub struct FindingRow {
    pub rule: &'static str,
    pub level: Level,
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub service: Option<String>,
    pub what: String,
    pub why: &'static str,
    pub risks: &'static [&'static str],
    pub remedy: &'static str,
    /// The change that would end it, as a unified diff.
    pub patch: Option<String>,
    /// Whether `--fix` makes that change.
    pub fixable: bool,
    /// Why the file cannot be edited, where it cannot.
    pub refused: Option<String>,
}

/// What `diagnosis` says of what was looked at.
///
/// # Errors
/// When `.env` cannot be read as one.
pub fn report(
    looked: &Looked,
    diagnosis: &Diagnosis,
    shown: &Shown,
    lang: Lang,
) -> Result<DoctorReport, DoctorError> {
    let masks = Masks::of(&[&looked.facts]);
    let before = texts(&looked.facts)?;
    let row = |finding: &Finding| {
        let about = finding.rule.about();
        let of = |both: &[&'static str; 2]| if lang == Lang::Fr { both[1] } else { both[0] };
        let (patch, refused) = match finding.fix.as_ref().map(|fix| before.with(fix)) {
            None => (None, None),
            Some(Err(refusal)) => (None, Some(refusal.to_string())),
            Some(Ok(after)) => {
                let diffs = changes(looked, &before, &after);
                (Some(diffs.iter().map(|one| one.diff(&masks)).collect::<String>()), None)
            }
        };
        FindingRow {
            rule: about.word,
            level: finding.level,
            file: finding.file.clone(),
            line: finding.place.line,
            column: finding.place.column,
            service: finding.service.clone(),
            what: lang.of(&finding.what).to_owned(),
            why: of(&about.why),
            risks: about.risks,
            remedy: of(&about.remedy),
            fixable: patch.is_some() && finding.fix.as_ref().is_some_and(|fix| fix.safe),
            patch,
            refused,
        }
    };
    Ok(DoctorReport {
        files: looked.facts.files.iter().map(|file| file.path.clone()).collect(),
        findings: diagnosis.findings.iter().filter(|one| shown.has(one)).map(row).collect(),
        silenced: diagnosis.silenced,
        engine: looked.engine.clone(),
    })
}
