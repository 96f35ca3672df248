//! The Source query against packets of real shape, and against anything at all.

use proptest::prelude::*;

use super::*;

fn info_reply() -> Vec<u8> {
    let mut bytes = vec![0xFF, 0xFF, 0xFF, 0xFF, 0x49, 17];
    for text in ["My DarkRP", "rp_downtown", "garrysmod", "DarkRP"] {
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
    }
    bytes.extend([0xA0, 0x0F, 12, 64, 1, b'd', b'l', 0, 1]);
    bytes.extend_from_slice(b"2025.07.23\0");
    bytes.push(0x80 | 0x10 | 0x40 | 0x20 | 0x01);
    bytes.extend(27015_u16.to_le_bytes());
    bytes.extend(90_000_000_000_000_001_u64.to_le_bytes());
    bytes.extend(27020_u16.to_le_bytes());
    bytes.extend_from_slice(b"tv\0 gm:darkrp loc:fr ver:250723\0");
    bytes.extend(4000_u64.to_le_bytes());
    bytes
}

#[test]
fn a_reply_is_read_to_its_last_field() {
    let info = Info::parse(&info_reply()).unwrap();
    assert_eq!((info.players, info.max_players, info.bots), (12, 64, 1));
    assert_eq!((info.appid, info.gameid), (4000, Some(4000)));
    assert_eq!(info.keywords.as_deref(), Some(" gm:darkrp loc:fr ver:250723"));
    assert_eq!(info.sourcetv, Some((27020, String::from("tv"))));
    assert_eq!((info.port, info.vac, info.password), (Some(27015), true, false));
}

#[test]
fn a_challenge_is_answered_with_the_same_question() {
    let mut query = Query::info();
    assert_eq!(query.request().len(), 25);
    let challenge = [0xFF, 0xFF, 0xFF, 0xFF, 0x41, 1, 2, 3, 4];
    let Progress::Send(again) = query.datagram(&challenge).unwrap() else { panic!("no answer") };
    assert_eq!(again[..25], *Query::info().request());
    assert_eq!(again[25..], [1, 2, 3, 4]);
    assert!(matches!(query.datagram(&info_reply()), Ok(Progress::Done(_))));
}

#[test]
fn challenges_without_end_are_given_up() {
    let mut query = Query::info();
    let challenge = [0xFF, 0xFF, 0xFF, 0xFF, 0x41, 1, 2, 3, 4];
    query.datagram(&challenge).unwrap();
    query.datagram(&challenge).unwrap();
    assert_eq!(query.datagram(&challenge), Err(A2sError::Challenges));
}

fn split(reply: &[u8], size: usize) -> Vec<Vec<u8>> {
    let parts: Vec<_> = reply.chunks(size).collect();
    let total = u8::try_from(parts.len()).unwrap();
    let part = |(number, body): (usize, &&[u8])| {
        let mut bytes = SPLIT.to_vec();
        bytes.extend(7_i32.to_le_bytes());
        bytes.extend([total, u8::try_from(number).unwrap()]);
        bytes.extend(1248_u16.to_le_bytes());
        bytes.extend_from_slice(body);
        bytes
    };
    parts.iter().enumerate().map(part).collect()
}

#[test]
fn split_replies_come_in_any_order_and_twice() {
    let mut parts = split(&info_reply(), 40);
    parts.reverse();
    let mut query = Query::info();
    let (last, first) = parts.split_last().unwrap();
    for part in first.iter().chain(first) {
        assert_eq!(query.datagram(part), Ok(Progress::Wait));
    }
    assert!(matches!(query.datagram(last), Ok(Progress::Done(_))));
}

#[test]
fn compressed_and_contradictory_parts_are_refused() {
    let mut part = split(&info_reply(), 60)[0].clone();
    part[7] = 0x80;
    assert_eq!(Query::info().datagram(&part), Err(A2sError::Compressed));
    let mut part = split(&info_reply(), 60)[0].clone();
    part[9] = 200;
    assert!(matches!(Query::info().datagram(&part), Err(A2sError::Parts(_))));
}

#[test]
fn every_cut_is_an_error_with_its_offset() {
    let reply = info_reply();
    // The reply may end before the extra data; every other cut is within a field.
    let complete = reply.len() - 1 - 2 - 8 - 2 - 32 - 8;
    for length in (0..reply.len()).filter(|length| *length != complete) {
        let error = Info::parse(&reply[..length]).expect_err(&format!("cut at {length}"));
        assert!(matches!(error, A2sError::Short { at, .. } if at == length), "{error} at {length}");
    }
}

proptest! {
    #[test]
    fn nothing_that_arrives_can_do_harm(datagrams in prop::collection::vec(
        prop::collection::vec(any::<u8>(), 0..200), 0..8)) {
        let mut query = Query::info();
        for bytes in &datagrams {
            let _ = query.datagram(bytes);
            let _ = query.datagram(&[&SPLIT[..], bytes].concat());
            let _ = query.datagram(&[&SINGLE[..], bytes].concat());
            let _ = parse_players(&[&SINGLE[..], &[0x44], bytes].concat());
            let _ = parse_rules(&[&SINGLE[..], &[0x45], bytes].concat());
        }
    }

    #[test]
    fn a_split_reply_is_the_reply(size in 10_usize..200) {
        let mut query = Query::info();
        let mut last = Progress::Wait;
        for part in split(&info_reply(), size) {
            last = query.datagram(&part).unwrap();
        }
        prop_assert_eq!(last, Progress::Done(Box::new(Info::parse(&info_reply()).unwrap())));
    }
}
