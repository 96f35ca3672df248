//! Does: reads the runbooks: the user's files, and the built-in one wherever the user has none of
//! that name.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use strsim::osa_distance;
use toml::Spanned;
use vigie_core::detect::SymptomKind;
use vigie_core::respond::{Case, Condition, Runbook, Step};

use super::ConfigError;

/// The least time for an answer.
const SHORTEST: Duration = Duration::from_secs(1);

/// The built-in runbooks: name and text.
pub const BUILT_IN: [(&str, &str); 7] = [
    ("p1-unreachable", include_str!("../../runbooks/p1-unreachable.toml")),
    ("p2-database-down", include_str!("../../runbooks/p2-database-down.toml")),
    ("p1-host-memory", include_str!("../../runbooks/p1-host-memory.toml")),
    ("p1-other", include_str!("../../runbooks/p1-other.toml")),
    ("p2-broken-feature", include_str!("../../runbooks/p2-broken-feature.toml")),
    ("p2-backup", include_str!("../../runbooks/p2-backup.toml")),
    ("p3-performance", include_str!("../../runbooks/p3-performance.toml")),
];

/// Reads one runbook.
///
/// # Errors
/// What is wrong, at which line and column, and what to write instead.
pub fn parse_runbook(path: &Path, text: &str) -> Result<Runbook, ConfigError> {
    let runbook: Runbook =
        toml::from_str(text).map_err(|error| ConfigError::from_toml(path, text, &error))?;
    let places: Places =
        toml::from_str(text).map_err(|error| ConfigError::from_toml(path, text, &error))?;
    let at = |span: Range<usize>, what: String, hint: String| {
        let error = ConfigError::at(path, text, Some(span), &what);
        ConfigError { hint: Some(hint), ..error }
    };
    if path.file_stem().is_some_and(|stem| stem != runbook.name.as_str()) {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let what = format!("it is called `{}`, but its file is not", runbook.name);
        let hint = format!("write name = \"{stem}\", or call the file {}.toml", runbook.name);
        return Err(at(places.name.span(), what, hint));
    }
    if runbook.on.is_empty() {
        let hint = String::from("name the symptoms it answers: on = [\"down\"]");
        return Err(at(places.on.span(), String::from("it would never be used"), hint));
    }
    let mut seen = BTreeSet::new();
    for (case, place) in runbook.cases.iter().zip(&places.cases) {
        if !seen.insert(&case.id) {
            let what = format!("there are two cases `{}`", case.id);
            let hint = String::from("cases are told apart by their `id`; give this one another");
            return Err(at(place.id.span(), what, hint));
        }
        if case.when.is_empty() {
            let what = format!("case `{}` says nothing of when it applies", case.id);
            let hint = String::from("write when = [\"always\"] if it always does");
            return Err(at(place.when.span(), what, hint));
        }
        for condition in &case.when {
            if let Some((what, hint)) = unknown_symptom(condition) {
                return Err(at(place.when.span(), what, hint));
            }
        }
        if case.steps.iter().any(Step::is_internal) {
            let what = format!("case `{}` has a step that only vigie itself takes", case.id);
            let hint = String::from("what did not help is taken back without being asked for it");
            let span = place.steps.as_ref().map_or_else(|| place.id.span(), Spanned::span);
            return Err(at(span, what, hint));
        }
        if let Some((span, what, hint)) = wrong_approval(case, place) {
            return Err(at(span, what, hint));
        }
        let verify = runbook.verify_of(case);
        if verify.stable > verify.within {
            let what = format!("case `{}`: `stable` is longer than `within`", case.id);
            let hint = String::from("it has to become well and stay so within `within`");
            let span = place.verify.as_ref().or(places.verify.as_ref()).map(Spanned::span);
            return Err(at(span.unwrap_or_else(|| place.id.span()), what, hint));
        }
    }
    Ok(runbook)
}

/// Where in the text a runbook's parts stand.
#[derive(Deserialize)]
struct Places {
    name: Spanned<String>,
    on: Spanned<toml::Value>,
    #[serde(default)]
    verify: Option<Spanned<toml::Value>>,
    #[serde(rename = "case")]
    cases: Vec<CasePlaces>,
}

#[derive(Deserialize)]
struct CasePlaces {
    id: Spanned<String>,
    when: Spanned<toml::Value>,
    #[serde(default)]
    steps: Option<Spanned<toml::Value>>,
    #[serde(default)]
    verify: Option<Spanned<toml::Value>>,
    #[serde(default)]
    approve_timeout: Option<Spanned<toml::Value>>,
    #[serde(default)]
    approve_default: Option<Spanned<toml::Value>>,
}

/// What is said of an approval that never comes, or of a time in which nobody can answer.
fn wrong_approval(case: &Case, place: &CasePlaces) -> Option<(Range<usize>, String, String)> {
    let keys =
        [("approve_timeout", &place.approve_timeout), ("approve_default", &place.approve_default)];
    let (key, span) = keys.into_iter().find_map(|(key, at)| Some((key, at.as_ref()?.span())))?;
    if !case.mutates() {
        let what = format!("`{key}`: case `{}` changes nothing, so nobody is asked", case.id);
        return Some((span, what, String::from("take it out")));
    }
    if !case.asks() {
        let what = format!("`{key}`: case `{}` does not ask before it acts", case.id);
        return Some((span, what, String::from("write risk = \"high\" to have it ask")));
    }
    if case.approve_timeout.is_some_and(|time| time < SHORTEST) {
        let what = format!("case `{}`: nobody can answer in no time", case.id);
        let hint =
            String::from("write approve_timeout = \"10m\", or take it out for the stack's own");
        return Some((span, what, hint));
    }
    None
}

/// A symptom that there is none of would make a case that never applies.
fn unknown_symptom(condition: &Condition) -> Option<(String, String)> {
    let Condition::Symptom(word) = condition else { return None };
    let known = || SymptomKind::ALL.iter().map(|kind| kind.word());
    if known().any(|one| one == word) {
        return None;
    }
    let nearest = known().min_by_key(|one| osa_distance(one, word)).unwrap_or_default();
    let hint = if osa_distance(nearest, word) <= 1 + word.len() / 3 {
        format!("did you mean `{nearest}`?")
    } else {
        format!("known here: {}", known().collect::<Vec<_>>().join(", "))
    };
    Some((format!("there is no symptom `{word}`"), hint))
}

/// All runbooks in the order in which they are tried: the user's by file name, then the built-in
/// ones that the user has not replaced.
///
/// # Errors
/// As [`parse_runbook`], or a directory that cannot be read.
pub fn load_runbooks(directory: &Path) -> Result<Vec<Runbook>, ConfigError> {
    let mut runbooks = Vec::new();
    if directory.is_dir() {
        let unreadable = |error: std::io::Error| {
            ConfigError::whole(directory, format!("cannot be read: {error}"), None)
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path);
            }
        }
        files.sort();
        for path in files {
            let text = std::fs::read_to_string(&path).map_err(|error| {
                ConfigError::whole(&path, format!("cannot be read: {error}"), None)
            })?;
            runbooks.push(parse_runbook(&path, &text)?);
        }
    }
    for (name, text) in BUILT_IN {
        if !runbooks.iter().any(|runbook: &Runbook| runbook.name == name) {
            runbooks.push(parse_runbook(Path::new(name), text)?);
        }
    }
    Ok(runbooks)
}
