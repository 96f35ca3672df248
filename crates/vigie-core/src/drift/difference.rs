//! Decides what differs between two forms, one difference a line. Values are told where they are one
//! short word and no secret; a value that is not told is only said to differ.

use std::collections::{BTreeMap, BTreeSet};

use super::amount::{told_bytes, told_cpus};
use super::form::{Form, Mount, Source, full_name};
use crate::doctor::looks_secret;

/// Letters of a value that is told.
const SHORT: usize = 80;

/// Something that is not as the compose file says. `runs` is what the container has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "self-explanatory")]
pub enum Difference {
    Image { runs: String, wanted: String },
    ImageId { name: String },
    Variable { key: String, runs: Option<Option<String>>, wanted: Option<Option<String>> },
    Mount { at: String, runs: Option<Mount>, wanted: Option<Mount> },
    Memory { runs: u64, wanted: u64 },
    Cpus { runs: u64, wanted: u64 },
    Port { port: String, runs: BTreeSet<String>, wanted: BTreeSet<String> },
    Restart { runs: String, wanted: String },
    Grace { runs: u64, wanted: u64 },
}

/// Everything that differs, in the order in which it is told.
#[must_use]
pub fn compare(wanted: &Form, running: &Form) -> Vec<Difference> {
    let mut found = Vec::new();
    image(wanted, running, &mut found);
    for (key, runs, wanted) in both(&running.environment, &wanted.environment) {
        let (key, runs, wanted) = (key.clone(), runs.cloned(), wanted.cloned());
        found.push(Difference::Variable { key, runs, wanted });
    }
    if let (Some(runs), Some(wanted)) = (&running.mounts, &wanted.mounts) {
        found.extend(both(runs, wanted).into_iter().map(|(at, runs, wanted)| Difference::Mount {
            at: at.clone(),
            runs: runs.cloned(),
            wanted: wanted.cloned(),
        }));
    }
    let unlike = |runs: Option<u64>, wanted: Option<u64>| {
        runs.zip(wanted).filter(|(runs, wanted)| runs != wanted)
    };
    let memory = unlike(running.memory, wanted.memory);
    found.extend(memory.map(|(runs, wanted)| Difference::Memory { runs, wanted }));
    let cpus = unlike(running.cpus, wanted.cpus);
    found.extend(cpus.map(|(runs, wanted)| Difference::Cpus { runs, wanted }));
    if let (Some(runs), Some(wanted)) = (&running.ports, &wanted.ports) {
        found.extend(both(runs, wanted).into_iter().map(|(port, runs, wanted)| Difference::Port {
            port: port.clone(),
            runs: runs.cloned().unwrap_or_default(),
            wanted: wanted.cloned().unwrap_or_default(),
        }));
    }
    if let (Some(runs), Some(wanted)) = (&running.restart, &wanted.restart)
        && runs != wanted
    {
        found.push(Difference::Restart { runs: runs.clone(), wanted: wanted.clone() });
    }
    let grace = unlike(running.grace, wanted.grace);
    found.extend(grace.map(|(runs, wanted)| Difference::Grace { runs, wanted }));
    found
}

fn image(wanted: &Form, running: &Form, found: &mut Vec<Difference>) {
    if let (Some(runs), Some(wanted)) = (&running.image, &wanted.image)
        && full_name(runs) != full_name(wanted)
    {
        found.push(Difference::Image { runs: runs.clone(), wanted: wanted.clone() });
        // Another image has another id.
        return;
    }
    if let (Some(runs), Some(now)) = (&running.image_id, &wanted.image_id)
        && runs != now
    {
        let name = running.image.clone().unwrap_or_default();
        found.push(Difference::ImageId { name });
    }
}

/// What stands under a key on each side, where it is not the same.
fn both<'a, V: PartialEq>(
    runs: &'a BTreeMap<String, V>,
    wanted: &'a BTreeMap<String, V>,
) -> Vec<(&'a String, Option<&'a V>, Option<&'a V>)> {
    let keys: BTreeSet<_> = runs.keys().chain(wanted.keys()).collect();
    let sides = keys.into_iter().map(|key| (key, runs.get(key), wanted.get(key)));
    sides.filter(|(_, runs, wanted)| runs != wanted).collect()
}

impl Difference {
    /// Whether it can be changed in a container that runs, without the compose file having changed.
    #[must_use]
    pub const fn can_come_by_itself(&self) -> bool {
        match self {
            Self::ImageId { .. }
            | Self::Memory { .. }
            | Self::Cpus { .. }
            | Self::Restart { .. } => true,
            Self::Image { .. }
            | Self::Variable { .. }
            | Self::Mount { .. }
            | Self::Port { .. }
            | Self::Grace { .. } => false,
        }
    }

    /// One line for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Image { runs, wanted } => {
                format!("it runs the image {} instead of {}", word(runs), word(wanted))
            }
            Self::ImageId { name } => {
                format!("the tag {} now names another image than the one that runs", word(name))
            }
            Self::Variable { key, runs, wanted } => {
                variable(&word(key), runs.as_ref(), wanted.as_ref())
            }
            Self::Mount { at, runs, wanted } => mount(&word(at), runs.as_ref(), wanted.as_ref()),
            Self::Memory { runs, wanted: 0 } => {
                format!("the memory limit is {} and should not be there", told_bytes(*runs))
            }
            Self::Memory { runs: 0, wanted } => {
                format!("there is no memory limit instead of {}", told_bytes(*wanted))
            }
            Self::Memory { runs, wanted } => {
                let (runs, wanted) = (told_bytes(*runs), told_bytes(*wanted));
                format!("the memory limit is {runs} instead of {wanted}")
            }
            Self::Cpus { runs, wanted: 0 } => {
                format!("the CPU limit is {} and should not be there", told_cpus(*runs))
            }
            Self::Cpus { runs: 0, wanted } => {
                format!("there is no CPU limit instead of {}", told_cpus(*wanted))
            }
            Self::Cpus { runs, wanted } => {
                let (runs, wanted) = (told_cpus(*runs), told_cpus(*wanted));
                format!("the CPU limit is {runs} instead of {wanted}")
            }
            Self::Port { port, runs, wanted } => published(&word(port), runs, wanted),
            Self::Restart { runs, wanted } => {
                let (runs, wanted) = (word(runs), word(wanted));
                format!("the restart policy is {runs} instead of {wanted}")
            }
            Self::Grace { runs, wanted } => {
                format!("it is given {runs} s for its end instead of {wanted} s")
            }
        }
    }
}

fn variable(key: &str, runs: Option<&Option<String>>, wanted: Option<&Option<String>>) -> String {
    let told = |value: &String| {
        let plain = !value.is_empty() && value.len() <= SHORT && value.chars().all(is_plain);
        // A launch line or an address may have a password inside.
        plain && !looks_secret(key) && !value.contains('@') && !looks_secret(value)
    };
    match (runs, wanted) {
        (None, _) => format!("the variable {key} is missing"),
        (_, None) => format!("the variable {key} is not in the compose file"),
        (Some(Some(runs)), Some(Some(wanted))) if told(runs) && told(wanted) => {
            format!("the variable {key} is {runs} instead of {wanted}")
        }
        _ => format!("the variable {key} differs"),
    }
}

fn mount(at: &str, runs: Option<&Mount>, wanted: Option<&Mount>) -> String {
    match (runs, wanted) {
        (None, _) => format!("nothing is mounted at {at}"),
        (_, None) => format!("what is mounted at {at} is not in the compose file"),
        (Some(runs), Some(wanted)) if runs.source != wanted.source => {
            let (runs, wanted) = (source(&runs.source), source(&wanted.source));
            format!("{runs} is mounted at {at} instead of {wanted}")
        }
        (Some(runs), _) if runs.read_only => {
            format!("what is mounted at {at} cannot be written and should be")
        }
        _ => format!("what is mounted at {at} can be written and should not be"),
    }
}

fn source(source: &Source) -> String {
    match source {
        Source::Path(path) => word(path),
        Source::Volume(name) => word(name),
        Source::Memory => String::from("tmpfs"),
    }
}

fn published(port: &str, runs: &BTreeSet<String>, wanted: &BTreeSet<String>) -> String {
    let told = |at: &BTreeSet<String>| {
        let at = at.iter().map(|at| if at.is_empty() { String::from("*") } else { word(at) });
        at.collect::<Vec<_>>().join("+")
    };
    if runs.is_empty() {
        format!("the port {port} is not published")
    } else if wanted.is_empty() {
        format!("the port {port} is published and not in the compose file")
    } else {
        format!("the port {port} is published at {} instead of {}", told(runs), told(wanted))
    }
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "-_.:/+*=~#%".contains(c)
}

/// A name of somebody's, in one printable word.
fn word(text: &str) -> String {
    let kept = |c: char| if is_plain(c) || "@[]()".contains(c) { c } else { '_' };
    text.chars().take(SHORT).map(kept).collect()
}
