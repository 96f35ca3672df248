//! What resembles what, and what is recalled of it.

use proptest::prelude::*;

use super::*;
use crate::incident::Severity;
use crate::learn::{Known, Recall, Seen, recall};

fn text(en: &str) -> Text {
    Text { en: en.to_owned(), fr: None }
}

fn past(id: u64, service: &str, signature: Option<u64>, symptoms: u32) -> Past {
    Past {
        id: IncidentId(id),
        service: service.to_owned(),
        fingerprint: Fingerprint { signature, symptoms },
        fixed_by: Some(text(&format!("fix {id}"))),
        took: Some((Duration::from_secs(id), Duration::from_secs(id + 1))),
    }
}

fn subject(texts: &[&str]) -> Subject {
    Subject {
        id: IncidentId(9),
        service: String::from("gmod"),
        fingerprint: Fingerprint { signature: Some(7), symptoms: 3 },
        texts: texts.iter().map(|text| (*text).to_owned()).collect(),
    }
}

fn known(id: &str, matches: &[&str]) -> Known {
    Known {
        id: id.to_owned(),
        severity: Severity::P2,
        title: text(id),
        cause: text(""),
        resolution: text(&format!("resolution of {id}")),
        took: Some(Duration::from_secs(7_200)),
        guard: None,
        matches: matches.iter().map(|part| (*part).to_owned()).collect(),
    }
}

fn what(found: Option<Recall>) -> Option<Seen> {
    found.map(|found| found.what)
}

#[test]
fn the_error_outweighs_the_symptoms_and_these_the_service() {
    let all = [
        past(1, "gmod", None, 1),
        past(2, "other", None, 3),
        past(3, "gmod", None, 3),
        past(4, "other", Some(7), 1),
        past(5, "gmod", None, 1),
        past(6, "other", None, 1),
        past(9, "gmod", Some(7), 3),
    ];
    let ranked = rank(&subject(&[]), &all, 10);
    let ids: Vec<(u64, u32)> = ranked.iter().map(|one| (one.past.id.0, one.same.score())).collect();
    assert_eq!(ids, [(4, 60), (3, 40), (2, 25), (5, 15), (1, 15)]);
    assert_eq!(ranked[1].same.words(), ["symptoms", "service"]);
    assert_eq!(rank(&subject(&[]), &all, 2).len(), 2);
}

#[test]
fn recall_prefers_the_same_error_then_known_words_then_the_same_symptoms() {
    let words = subject(&["gmod: COULDN'T load module library! (7)"]);
    let base = [known("K1", &["couldn't load module library!"]), known("K2", &["module"])];
    let (error, symptoms) = (past(1, "x", Some(7), 1), past(2, "gmod", None, 3));
    let both = [error.clone(), symptoms.clone()];
    assert_eq!(what(recall(&words, &both, &base)), Some(Seen::Past(IncidentId(1))));
    let found = recall(&words, std::slice::from_ref(&symptoms), &base);
    assert_eq!(what(found), Some(Seen::Known(String::from("K1"))));
    let found = recall(&subject(&[]), std::slice::from_ref(&symptoms), &base).unwrap();
    assert_eq!(found.what, Seen::Past(IncidentId(2)));
    assert_eq!((found.fixed_by.en.as_str(), found.took), ("fix 2", Some(Duration::from_secs(3))));
    let unfixed = Past { fixed_by: None, ..error };
    assert_eq!(recall(&subject(&[]), &[unfixed, past(3, "gmod", None, 1)], &base), None);
}

#[test]
fn a_pattern_too_short_recognises_nothing() {
    let texts = subject(&["anything at all"]);
    assert_eq!(recall(&texts, &[], &[known("K1", &["", "any"])]), None);
    assert_eq!(what(recall(&texts, &[], &[known("K1", &["anything"])])).unwrap().to_string(), "K1");
}

#[test]
fn the_same_title_is_the_same_incident() {
    let one = Known { title: text("`SWEP:Reload()` jamais appelé"), ..known("K5", &[]) };
    let mut two = Known { title: text("never called"), ..known("K9", &[]) };
    assert!(!one.is_told_again_by(&two));
    two.title.fr = Some(String::from("SWEP:Reload() jamais  appelé"));
    assert!(one.is_told_again_by(&two) && two.is_told_again_by(&one));
}

proptest! {
    #[test]
    fn ranks_fall_and_nothing_is_its_own_likeness(
        rows in prop::collection::vec((1_u64..20, "[ab]", prop::option::of(6_u64..9), 0_u32..5), 0..40),
        limit in 0_usize..30,
    ) {
        let all: Vec<Past> =
            rows.iter().map(|(id, service, error, set)| past(*id, service, *error, *set)).collect();
        let ranked = rank(&subject(&[]), &all, limit);
        prop_assert!(ranked.len() <= limit);
        prop_assert!(ranked.windows(2).all(|pair| pair[0].same.score() >= pair[1].same.score()));
        prop_assert!(ranked.iter().all(|one| one.past.id != IncidentId(9) && one.same.score() > 0));
    }
}
