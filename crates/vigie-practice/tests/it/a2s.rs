//! A2S, over UDP.

use vigie_practice::Config;

use crate::wire::{Asker, INFO, PASSWORD, start, up};

#[test]
fn info_with_and_without_a_challenge() {
    let (server, _) = up();
    let reply = Asker::new(server.addr()).query(INFO);
    assert_eq!(reply[4], b'I');
    assert!(reply.windows(7).any(|part| part == b"DarkRP\0"));

    let (free, _) = start(Config { challenge: false, ..Config::loopback(PASSWORD) });
    assert_eq!(Asker::new(free.addr()).ask(INFO).unwrap()[4], b'I');
}

#[test]
fn players_and_rules_need_the_challenge_and_may_be_split() {
    let (server, _) = start(Config {
        challenge: false,
        max_players: 128,
        players: 128,
        ..Config::loopback(PASSWORD)
    });
    let asker = Asker::new(server.addr());
    let players = asker.query(b"\xff\xff\xff\xffU");
    assert_eq!((players[4], players[5]), (b'D', 128));
    assert!(players.len() > 1400);
    assert_eq!(asker.query(b"\xff\xff\xff\xffV")[4], b'E');
}

#[test]
fn a_small_split_makes_info_split_too() {
    let (server, _) = start(Config { split_at: 64, ..Config::loopback(PASSWORD) });
    let asker = Asker::new(server.addr());
    let challenge = asker.ask(INFO).unwrap();
    let first = asker.ask(&[INFO, &challenge[5..]].concat()).unwrap();
    assert!(first.starts_with(b"\xfe\xff\xff\xff") && first.len() <= 64);
    let asker = Asker::new(server.addr());
    assert_eq!(asker.query(INFO)[4], b'I');
}
