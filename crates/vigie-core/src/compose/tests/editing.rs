//! Edits of documents that were made of parts: read right, edited in place, everything else as it was.

use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use super::generator::{Made, make};
use crate::compose::value::said;
use crate::compose::{Document, Style, Value, View, Why};

fn tape() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..400)
}

fn parsed(made: &Made) -> Document {
    Document::parse(&made.text).unwrap_or_else(|error| panic!("{error}\n{}", made.text))
}

/// Every path below the services, and one that is not there, in each mapping.
fn paths(document: &Document) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let services = document.at(&["services"]).unwrap();
    let mut todo = vec![(vec![String::from("services")], services, 0)];
    while let Some((path, view, depth)) = todo.pop() {
        let below = |key: &str| [path.clone(), vec![key.to_owned()]].concat();
        if view.is_mapping() {
            found.push(below("brand new"));
        }
        let parts = view.entries().into_iter().map(|(key, _, value)| (key.to_owned(), value));
        let items = view.items().into_iter().enumerate();
        let parts = parts.chain(items.map(|(number, item)| (number.to_string(), item)));
        for (key, value) in parts.filter(|_| depth < 6) {
            found.push(below(&key));
            todo.push((below(&key), value, depth + 1));
        }
    }
    found
}

fn values() -> Vec<Value> {
    let check = Value::map([
        ("test", Value::texts(["CMD-SHELL", "say \"it's\" || exit 1 # x"])),
        ("retries", Value::Word(String::from("3"))),
    ]);
    vec![
        Value::text("repo.example:5000/name:v9"),
        Value::text("it's: a \"text\" # with é"),
        check,
        Value::map([("mysql", Value::map([("condition", Value::text("service_healthy"))]))]),
    ]
}

proptest! {
    #[test]
    fn what_is_read_is_what_was_meant(tape in tape()) {
        let made = make(&tape);
        let document = parsed(&made);
        let read = said(&document).unwrap();
        prop_assert!(read.says(&made.says), "{}\n{read:#?}\n{:#?}", made.text, made.says);
    }

    #[test]
    fn one_value_changes_and_nothing_else(tape in tape(), which in any::<prop::sample::Index>(), what in 0..4_usize) {
        let made = make(&tape);
        let document = parsed(&made);
        let paths = paths(&document);
        let path: Vec<&str> = which.get(&paths).iter().map(String::as_str).collect();
        let value = values().swap_remove(what);
        match document.set(&path, &value) {
            Ok(new) => {
                let mut wanted = made.says.clone();
                prop_assert!(wanted.set(&path, value));
                prop_assert!(said(&new).unwrap().says(&wanted), "{path:?}\n{}\n{}", made.text, new.text());
                // Of the bytes, only one piece changes, and it has no comment in it.
                let (old, new) = (made.text.as_bytes(), new.text().as_bytes());
                let head = old.iter().zip(new).take_while(|(one, two)| one == two).count();
                let most = old.len().min(new.len()) - head;
                let ends = old.iter().rev().zip(new.iter().rev()).take(most);
                let tail = ends.take_while(|(one, two)| one == two).count();
                let gone = String::from_utf8_lossy(&old[head..old.len() - tail]).into_owned();
                for comment in ["# why", "# \"quoted\"", "# image: old", "# - image"] {
                    prop_assert!(!gone.contains(comment), "{path:?} removed {gone:?}\n{}", made.text);
                }
                if made.text.contains("\r\n") {
                    let lone = new.iter().enumerate().filter(|(at, b)| **b == b'\n' && new[at - 1] != b'\r');
                    prop_assert_eq!(lone.count(), 0, "a line ends as no other does");
                }
            }
            Err(refusal) => {
                // Only what is used elsewhere too, blank lines that count, comments in the way, and an
                // item of a list that is a block itself, or nothing.
                let odd = |style| matches!(style, None | Some(Style::Block | Style::Empty));
                let item = document.at(&path).is_some_and(|old| odd(old.style()))
                    && path[path.len() - 1].parse::<usize>().is_ok();
                let fine = made.shares || item || refusal.why == Why::Comment;
                prop_assert!(fine && refusal.place.line > 0, "{path:?}: {refusal}\n{}", made.text);
            }
        }
    }

    #[test]
    fn a_new_key_always_finds_its_place(tape in tape()) {
        let made = make(&tape);
        let document = parsed(&made);
        for (name, ..) in document.at(&["services"]).map(View::entries).unwrap_or_default() {
            let new = document.set(&["services", name, "stop_grace_period"], &Value::text("30s"));
            prop_assert!(new.is_ok(), "{name}: {}\n{}", new.unwrap_err(), made.text);
            let new = new.unwrap();
            prop_assert_eq!(new.text().len() - made.text.len() < 60, true);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[ -~\\n\\r\\t\u{feff}é:{}\\[\\]&*|>'\"#-]{0,80}") {
        let Ok(document) = Document::parse(&text) else { return Ok(()) };
        let _ = document.set(&["services", "a", "image"], &Value::text("b:1"));
        let _ = document.set_image("a", "b:1");
    }
}

#[test]
fn nobody_is_kept_busy_by_a_bomb() {
    let mut text = String::from("x0: &x0 [a, a, a, a, a, a, a, a, a, a]\n");
    for n in 1..12 {
        let aliases = format!("*x{},", n - 1).repeat(10);
        text += &format!("x{n}: &x{n} [{aliases}]\n");
    }
    text += "services: {a: {image: b}}\n";
    let document = Document::parse(&text).unwrap();
    let refused = document.set(&["services", "a", "image"], &Value::text("c")).unwrap_err();
    assert_eq!(refused.why, Why::TooDeep);
    let with = text.replace("image: b", "image: \"b:$TAG\"").replace("}}", "}, b: {x: *x11}}");
    let refused = Document::parse(&with).unwrap().set_image("a", "b:v2").unwrap_err();
    assert_eq!(refused.why, Why::TooDeep);
    assert!(Document::parse(&"[".repeat(100_000)).is_err());
    for text in ["a: &a {<<: *a, b: c}\n", "a: &a [*a]\n", "&a a: *a\n"] {
        if let Ok(document) = Document::parse(text) {
            let _ = document.set(&["a", "b"], &Value::text("c"));
            let _ = document.at(&["a", "nothing"]);
        }
    }
}
