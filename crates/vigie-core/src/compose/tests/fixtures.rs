//! Every fixture, edited in every service.

use std::path::Path;

use crate::compose::value::said;
use crate::compose::{Document, ImageEdit, Refusal, Value, View};

fn fixtures() -> Vec<(String, String)> {
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/compose");
    let mut found: Vec<_> = std::fs::read_dir(room)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    assert!(found.len() > 40, "only {} fixtures", found.len());
    found
}

/// The lines that are gone and the lines that are new.
fn changed(old: &str, new: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) =
        (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let same = old.iter().zip(&new).take_while(|(one, two)| one == two).count();
    let ends = old[same..].iter().rev().zip(new[same..].iter().rev());
    let end = ends.take_while(|(one, two)| one == two).count();
    let shown = |sign: &str, lines: &[&str]| -> String {
        lines.iter().map(|line| format!("    {sign}{line:?}\n")).collect()
    };
    shown("-", &old[same..old.len() - end]) + &shown("+", &new[same..new.len() - end])
}

fn told(document: &Document, edited: Result<Document, Refusal>) -> String {
    match edited {
        // No edit takes a comment away.
        Ok(new) if new.text().matches('#').count() != document.text().matches('#').count() => {
            panic!("a comment is gone:\n{}", changed(document.text(), new.text()))
        }
        Ok(new) => changed(document.text(), new.text()),
        Err(refusal) => format!("    ! {refusal}\n"),
    }
}

#[test]
fn every_service_of_every_fixture_is_edited_or_refused() {
    let mut out = String::new();
    for (name, text) in fixtures() {
        out += &format!("{name}\n");
        let document = match Document::parse(&text) {
            Ok(document) => document,
            Err(refusal) => {
                out += &format!("  ! {refusal}\n");
                continue;
            }
        };
        let services = document.at(&["services"]).map(View::entries).unwrap_or_default();
        for (service, ..) in &services {
            out += &format!("  {service}: image\n");
            out += &match document.set_image(service, "new/image:v9") {
                Ok(ImageEdit::Compose(new)) => told(&document, Ok(new)),
                Ok(ImageEdit::Variable { name, value, place }) => {
                    format!("    {name}={value} ({place})\n")
                }
                Err(refusal) => told(&document, Err(refusal)),
            };
            out += &format!("  {service}: restart\n");
            let path = ["services", service, "restart"];
            out += &told(&document, document.set(&path, &Value::text("no")));
            out += &format!("  {service}: logging\n");
            let options =
                Value::map([("max-size", Value::text("10m")), ("max-file", Value::text("3"))]);
            let path = ["services", service, "logging", "options"];
            out += &told(&document, document.set(&path, &options));
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn an_image_of_the_same_repository_goes_into_its_variable() {
    let room = fixtures();
    let text = |wanted: &str| &room.iter().find(|(name, _)| name == wanted).unwrap().1;
    let set =
        |name: &str, image: &str| Document::parse(text(name)).unwrap().set_image("gmod", image);
    let Ok(ImageEdit::Variable { name, value, .. }) =
        set("env-tag", "projetfilrouge/gmod-server:v2.3-x")
    else {
        panic!("the tag's variable was not found")
    };
    assert_eq!((name.as_str(), value.as_str()), ("TAG", "v2.3-x"));
    for (file, told) in [
        ("env-two", "put together from REGISTRY, TAG"),
        ("env-used-twice", "TAG is used at line 5, column 12 too"),
        ("env-tag", "put together from TAG"),
    ] {
        let image = if file == "env-tag" { "other:v1" } else { "gmod:v2" };
        let error = set(file, image).unwrap_err().to_string();
        assert!(error.contains(told), "{file}: {error}");
    }
}

#[test]
fn a_variable_that_others_take_over_is_left_alone() {
    for (text, told) in [
        (
            "x: &b\n  image: gmod:${TAG}\nservices:\n  gmod: {<<: *b}\n  two: {<<: *b}\n",
            "TAG is used at line 5, column 3 too",
        ),
        (
            "services:\n  gmod: {image: &i \"gmod:${TAG}\"}\n  two: {image: *i}\n",
            "TAG is used at line 3, column 3 too",
        ),
        (
            "services:\n  gmod: {image: \"gmod:${TAG}\"}\n  two: {extends: gmod}\n",
            "is used at line 3, column 9 too",
        ),
    ] {
        let error = Document::parse(text).unwrap().set_image("gmod", "gmod:v2").unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
    // One that has its own image does not use it.
    let text =
        "x: &b\n  image: gmod:${TAG}\nservices:\n  gmod: {<<: *b}\n  two: {<<: *b, image: a}\n";
    let edit = Document::parse(text).unwrap().set_image("gmod", "gmod:v2");
    assert!(matches!(edit, Ok(ImageEdit::Variable { .. })), "{edit:?}");
}

#[test]
fn what_was_not_edited_is_the_same_byte_for_byte() {
    for (name, text) in fixtures() {
        let Ok(document) = Document::parse(&text) else { continue };
        for (service, ..) in document.at(&["services"]).map(View::entries).unwrap_or_default() {
            let Ok(new) = document.set(&["services", service, "restart"], &Value::text("once"))
            else {
                continue;
            };
            assert_eq!(new.text().matches('#').count(), text.matches('#').count(), "{name}");
            assert_eq!(new.text().starts_with('\u{feff}'), text.starts_with('\u{feff}'));
            // Setting back what was there gives the first file back.
            let before = document.at(&["services", service, "restart"]).and_then(View::text);
            if let Some(before) = before.filter(|_| name != "tabs-between") {
                let back =
                    new.set(&["services", service, "restart"], &Value::text(before)).unwrap();
                assert!(said(&back).unwrap().says(&said(&document).unwrap()), "{name}");
            }
        }
    }
}
