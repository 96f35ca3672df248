//! Decides what is wrong with a stack before anything happens to it: rules, one file each, look at what
//! was collected (compose files, what they bind, git's and the engine's answers) and point at the line.
//! Nothing is changed here; a finding can carry the change that would end it.

mod about;
mod change;
mod check;
mod facts;
mod finding;
mod ignore;
mod lua;
mod project;
mod rules;
mod secret;
#[cfg(test)]
mod tests;

pub use about::{About, Level};
pub use change::{Change, Fix, Texts};
pub use check::ask_game;
pub use facts::{BoundText, ComposeText, Facts, GitFacts, ImageFacts, SourceText};
pub use finding::{Diagnosis, Finding};
pub use project::{Mount, Port, Project, Service, Source, Variable};
pub use rules::Rule;
pub use secret::looks_secret;

/// Looks at everything with every rule.
#[must_use]
pub fn diagnose(facts: &Facts) -> Diagnosis {
    let project = Project::read(facts);
    let mut found = Vec::new();
    for rule in Rule::ALL {
        rule.look(&project, &mut found);
    }
    let (mut findings, silenced): (Vec<Finding>, Vec<Finding>) =
        found.into_iter().partition(|finding| !ignore::is_silenced(facts, finding));
    findings.sort_by(|one, two| one.sorted().cmp(&two.sorted()));
    Diagnosis { findings, silenced: silenced.len() }
}
