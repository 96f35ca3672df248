//! Whatever the bytes, the server stays up and answers the next client.

use std::io::Write;

use proptest::prelude::*;
use vigie_practice::Config;

use crate::wire::{Asker, PASSWORD, Rcon, start};

/// Bytes that begin like a packet more often than chance would have it.
fn packets() -> impl Strategy<Value = Vec<u8>> {
    let junk = prop::collection::vec(any::<u8>(), 0..200);
    let framed =
        (0_i32..300, any::<i32>(), -1_i32..5, junk.clone()).prop_map(|(size, id, kind, body)| {
            let mut packet = Vec::new();
            for word in [size, id, kind] {
                packet.extend(word.to_le_bytes());
            }
            packet.extend(body);
            packet
        });
    let query = (prop::sample::select(b"TUVW\x69".to_vec()), junk.clone())
        .prop_map(|(kind, rest)| [&[0xff, 0xff, 0xff, 0xff, kind], &rest[..]].concat());
    prop_oneof![junk, framed, query]
}

#[test]
fn arbitrary_bytes_never_kill_it() {
    let config = Config { rcon_min_failures: 0, ..Config::loopback(PASSWORD) };
    let (server, _) = start(config);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&(packets(), any::<bool>()), |(bytes, known)| {
            let mut rcon =
                if known { Rcon::login(server.addr()) } else { Rcon::connect(server.addr()) };
            // It may hang up before all is written.
            let _ = rcon.0.write_all(&bytes);
            let asker = Asker::new(server.addr());
            asker.send(&bytes);
            prop_assert!(Asker::new(server.addr()).answers());
            prop_assert!(server.is_up());
            Ok(())
        })
        .unwrap();
    assert_eq!(Rcon::login(server.addr()).run("echo still here"), "still here\n");
}
