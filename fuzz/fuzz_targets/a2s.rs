//! The Source query against anything that arrives: one datagram, several, and split replies. What
//! reads must read back the same after being written again; nothing may grow beyond what arrived.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_core::wire::a2s::{Assembler, Info, Player, Progress, Query, parse_players, parse_rules};

const SINGLE: [u8; 4] = [0xFF; 4];
const SPLIT: [u8; 4] = [0xFE, 0xFF, 0xFF, 0xFF];
/// A byte that is not UTF-8 becomes U+FFFD, which takes three.
const LOSSY: usize = 3;

fuzz_target!(|data: &[u8]| {
    one_datagram(data);
    conversation(data);
    lists(data);
    split(data);
});

/// What an INFO reply says can be said again, and is read as the same.
fn one_datagram(data: &[u8]) {
    for bytes in [data.to_vec(), [&SINGLE[..], &[0x49], data].concat()] {
        let Ok(info) = Info::parse(&bytes) else { continue };
        let texts = [&info.name, &info.map, &info.folder, &info.game, &info.version];
        let length: usize = texts.iter().map(|text| text.len()).sum();
        assert!(length <= LOSSY * bytes.len());
        assert_eq!(Info::parse(&info_reply(&info)), Ok(info));
    }
}

/// A query takes whatever comes, one datagram after the other, and asks at most twice more.
fn conversation(data: &[u8]) {
    let mut query = Query::info();
    let mut sent = 0;
    for datagram in datagrams(data) {
        match query.datagram(datagram) {
            Ok(Progress::Send(request)) => {
                assert!(request.len() == 29 && request.starts_with(Query::info().request()));
                sent += 1;
            }
            Ok(Progress::Wait) => {}
            Ok(Progress::Done(_)) | Err(_) => break,
        }
    }
    assert!(sent <= 2);
}

/// A file of the corpus holds several datagrams when it holds several headers of parts.
fn datagrams(data: &[u8]) -> Vec<&[u8]> {
    let mut starts: Vec<usize> =
        data.windows(4).enumerate().filter(|(_, four)| *four == SPLIT).map(|(at, _)| at).collect();
    if starts.first() != Some(&0) {
        starts.insert(0, 0);
    }
    starts.push(data.len());
    starts.windows(2).map(|ends| &data[ends[0]..ends[1]]).collect()
}

fn lists(data: &[u8]) {
    let open = |kind: u8| [&SINGLE[..], &[kind], data].concat();
    for bytes in [data.to_vec(), open(0x44)] {
        let Ok(players) = parse_players(&bytes) else { continue };
        // Ten bytes are the shortest player, whatever the count claims.
        assert!(players.len() * 10 <= bytes.len());
        let again = players_reply(&players);
        let read = parse_players(&again).map(|read| players_reply(&read));
        // As bytes: a time can be no number, and that is unequal to itself.
        assert_eq!(read, Ok(again));
    }
    for bytes in [data.to_vec(), open(0x45)] {
        let Ok(rules) = parse_rules(&bytes) else { continue };
        assert!(rules.len() * 2 <= bytes.len());
        let mut again = [&SINGLE[..], &[0x45, 0, 0]].concat();
        for rule in &rules {
            text(&mut again, &rule.name);
            text(&mut again, &rule.value);
        }
        assert_eq!(parse_rules(&again), Ok(rules));
    }
}

/// The data, cut into parts that come in an order of the data's own choice, is the data again; and
/// what never was cut is never longer than what arrived.
fn split(data: &[u8]) {
    let mut parts = Assembler::default();
    let mut arrived = 0;
    for piece in datagrams(data) {
        let Some(part) = piece.strip_prefix(&SPLIT) else { continue };
        arrived += part.len();
        if let Ok(Some(whole)) = parts.part(part) {
            assert!(whole.len() <= arrived);
        }
    }
    let [total, turn, rest @ ..] = data else { return };
    if rest.is_empty() {
        return;
    }
    let size = rest.len().div_ceil(usize::from(total % 32) + 1);
    let total = rest.len().div_ceil(size);
    let mut order: Vec<(usize, &[u8])> = rest.chunks(size).enumerate().collect();
    order.rotate_left(usize::from(*turn) % total);
    if turn % 2 == 1 {
        order.reverse();
    }
    let mut parts = Assembler::default();
    let mut whole = None;
    for (number, body) in order {
        assert!(whole.is_none(), "whole before its last part");
        let mut part = 7_i32.to_le_bytes().to_vec();
        part.extend([total, number].map(|n| u8::try_from(n).expect("at most 32 parts")));
        part.extend(1248_u16.to_le_bytes());
        part.extend(body);
        whole = parts.part(&part).expect("a part that fits");
    }
    assert_eq!(whole.as_deref(), Some(rest));
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(text.as_bytes());
    bytes.push(0);
}

fn players_reply(players: &[Player]) -> Vec<u8> {
    let mut bytes = [&SINGLE[..], &[0x44, 0]].concat();
    for player in players {
        bytes.push(0);
        text(&mut bytes, &player.name);
        bytes.extend(player.score.to_le_bytes());
        bytes.extend(player.seconds.to_le_bytes());
    }
    bytes
}

fn info_reply(info: &Info) -> Vec<u8> {
    let byte = |c: char| u8::try_from(u32::from(c)).expect("it was read from a byte");
    let mut bytes = [&SINGLE[..], &[0x49, info.protocol]].concat();
    for field in [&info.name, &info.map, &info.folder, &info.game] {
        text(&mut bytes, field);
    }
    bytes.extend(info.appid.to_le_bytes());
    bytes.extend([info.players, info.max_players, info.bots]);
    bytes.extend([byte(info.server_type), byte(info.os)]);
    bytes.extend([u8::from(info.password), u8::from(info.vac)]);
    text(&mut bytes, &info.version);
    let flags = [
        (info.port.is_some(), 0x80),
        (info.steamid.is_some(), 0x10),
        (info.sourcetv.is_some(), 0x40),
        (info.keywords.is_some(), 0x20),
        (info.gameid.is_some(), 0x01),
    ];
    bytes.push(flags.iter().filter(|(there, _)| *there).map(|(_, flag)| flag).sum());
    bytes.extend(info.port.map(u16::to_le_bytes).into_iter().flatten());
    bytes.extend(info.steamid.map(u64::to_le_bytes).into_iter().flatten());
    if let Some((port, name)) = &info.sourcetv {
        bytes.extend(port.to_le_bytes());
        text(&mut bytes, name);
    }
    if let Some(keywords) = &info.keywords {
        text(&mut bytes, keywords);
    }
    bytes.extend(info.gameid.map(u64::to_le_bytes).into_iter().flatten());
    bytes
}
