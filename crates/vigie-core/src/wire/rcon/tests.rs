//! RCON against what real servers send, in any pieces, and against anything at all.

use proptest::prelude::*;

use super::packet::{EXEC, RESPONSE};
use super::*;

fn logged_in() -> Session {
    let mut session = Session::new("secret");
    session.login();
    let mut answer = Packet::encode(1, RESPONSE, b"");
    answer.extend(Packet::encode(1, EXEC, b""));
    assert_eq!(session.received(&answer), Ok(Some(Answer::LoggedIn)));
    session
}

#[test]
fn a_wrong_password_is_known_as_such() {
    let mut session = Session::new("secret");
    assert!(session.login().windows(6).any(|bytes| bytes == b"secret"));
    let answer = Packet::encode(-1, EXEC, b"");
    assert_eq!(session.received(&answer), Err(RconError::BadPassword));
    assert!(!format!("{session:?} {}", RconError::BadPassword).contains("secret"));
}

#[test]
fn a_close_before_the_login_is_a_ban_or_no_rcon() {
    let mut session = Session::new("x");
    session.login();
    assert_eq!(session.closed(), RconError::ClosedBeforeLogin);
    assert_eq!(logged_in().closed(), RconError::Closed);
}

#[test]
fn what_is_left_of_the_last_answer_is_skipped() {
    let mut session = logged_in();
    session.exec("status").unwrap();
    let mut bytes = Packet::encode(2, RESPONSE, b"hello ");
    bytes.extend(Packet::encode(2, RESPONSE, b"world"));
    bytes.extend(Packet::encode(3, RESPONSE, b""));
    assert_eq!(session.received(&bytes), Ok(Some(Answer::Text(String::from("hello world")))));
    session.exec("again").unwrap();
    let mut bytes = Packet::encode(3, RESPONSE, &[0, 1, 0, 0]);
    bytes.extend(Packet::encode(4, RESPONSE, b"second"));
    bytes.extend(Packet::encode(5, RESPONSE, b""));
    assert_eq!(session.received(&bytes), Ok(Some(Answer::Text(String::from("second")))));
}

#[test]
fn commands_go_one_by_one_and_hold_no_line_end() {
    let mut session = logged_in();
    assert_eq!(session.exec("say a\nquit"), Err(RconError::Command));
    session.exec("status").unwrap();
    assert_eq!(session.exec("status"), Err(RconError::Busy));
}

#[test]
fn a_size_from_the_wire_is_not_believed() {
    let mut session = logged_in();
    let error = session.received(&[0xFF, 0xFF, 0xFF, 0x7F]).unwrap_err();
    assert!(matches!(error, RconError::Malformed { .. }), "{error}");
}

#[test]
fn an_answer_without_end_is_cut_off() {
    let mut session = logged_in();
    session.exec("status").unwrap();
    let packet = Packet::encode(2, RESPONSE, &[b'x'; 4000]);
    let ended = (0..200).find_map(|_| session.received(&packet).err());
    assert!(matches!(ended, Some(RconError::TooLong { .. })));
}

proptest! {
    #[test]
    fn nothing_that_arrives_can_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = logged_in().received(&bytes);
        let mut session = Session::new("x");
        session.login();
        let _ = session.received(&bytes);
    }

    #[test]
    fn packets_come_back_in_any_pieces(
        id in any::<i32>(), kind in any::<i32>(),
        body in prop::collection::vec(any::<u8>(), 0..4086), cut in 1_usize..50,
    ) {
        let mut decoder = Decoder::default();
        let mut found = Vec::new();
        for piece in Packet::encode(id, kind, &body).chunks(cut) {
            decoder.feed(piece);
            found.extend(decoder.packet().unwrap());
        }
        prop_assert_eq!(found, vec![Packet { id, kind, body }]);
    }
}
