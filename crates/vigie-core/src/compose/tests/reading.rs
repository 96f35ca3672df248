//! Places and spans, in bytes, where characters take several.

use crate::compose::{Document, Place, Why};

#[test]
fn places_are_those_of_an_editor() {
    let text = "\u{feff}é: \"🎮\" # x\r\nservices:\r\n  jeu: {image: a}\r\n";
    let document = Document::parse(text).unwrap();
    let at = |path: &[&str]| document.at(path).unwrap().place();
    assert_eq!(at(&["é"]), Place { line: 1, column: 4 });
    assert_eq!(at(&["services", "jeu", "image"]), Place { line: 3, column: 16 });
    let byte = text.find("services").unwrap();
    assert_eq!(Place::of_byte(text, byte), Place { line: 2, column: 1 });
}

#[test]
fn merge_keys_and_aliases_are_followed() {
    let text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  <<: [*a, *b]\n  x: 0\nd: *a\n";
    let document = Document::parse(text).unwrap();
    let value = |path: &[&str]| document.at(path).and_then(|view| view.text());
    assert_eq!(value(&["c", "x"]), Some("0"));
    assert_eq!(value(&["c", "y"]), Some("2"));
    assert_eq!(value(&["c", "z"]), Some("4"));
    assert_eq!(value(&["d", "y"]), Some("2"));
    assert_eq!(value(&["c", "<<"]), None);
    let keys: Vec<_> =
        document.at(&["c"]).unwrap().entries().into_iter().map(|(key, ..)| key).collect();
    assert_eq!(keys, ["x", "y", "z"]);
}

#[test]
fn an_error_has_its_place() {
    let error = Document::parse("services:\n  a: [\n").unwrap_err();
    assert!(error.place.line >= 2 && matches!(error.why, Why::Syntax(_)), "{error}");
    insta::assert_snapshot!(error);
}
