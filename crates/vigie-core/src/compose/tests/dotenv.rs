//! `.env` files: one variable changes, all else stays.

use proptest::prelude::*;

use crate::compose::{Dotenv, Why};

const FILE: &str = "# head\r\nTAG=v1 # why\r\nexport  NAME = 'Projet Fil Rouge'\r\n\r\nEMPTY=\r\nQ=\"a \\\"b\\\" \\$c\"\r\nTAG=v2\r\n\
                    LONG='one\r\ntwo'\r\n#OFF=1\r\nLAST=x";

fn set(name: &str, value: &str) -> String {
    Dotenv::parse(FILE).unwrap().set(name, value).unwrap().text().to_owned()
}

#[test]
fn values_are_read_as_compose_reads_them() {
    let file = Dotenv::parse(FILE).unwrap();
    let all: Vec<_> =
        file.variables().iter().map(|one| (one.name.as_str(), one.value.as_str())).collect();
    let wanted = [
        ("TAG", "v1"),
        ("NAME", "Projet Fil Rouge"),
        ("EMPTY", ""),
        ("Q", "a \"b\" $c"),
        ("TAG", "v2"),
        ("LONG", "one\r\ntwo"),
        ("LAST", "x"),
    ];
    assert_eq!(all, wanted);
    assert_eq!(file.get("TAG").unwrap().place.line, 7, "the last one counts");
}

#[test]
fn the_value_alone_changes() {
    assert_eq!(set("TAG", "v3"), FILE.replace("TAG=v2", "TAG=v3"));
    assert_eq!(set("NAME", "x y"), FILE.replace("'Projet Fil Rouge'", "'x y'"));
    assert_eq!(set("NAME", "it's"), FILE.replace("'Projet Fil Rouge'", "\"it's\""));
    assert_eq!(set("EMPTY", "pa$$ #1"), FILE.replace("EMPTY=", "EMPTY='pa$$ #1'"));
    assert_eq!(set("Q", "1$2"), FILE.replace("\"a \\\"b\\\" \\$c\"", "\"1\\$2\""));
    assert_eq!(set("NEW", "1"), format!("{FILE}\r\nNEW=1\r\n"));
    assert_eq!(Dotenv::parse("").unwrap().set("A", "b c").unwrap().text(), "A='b c'\n");
}

#[test]
fn what_cannot_be_written_is_refused() {
    let file = Dotenv::parse(FILE).unwrap();
    assert_eq!(file.set("TAG", "a\nb").unwrap_err().why, Why::NoDotenv);
    assert_eq!(Dotenv::parse("A=\"open\nB=1\n").unwrap_err().why, Why::Unclosed);
}

proptest! {
    #[test]
    fn what_is_set_is_read_back(value in "[ -~é🎮]{0,30}", quote in "['\" ]?", lines in "([A-Z]{1,3}=[a-z #]{0,8}\n){0,4}") {
        let text = format!("{lines}X={quote}{quote}\nLAST=1");
        let Ok(file) = Dotenv::parse(&text) else { return Ok(()) };
        let new = file.set("X", &value).unwrap();
        prop_assert_eq!(&new.get("X").unwrap().value, &value);
        prop_assert!(new.text().starts_with(&lines) && new.text().ends_with("\nLAST=1"));
    }
}
