//! Decides by what an incident is found again: the signature of its Lua error, and the set of its
//! symptoms. Kept in the register: never change how they are made.

use serde::{Deserialize, Serialize};

use crate::console::signature_of;
use crate::detect::lua_sample;
use crate::incident::Incident;
use crate::respond::{Ending, Phase, Run, Text};

/// What two incidents of one cause have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The signature of its first Lua error, where it had one.
    pub signature: Option<u64>,
    /// The bits of all kinds of symptoms it has shown, see [`crate::detect::SymptomKind::bit`].
    pub symptoms: u32,
}

impl Fingerprint {
    /// The fingerprint of an incident.
    #[must_use]
    pub fn of(incident: &Incident) -> Self {
        let mut samples = incident.symptoms.iter().filter_map(|shown| lua_sample(&shown.detail));
        Self {
            signature: samples.next().map(signature_of),
            symptoms: incident.symptoms.iter().fold(0, |set, shown| set | shown.kind.bit()),
        }
    }
}

/// What fixed an incident, as its runs tell: the last case that was verified.
#[must_use]
pub fn fixed_by(runs: &[Run]) -> Option<Text> {
    let verified = |run: &&Run| run.phase == Phase::Ended(Ending::Verified);
    let run = runs.iter().rev().find(verified)?;
    let (book, case) = (&run.runbook, run.case.as_deref().unwrap_or("?"));
    Some(Text {
        en: format!("runbook {book}, case {case}"),
        fr: Some(format!("runbook {book}, cas {case}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::SymptomKind;
    use crate::moment::{Bounds, Moment};
    use crate::record::Record;
    use crate::state::State;

    const ERROR: &str = "addons/patch/lua/patch/cleanup.lua:13: attempt to index local 'o'";

    fn shown(details: &[(SymptomKind, &str)]) -> Fingerprint {
        let mut state = State::default();
        let incident = crate::incident::IncidentId(1);
        let at = Moment::from_ms(5);
        let service = || String::from("gmod");
        let opened = Record::IncidentOpened {
            incident,
            service: service(),
            group: crate::incident::Group::Errors,
            severity: crate::incident::Severity::P3,
            title: String::new(),
            players: None,
        };
        state.apply(at, &opened);
        for (kind, detail) in details {
            let (started, detail) = (Bounds::exactly(at), (*detail).to_owned());
            let began =
                Record::SymptomBegan { incident, service: service(), kind: *kind, started, detail };
            state.apply(at, &began);
        }
        Fingerprint::of(&state.incidents[&incident])
    }

    #[test]
    fn an_error_is_the_same_whatever_its_rate_and_numbers() {
        let errors = |rate: &str, error: &str| {
            let detail = format!("gmod: {rate} Lua errors a minute, {error}");
            shown(&[(SymptomKind::LuaErrors, &detail)])
        };
        let one = errors("3", &format!("{ERROR} (7 times)"));
        assert_eq!(one, errors("120", &format!("{ERROR} (12 times)")));
        assert_ne!(one, errors("3", &ERROR.replace(":13:", ":14:")));
        assert_eq!(one.symptoms, SymptomKind::LuaErrors.bit());
    }

    #[test]
    fn the_sample_has_the_signature_of_its_error() {
        let lines = [format!("[ERROR] {ERROR}"), format!("  1. unknown - {}", &ERROR[..37])];
        let error = crate::console::classify_tail(&lines).unwrap();
        assert_eq!(Some(error.signature), Some(signature_of(ERROR)));
    }

    #[test]
    fn other_symptoms_have_no_signature() {
        let seen = shown(&[(SymptomKind::Down, "gmod is exited"), (SymptomKind::Frozen, "x")]);
        assert_eq!(seen.signature, None);
        assert_eq!(seen.symptoms, SymptomKind::Down.bit() | SymptomKind::Frozen.bit());
        assert_eq!(shown(&[]), Fingerprint::default());
    }
}
