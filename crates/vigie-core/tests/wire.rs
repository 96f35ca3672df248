//! Every file of `fixtures/wire` is what its table here says, and however such bytes are cut, turned
//! or mixed, reading them ends with a value or with an error that says why.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the helpers of a test fail by panicking"
)]

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use vigie_core::wire::a2s::{
    A2sError, Assembler, Info, Progress, Query, parse_players, parse_rules,
};
use vigie_core::wire::rcon::{Answer, Decoder, Packet, RconError, Session};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/wire")
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{name}.bin"))).expect(name)
}

/// INFO replies: name, map, players, places, and what else is worth saying.
const INFOS: [(&str, &str); 4] = [
    (
        "a2s-info",
        "Vigie test | gm_construct | garrysmod | DarkRP | 4000 | 3/24 0 | d l false true | \
         2025.07.23 | Some(33971) Some(90179855802433537) None \
         Some(\" gm:darkrp gmc:rp loc:fr ver:250723\") Some(4000)",
    ),
    (
        "a2s-info-all-extras",
        "Projet Fil Rouge – DarkRP FR | rp_downtown_v4c_v2 | garrysmod | DarkRP | 4000 | 12/64 1 | \
         d l false true | 2025.07.23 | Some(27015) Some(90180234) Some((27020, \"SourceTV\")) \
         Some(\" gm:darkrp gmws:2863454112 gmc:rp loc:fr ver:250723\") Some(4000)",
    ),
    (
        "a2s-info-no-extras",
        "Projet Fil Rouge – DarkRP FR | rp_downtown_v4c_v2 | garrysmod | DarkRP | 4000 | 12/64 1 | \
         d l false true | 2025.07.23 | None None None None None",
    ),
    // As sent: whoever shows it makes it printable.
    (
        "a2s-info-hostile-name",
        "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}\u{fffd}\u{fffd} name | gm_construct | garrysmod | \
         Sandbox | 4000 | 255/255 255 | d w true false | 1 | None None None None None",
    ),
];

/// Replies that are no answer, and what is said about them.
const REFUSED: [(&str, &str); 5] = [
    ("a2s-info-cut", "the reply ends at byte 40, within the map"),
    ("a2s-challenge-short", "the reply ends at byte 7, within the challenge"),
    ("a2s-split-compressed", "the reply is split and compressed (bzip2), which is not supported"),
    (
        "a2s-split-255-parts",
        "the parts of the split reply do not fit: their number is out of bounds",
    ),
    (
        "a2s-split-number-beyond-total",
        "the parts of the split reply do not fit: a part's number is beyond their total",
    ),
];

/// Streams that are no RCON.
const JUNK: [(&str, &str); 4] = [
    ("rcon-http", "a packet of size 1347703880 is none: packets have 10 to 4096 bytes"),
    ("rcon-size-huge", "a packet of size 2147483647 is none: packets have 10 to 4096 bytes"),
    ("rcon-size-negative", "a packet of size -1 is none: packets have 10 to 4096 bytes"),
    ("rcon-no-nul", "a packet of size 12 is none: it does not end with two NULs"),
];

/// Files that have a test of their own below.
const OTHERS: [&str; 10] = [
    "a2s-challenge",
    "a2s-info-part-1",
    "a2s-info-part-2",
    "a2s-players",
    "a2s-players-count-lies",
    "a2s-rules-part-1",
    "a2s-rules-part-2",
    "rcon-login",
    "rcon-login-refused",
    "rcon-status",
];
const MULTI_PACKET: &str = "rcon-multi-packet";

fn told(info: &Info) -> String {
    let Info { name, map, folder, game, appid, players, max_players, bots, .. } = info;
    let Info { server_type, os, password, vac, version, .. } = info;
    let Info { protocol, port, steamid, sourcetv, keywords, gameid, .. } = info;
    assert_eq!(*protocol, 17);
    format!(
        "{name} | {map} | {folder} | {game} | {appid} | {players}/{max_players} {bots} | \
         {server_type} {os} {password} {vac} | {version} | \
         {port:?} {steamid:?} {sourcetv:?} {keywords:?} {gameid:?}"
    )
}

#[test]
fn every_file_has_its_meaning_here() {
    let tables = [&INFOS[..], &REFUSED, &JUNK].concat();
    let mut known: Vec<&str> = tables.into_iter().map(|(name, _)| name).collect();
    known.extend(OTHERS);
    known.push(MULTI_PACKET);
    known.sort_unstable();
    let paths = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let binary = paths.filter(|path| path.extension().is_some_and(|ending| ending == "bin"));
    let mut found: Vec<String> =
        binary.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    found.sort_unstable();
    assert_eq!(found, known);
}

#[test]
fn replies_say_what_the_table_says() {
    for (name, expected) in INFOS {
        let Progress::Done(info) = Query::info().datagram(&bytes(name)).expect(name) else {
            panic!("{name} is no answer");
        };
        assert_eq!(told(&info), expected, "{name}");
    }
    for (name, expected) in REFUSED {
        let error = Query::info().datagram(&bytes(name)).expect_err(name);
        assert_eq!(error.to_string(), expected, "{name}");
    }
}

#[test]
fn a_challenge_is_sent_back() {
    let (mut query, challenge) = (Query::info(), bytes("a2s-challenge"));
    let request = [query.request(), &challenge[5..]].concat();
    assert_eq!(query.datagram(&challenge), Ok(Progress::Send(request)));
    assert!(matches!(query.datagram(&bytes("a2s-info")), Ok(Progress::Done(_))));
}

#[test]
fn two_parts_are_one_reply_in_either_order() {
    let parts = ["a2s-info-part-1", "a2s-info-part-2"].map(bytes);
    let whole = Info::parse(&bytes("a2s-info-all-extras")).unwrap();
    for order in [[0, 1], [1, 0]] {
        let mut query = Query::info();
        assert_eq!(query.datagram(&parts[order[0]]), Ok(Progress::Wait));
        assert_eq!(query.datagram(&parts[order[1]]), Ok(Progress::Done(Box::new(whole.clone()))));
    }
}

#[test]
fn players_are_who_is_there() {
    let names = |name: &str| -> Vec<(String, i32)> {
        let players = parse_players(&bytes(name)).unwrap();
        assert!(players.iter().all(|player| player.seconds > 0.0));
        players.into_iter().map(|player| (player.name, player.score)).collect()
    };
    let of = |name: &str, score| (String::from(name), score);
    assert_eq!(names("a2s-players-count-lies"), [of("Nom accentué", -3)]);
    let three: Vec<String> = names("a2s-players").into_iter().map(|(name, _)| name).collect();
    assert_eq!(three, ["Alice", "Bruno", "Chloé"]);
}

#[test]
fn rules_come_in_two_parts() {
    let mut parts = Assembler::default();
    let part = |number| bytes(&format!("a2s-rules-part-{number}")).split_off(4);
    assert_eq!(parts.part(&part(1)), Ok(None));
    let whole = parts.part(&part(2)).unwrap().expect("both parts are there");
    let rules = parse_rules(&whole).unwrap();
    assert_eq!(rules.len(), 77);
    let last = rules.last().unwrap();
    assert_eq!((last.name.as_str(), last.value.as_str()), ("gamemode", "darkrp"));
}

fn logging_in() -> Session {
    let mut session = Session::new("secret");
    session.login();
    session
}

fn asking() -> Session {
    let mut session = logging_in();
    assert_eq!(session.received(&bytes("rcon-login")), Ok(Some(Answer::LoggedIn)));
    session.exec("status").unwrap();
    session
}

#[test]
fn a_login_is_answered_by_yes_or_no() {
    // The yes is within `asking`.
    let refused = logging_in().received(&bytes("rcon-login-refused"));
    assert_eq!(refused, Err(RconError::BadPassword));
    for (name, expected) in JUNK {
        let error = asking().received(&bytes(name)).expect_err(name);
        assert_eq!(error.to_string(), expected, "{name}");
    }
}

#[test]
fn answers_are_whole_however_many_packets_they_take() {
    let text = |name: &str, piece: usize| {
        let mut session = asking();
        let mut said = Vec::new();
        for piece in bytes(name).chunks(piece) {
            said.extend(session.received(piece).unwrap());
        }
        // What follows the marker belongs to no answer, and the session goes on.
        session.exec("status").unwrap();
        match <[Answer; 1]>::try_from(said) {
            Ok([Answer::Text(text)]) => text,
            other => panic!("{name}: {other:?}"),
        }
    };
    let status = text("rcon-status", 4096);
    assert!(status.starts_with("hostname: Vigie test\n") && status.contains("\"Chloé\""));
    let mut decoder = Decoder::default();
    decoder.feed(&bytes(MULTI_PACKET));
    let packets = std::iter::from_fn(|| decoder.packet().unwrap()).count();
    assert_eq!(packets, 4, "two of text, the marker, and the one behind it");
    let logs = text(MULTI_PACKET, usize::MAX);
    assert_eq!(logs.lines().count(), 121);
    assert!(logs.ends_with("RATE LIMIT: Alice (STEAM_0:0:1000003) - 260 req/min\n"));
    assert_eq!(text(MULTI_PACKET, 1), logs);
}

/// Bytes of some file, cut short and with a few of them changed.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let names: Vec<&str> = [&INFOS[..], &REFUSED, &JUNK]
        .concat()
        .into_iter()
        .map(|(name, _)| name)
        .chain(OTHERS)
        .chain([MULTI_PACKET])
        .collect();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (prop::sample::select(names), any::<prop::sample::Index>(), changes).prop_map(
        |(name, end, changes)| {
            let mut bytes = bytes(name);
            bytes.truncate(end.index(bytes.len() + 1));
            for (at, value) in changes {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = value;
                }
            }
            bytes
        },
    )
}

/// An error of the query that names a byte names one that there is.
fn within(error: &A2sError, length: usize) -> bool {
    match error {
        A2sError::Short { at, .. } | A2sError::Unexpected { at, .. } => *at <= length,
        A2sError::Compressed | A2sError::Parts(_) | A2sError::Challenges => true,
    }
}

proptest! {
    #[test]
    fn damaged_datagrams_are_read_or_refused(datagrams in prop::collection::vec(damaged(), 1..6)) {
        let mut query = Query::info();
        for bytes in &datagrams {
            if let Err(error) = query.datagram(bytes) {
                // A whole reply is never longer than all that arrived.
                let arrived = datagrams.iter().map(Vec::len).sum();
                prop_assert!(within(&error, arrived), "{error}");
                prop_assert!(!error.to_string().is_empty());
            }
            for error in [
                Info::parse(bytes).err(),
                parse_players(bytes).err(),
                parse_rules(bytes).err(),
            ].into_iter().flatten() {
                prop_assert!(within(&error, bytes.len()), "{error}");
            }
        }
    }

    #[test]
    fn a_cut_players_reply_is_never_mistaken_for_fewer(cut in 7_usize..52) {
        let whole = bytes("a2s-players");
        // Between two players it can only be told by the count, which is not believed.
        let ends = parse_players(&whole).unwrap().iter().scan(6, |at, player| {
            *at += 1 + player.name.len() + 1 + 8;
            Some(*at)
        }).collect::<Vec<usize>>();
        prop_assert_eq!(parse_players(&whole[..cut]).is_ok(), ends.contains(&cut));
    }

    #[test]
    fn damaged_streams_are_the_same_in_pieces(stream in damaged(), piece in 1_usize..40) {
        for session in [logging_in, asking] {
            let talk = |piece: usize| {
                let mut session = session();
                let mut said = Vec::new();
                for bytes in stream.chunks(piece) {
                    match session.received(bytes) {
                        Ok(answer) => said.extend(answer),
                        Err(error) => return (said, Some(error)),
                    }
                    match session.received(&[]) {
                        Ok(answer) => said.extend(answer),
                        Err(error) => return (said, Some(error)),
                    }
                }
                (said, None)
            };
            prop_assert_eq!(talk(piece), talk(stream.len().max(1)));
        }
    }

    #[test]
    fn packets_are_read_as_they_were_written(
        packets in prop::collection::vec(
            (any::<i32>(), any::<i32>(), prop::collection::vec(any::<u8>(), 0..200)), 0..8),
        piece in 1_usize..64,
    ) {
        let stream: Vec<u8> = packets
            .iter()
            .flat_map(|(id, kind, body)| Packet::encode(*id, *kind, body))
            .collect();
        let (mut decoder, mut found) = (Decoder::default(), Vec::new());
        for bytes in stream.chunks(piece) {
            decoder.feed(bytes);
            while let Some(packet) = decoder.packet().unwrap() {
                found.push((packet.id, packet.kind, packet.body));
            }
        }
        prop_assert_eq!(found, packets);
    }
}
