//! Decides nothing: where transactions end, in MariaDB's words and in MySQL's.

use super::log::{GTID, QUERY, XID, event};
use crate::binlog::*;

const MYSQL_GTID: u8 = 33;
const ANONYMOUS: u8 = 34;
const XA_PREPARE: u8 = 38;
const PAYLOAD: u8 = 40;
const TABLE_MAP: u8 = 19;
const COMPRESSED: u8 = 165;

fn statement(kind: u8, text: &str, time: u32) -> Vec<u8> {
    let mut body = vec![0; 8];
    body.push(4);
    body.extend([0; 4]);
    body.extend(b"town\0");
    body.extend(text.as_bytes());
    event(kind, time, 100, 0, &body)
}

fn query(text: &str) -> Vec<u8> {
    statement(QUERY, text, 5)
}

fn plain(kind: u8) -> Vec<u8> {
    event(kind, 5, 100, 0, &[1; 20])
}

fn mariadb(flags: u8) -> Vec<u8> {
    let mut body = 9_u64.to_le_bytes().to_vec();
    body.extend(3_u32.to_le_bytes());
    body.extend([flags, 0, 0, 0, 0, 0, 0]);
    event(GTID, 5, 100, 0, &body)
}

fn mysql() -> Vec<u8> {
    let mut body = vec![1];
    body.extend(0_u8..16);
    body.extend(23_u64.to_le_bytes());
    body.extend([0; 17]);
    event(MYSQL_GTID, 5, 100, 0, &body)
}

/// After which of them a transaction has ended.
fn ends(events: &[Vec<u8>]) -> Vec<usize> {
    let mut groups = Groups::default();
    let ended = events.iter().enumerate().filter(|(_, bytes)| {
        matches!(groups.take(&Event::read(bytes).unwrap(), true), Place::Ended(_))
    });
    ended.map(|(index, _)| index).collect()
}

#[test]
fn mariadbs_end_with_a_commit_or_are_one_statement() {
    assert_eq!(ends(&[mariadb(0), plain(TABLE_MAP), plain(30), plain(XID)]), [3]);
    assert_eq!(ends(&[mariadb(0), query("INSERT INTO t VALUES (1)"), query("COMMIT")]), [2]);
    assert_eq!(ends(&[mariadb(0), query("SAVEPOINT a"), query("rollback")]), [2]);
    assert_eq!(ends(&[mariadb(1), query("CREATE TABLE t (a INT)")]), [1]);
    // What belongs to a statement comes in front of it.
    assert_eq!(ends(&[mariadb(1), plain(5), plain(14), query("INSERT INTO t VALUES (@a)")]), [3]);
    assert_eq!(ends(&[mariadb(1), statement(COMPRESSED, "ALTER …", 5)]), [1]);
    assert_eq!(ends(&[mariadb(0), statement(COMPRESSED, "COMMIT", 5), plain(XID)]), [2]);
    assert_eq!(ends(&[mariadb(64), query("XA START X'61'"), plain(XA_PREPARE)]), [2]);
    assert_eq!(ends(&[mariadb(128), query("XA COMMIT X'61'")]), [1]);
}

#[test]
fn mysqls_say_by_their_first_statement_whether_there_is_a_commit() {
    for begin in [mysql(), plain(ANONYMOUS)] {
        let rows = [query("BEGIN"), plain(TABLE_MAP), plain(30), plain(XID)];
        assert_eq!(ends(&[&[begin.clone()][..], &rows].concat()), [4]);
        assert_eq!(ends(&[begin.clone(), query("CREATE TABLE t (a INT)")]), [1]);
        let words = [query("BEGIN"), query("INSERT INTO t VALUES (1)"), query("COMMIT")];
        assert_eq!(ends(&[&[begin.clone()][..], &words].concat()), [3]);
        assert_eq!(ends(&[begin.clone(), plain(PAYLOAD)]), [1]);
        let prepared = [query("XA START X'61',X'',1"), plain(30), plain(XA_PREPARE)];
        assert_eq!(ends(&[&[begin][..], &prepared].concat()), [3]);
    }
}

#[test]
fn a_name_and_the_latest_time_are_its_own() {
    let mut groups = Groups::default();
    let bytes = [mysql(), query("BEGIN"), statement(QUERY, "UPDATE t SET a = 1", 9), plain(XID)];
    let places = bytes.map(|bytes| groups.take(&Event::read(&bytes).unwrap(), true));
    let Place::Ended(group) = &places[3] else { panic!("{places:?}") };
    let name = group.gtid.as_ref().unwrap().to_string();
    assert_eq!(name, "00010203-0405-0607-0809-0a0b0c0d0e0f:23");
    assert_eq!(group.time, 9);
    assert!(groups.is_between());
    let maria = Event::read(&mariadb(0)).unwrap().gtid().unwrap();
    assert_eq!(maria.to_string(), "3-7-9");
}
