//! Decides nothing: names of transactions and places, written and read.

use crate::binlog::*;

#[test]
fn names_are_read_and_written() {
    for text in ["0-7-1234", "3e11fa47-71ca-11e1-9e33-c80aa9429562:23"] {
        assert_eq!(text.parse::<Gtid>().unwrap().to_string(), text);
    }
    for text in ["", "0-1", "0-1-2-3", "a-b-c", "uuid:1", "3e11fa47-71ca-11e1-9e33-c80aa9429562:x"]
    {
        assert!(text.parse::<Gtid>().is_err(), "{text}");
    }
}

#[test]
fn a_state_has_what_came_before() {
    let maria = Reach::parse("0-7-100,3-1-5").unwrap();
    for (text, has) in [("0-9-100", true), ("0-7-101", false), ("3-1-1", true), ("4-1-1", false)] {
        assert_eq!(maria.has(&text.parse().unwrap()), has, "{text}");
    }
    let id = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    let mysql = Reach::parse(&format!("{}:1-10:15,\n{id}:tag:1-2", id.to_uppercase())).unwrap();
    for (number, has) in [(1, true), (10, true), (11, false), (15, true), (16, false)] {
        let gtid = Gtid::MySql { source: id.to_owned(), number };
        assert_eq!(mysql.has(&gtid), has, "{number}");
    }
    assert!(mysql.has(&format!("{id}:tag:2").parse().unwrap()));
    assert!(Reach::parse("nonsense").is_err());
}

#[test]
fn files_follow_by_number() {
    let here = Position::new("mariadb-bin.000009", 4);
    assert!(here.is_followed_by("mariadb-bin.000010"));
    for other in ["mariadb-bin.000011", "mariadb-bin.000009", "other-bin.000010", "x"] {
        assert!(!here.is_followed_by(other), "{other}");
    }
    for name in ["../x.000001", "a/b.1", "", ".hidden.1", "a\nb.1"] {
        assert!(!Position::new(name, 4).is_sound(), "{name}");
    }
}

#[test]
fn a_filter_that_would_lose_a_statement_is_seen() {
    let statement = |schema: &str, text: &str| {
        let mut body = vec![0; 8];
        body.push(u8::try_from(schema.len()).unwrap());
        body.extend([0; 4]);
        body.extend(schema.as_bytes());
        body.push(0);
        body.extend(text.as_bytes());
        super::log::event(super::log::QUERY, 1, 100, 0, &body)
    };
    let wanted = [String::from("ours")];
    let seen = |schema: &str, text: &str| {
        foreign(&Event::read(&statement(schema, text)).unwrap(), true, &wanted).is_some()
    };
    assert!(seen("theirs", "INSERT INTO `Ours`.t VALUES (1)"));
    assert!(seen("", "update ours.t set a = 1"));
    assert!(!seen("ours", "update t set a = 1"));
    assert!(!seen("theirs", "insert into t select * from yours.t, ours_old.t"));
    assert!(!seen("theirs", "COMMIT"));
    let payload = super::log::event(40, 1, 100, 0, &[0; 30]);
    let payload = Event::read(&payload).unwrap();
    assert!(foreign(&payload, true, &wanted).is_some() && foreign(&payload, true, &[]).is_none());
}
