//! Decides how a finding is ended: values set in compose files, secrets moved to `.env`. Each change is
//! proved by the editor; a fix is done whole or not at all.

use crate::compose::{Document, Dotenv, Refusal, Value, Why};

/// A change that ends a finding.
#[derive(Debug, Clone)]
pub struct Fix {
    /// Whether it can be done without asking what else depends on it.
    pub safe: bool,
    /// What is changed, in this order.
    pub changes: Vec<Change>,
}

impl Fix {
    /// One value set, safely.
    pub(super) fn set(file: usize, path: &[&str], value: Value) -> Self {
        Self { safe: true, changes: vec![Change::set(file, path, value)] }
    }

    /// The same, when somebody has looked at it.
    pub(super) fn not_by_itself(mut self) -> Self {
        self.safe = false;
        self
    }
}

/// One change.
#[derive(Debug, Clone)]
pub enum Change {
    /// A value in a compose file, by its number.
    Set {
        /// Which of the files.
        file: usize,
        /// Where in it.
        path: Vec<String>,
        /// What.
        value: Value,
    },
    /// A variable in `.env`; its value is a secret.
    Dotenv {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// `.env`, and the copies that vigie keeps, are left out of git.
    IgnoreDotenv,
}

impl Change {
    pub(super) fn set(file: usize, path: &[&str], value: Value) -> Self {
        Self::Set { file, path: path.iter().map(|key| (*key).to_owned()).collect(), value }
    }
}

/// The files as they would be.
#[derive(Debug, Clone)]
pub struct Texts {
    /// The compose files.
    pub compose: Vec<Document>,
    /// `.env`.
    pub dotenv: Dotenv,
    /// Whether `.env` has to be left out of git.
    pub ignore_dotenv: bool,
}

impl Texts {
    /// Whether nothing is different.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let texts = |texts: &Self| -> Vec<String> {
            texts.compose.iter().map(|document| document.text().to_owned()).collect()
        };
        self.dotenv == other.dotenv
            && self.ignore_dotenv == other.ignore_dotenv
            && texts(self) == texts(other)
    }

    /// The files with `fix` done.
    ///
    /// # Errors
    /// Where and why one of its changes cannot be made safely; none of them is made then.
    pub fn with(&self, fix: &Fix) -> Result<Self, Refusal> {
        let mut texts = self.clone();
        for change in &fix.changes {
            match change {
                Change::Set { file, path, value } => {
                    let path: Vec<&str> = path.iter().map(String::as_str).collect();
                    if let Some(document) = texts.compose.get_mut(*file) {
                        *document = document.set(&path, value)?;
                    }
                }
                Change::Dotenv { name, value } => {
                    if let Some(known) = texts.dotenv.get(name).filter(|one| one.value != *value) {
                        let why = Why::Taken(name.clone());
                        return Err(Refusal { place: known.place, why });
                    }
                    texts.dotenv = texts.dotenv.set(name, value)?;
                }
                Change::IgnoreDotenv => texts.ignore_dotenv = true,
            }
        }
        Ok(texts)
    }
}
