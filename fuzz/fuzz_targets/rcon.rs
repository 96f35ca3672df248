//! RCON against anything that arrives: packets and whole sessions, at once and in pieces. The pieces
//! change nothing, and what was cut into packets is the stream again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_core::wire::rcon::{Answer, Decoder, Packet, RconError, Session};

/// The longest body that a packet may have to be sent again.
const LONGEST_BODY: usize = 4086;
/// What a session keeps of an answer, each byte at most three when it is not UTF-8.
const LONGEST_TEXT: usize = 3 * 256 * 1024;

fuzz_target!(|data: &[u8]| {
    // The first byte says how the stream is cut, also when it belongs to the stream.
    let step = usize::from(data.first().copied().unwrap_or_default()) % 61 + 1;
    packets(data, step);
    sent(data, step);
    for turn in [Turn::LoggingIn, Turn::Asking] {
        let (whole, pieces) = (talk(turn, data, data.len().max(1)), talk(turn, data, step));
        assert_eq!(whole, pieces);
    }
    multi_packet(data, step);
});

type Cut = (Vec<Packet>, Option<RconError>);

fn cut(data: &[u8], step: usize) -> Cut {
    let (mut decoder, mut found) = (Decoder::default(), Vec::new());
    for piece in data.chunks(step) {
        decoder.feed(piece);
        loop {
            match decoder.packet() {
                Ok(Some(packet)) => found.push(packet),
                Ok(None) => break,
                Err(error) => return (found, Some(error)),
            }
        }
    }
    (found, None)
}

fn packets(data: &[u8], step: usize) {
    let (found, error) = cut(data, data.len().max(1));
    assert_eq!(cut(data, step), (found.clone(), error));
    let mut again = Vec::new();
    for packet in &found {
        if packet.body.len() > LONGEST_BODY {
            return;
        }
        again.extend(Packet::encode(packet.id, packet.kind, &packet.body));
    }
    assert!(data.starts_with(&again));
}

/// What is sent comes back, cut to what a packet can hold.
fn sent(data: &[u8], step: usize) {
    let bytes = Packet::encode(-7, 2, data);
    let body = data[..data.len().min(LONGEST_BODY)].to_vec();
    assert_eq!(cut(&bytes, step), (vec![Packet { id: -7, kind: 2, body }], None));
}

#[derive(Clone, Copy)]
enum Turn {
    LoggingIn,
    Asking,
}

fn logged_in() -> Session {
    let mut session = Session::new("secret");
    session.login();
    let welcome = [Packet::encode(1, 0, b""), Packet::encode(1, 2, b"")].concat();
    assert_eq!(session.received(&welcome), Ok(Some(Answer::LoggedIn)));
    session
}

fn talk(turn: Turn, data: &[u8], step: usize) -> (Vec<Answer>, Option<RconError>) {
    let mut session = match turn {
        Turn::LoggingIn => {
            let mut session = Session::new("secret");
            session.login();
            session
        }
        Turn::Asking => {
            let mut session = logged_in();
            session.exec("status").expect("an idle session");
            session
        }
    };
    let mut said = Vec::new();
    for piece in data.chunks(step) {
        let mut answer = session.received(piece);
        loop {
            match answer {
                Ok(Some(found)) => said.push(found),
                Ok(None) => break,
                Err(error) => return (said, Some(error)),
            }
            answer = session.received(&[]);
        }
    }
    let long = |answer: &Answer| matches!(answer, Answer::Text(text) if text.len() > LONGEST_TEXT);
    assert!(!said.iter().any(long) && said.len() <= 1, "one question has one answer");
    assert!(!format!("{session:?}").contains("secret"));
    (said, None)
}

/// An answer in several packets is the text, whatever is in it; and the next command is answered.
fn multi_packet(data: &[u8], step: usize) {
    let mut session = logged_in();
    session.exec("construction_logs 50").expect("an idle session");
    let mut stream = Vec::new();
    // Some dozens of packets at most: more say nothing more, slowly.
    for part in data.chunks(step.max(data.len() / 32)) {
        stream.extend(Packet::encode(2, 0, part));
    }
    stream.extend(Packet::encode(3, 0, b""));
    // What real servers send behind the mirrored marker.
    stream.extend(Packet::encode(3, 0, &[0, 1, 0, 0]));
    let text = String::from_utf8_lossy(data).into_owned();
    assert_eq!(session.received(&stream), Ok(Some(Answer::Text(text))));
    let next = session.exec("status").expect("the first answer is whole");
    assert!(next.len() > 14);
    let stream = [Packet::encode(4, 0, b"ok"), Packet::encode(5, 0, b"")].concat();
    assert_eq!(session.received(&stream), Ok(Some(Answer::Text(String::from("ok")))));
}
