//! Does: puts the fixes of all findings together, round by round: one that a fix makes possible comes in
//! the next (what waits for a health needs a health check first). Writes nothing.

use std::collections::BTreeSet;

use vigie_core::compose::{Dotenv, Refusal};
use vigie_core::doctor::{Change, Facts, Finding, Texts, diagnose};

use super::{DoctorError, Looked};

/// A fix makes another possible at most so often in a row.
const ROUNDS: usize = 6;

/// What would be written.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The files as they are.
    pub before: Texts,
    /// The files as they would be.
    pub after: Texts,
    /// The findings that this ends.
    pub ended: Vec<Finding>,
    /// The findings whose fix the editor refuses, and why.
    pub refused: Vec<(Finding, Refusal)>,
    /// What is left then.
    pub left: Facts,
}

/// The files as they are, ready to be edited.
pub(super) fn texts(facts: &Facts) -> Result<Texts, DoctorError> {
    let (path, text) = match &facts.dotenv {
        Some(file) => (file.path.as_str(), file.text.as_str()),
        None => (".env", ""),
    };
    let dotenv =
        Dotenv::parse(text).map_err(|refusal| DoctorError::Malformed(path.to_owned(), refusal))?;
    let compose = facts.files.iter().map(|file| file.document.clone()).collect();
    Ok(Texts { compose, dotenv, ignore_dotenv: false })
}

/// Plans the safe fixes of those findings that are `wanted`.
///
/// # Errors
/// When `.env` cannot be read as one.
pub fn plan(looked: &Looked, wanted: impl Fn(&Finding) -> bool) -> Result<Plan, DoctorError> {
    let before = texts(&looked.facts)?;
    let mut plan = Plan {
        after: before.clone(),
        before,
        ended: Vec::new(),
        refused: Vec::new(),
        left: looked.facts.clone(),
    };
    for _ in 0..ROUNDS {
        if !plan.round(&wanted) {
            break;
        }
    }
    Ok(plan)
}

impl Plan {
    /// One round; whether it did anything.
    fn round(&mut self, wanted: &impl Fn(&Finding) -> bool) -> bool {
        let mut touched: BTreeSet<Vec<String>> = BTreeSet::new();
        let mut done = false;
        self.refused.clear();
        for finding in diagnose(&self.left).findings {
            let Some(fix) = finding.fix.as_ref().filter(|fix| fix.safe && wanted(&finding)) else {
                continue;
            };
            // Two changes of one value do not know of each other: the second one waits.
            let keys: Vec<Vec<String>> = fix.changes.iter().filter_map(place).collect();
            if keys.iter().any(|key| touched.contains(key)) {
                done = true;
                continue;
            }
            match self.after.with(fix) {
                // What changes nothing would be found for ever.
                Ok(texts) if texts.is_same_as(&self.after) => {}
                Ok(texts) => {
                    self.after = texts;
                    touched.extend(keys);
                    self.ended.push(finding);
                    done = true;
                }
                Err(refusal) => self.refused.push((finding, refusal)),
            }
        }
        self.carry_over();
        done
    }

    /// The facts as they would be.
    fn carry_over(&mut self) {
        for (file, document) in self.left.files.iter_mut().zip(&self.after.compose) {
            file.document = document.clone();
        }
        if self.after.dotenv != self.before.dotenv {
            let path = self
                .left
                .dotenv
                .as_ref()
                .map_or_else(|| String::from(".env"), |file| file.path.clone());
            let text = self.after.dotenv.text().to_owned();
            self.left.dotenv = Some(vigie_core::doctor::SourceText { path, text });
            for one in self.after.dotenv.variables() {
                self.left.variables.entry(one.name.clone()).or_insert_with(|| one.value.clone());
            }
        }
        if let (true, Some(git)) = (self.after.ignore_dotenv, &mut self.left.git) {
            git.ignores_dotenv = true;
        }
    }
}

fn place(change: &Change) -> Option<Vec<String>> {
    match change {
        Change::Set { file, path, .. } => Some([vec![file.to_string()], path.clone()].concat()),
        Change::Dotenv { .. } | Change::IgnoreDotenv => None,
    }
}
