//! A2S, the Source query protocol, server side, over UDP.
//!
//! It answers what is well formed and says nothing to the rest: a reply to
//! junk would make it an amplifier.

mod challenge;
mod info;
mod players;
mod request;
mod rules;
mod split;
mod wire;

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

pub(crate) use info::VERSION;

use challenge::Challenges;
use request::{Ask, Request};

use crate::world::World;

/// How often a quiet server looks whether it is dead or gagged.
const LOOK: Duration = Duration::from_millis(50);

/// Longer than any request; the kernel cuts the rest off.
const LONGEST_REQUEST: usize = 64;

/// Answers until the server dies.
pub(crate) fn serve(world: &World, socket: &UdpSocket) {
    let challenges = Challenges::default();
    let mut buffer = [0; LONGEST_REQUEST];
    let mut sent = 0;
    // Without the timeout the loop would never see the death of the server.
    if let Err(error) = socket.set_read_timeout(Some(LOOK)) {
        return world.print(&format!("practice: A2S cannot set a timeout: {error}"));
    }
    while !world.is_dead() {
        // A stuck main loop leaves the requests in the kernel's queue and
        // answers them late, once it is free again. So does a real one.
        if world.is_stuck() {
            world.pause(LOOK / 5);
            continue;
        }
        match socket.recv_from(&mut buffer) {
            Ok((length, asker)) => {
                // The loop may have got stuck while waiting: answered late too.
                while world.is_stuck() && world.pause(LOOK / 5) {}
                // Deafness drops for good.
                if world.is_dead() || world.deaf_a2s.holds() {
                    continue;
                }
                let heard = buffer.get(..length).unwrap_or_default();
                if let Some(reply) = answer(world, &challenges, asker, heard) {
                    sent += 1;
                    send(socket, asker, sent, &reply, world.config().split_at);
                }
            }
            Err(error) if is_quiet(&error) => {}
            // Like an ICMP refusal of an earlier reply: the asker is gone.
            Err(_) => drop(world.pause(LOOK / 50)),
        }
    }
}

fn is_quiet(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// The reply to one datagram, before any splitting.
fn answer(
    world: &World,
    challenges: &Challenges,
    asker: SocketAddr,
    heard: &[u8],
) -> Option<Vec<u8>> {
    let Request { ask, challenge } = request::parse(heard)?;
    let expected = challenges.of(asker);
    let free = ask == Ask::Info && !world.config().challenge;
    if !free && challenge != Some(expected) {
        return Some(challenge::reply(expected));
    }
    Some(match ask {
        Ask::Info => info::reply(world),
        Ask::Players => players::reply(world),
        Ask::Rules => rules::reply(world),
    })
}

fn send(socket: &UdpSocket, asker: SocketAddr, id: u32, reply: &[u8], split_at: usize) {
    for datagram in split::datagrams(id, reply, split_at) {
        // Nobody is told about an asker that cannot be reached.
        let _ = socket.send_to(&datagram, asker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Console};
    use proptest::prelude::*;

    fn world(challenge: bool) -> World {
        let config = Config { challenge, ..Config::loopback("") };
        World::new(config, 27015, Console::silent())
    }

    const INFO: &[u8] = b"\xff\xff\xff\xffTSource Engine Query\0";

    #[test]
    fn info_needs_the_challenge_only_when_told_so() {
        let asker: SocketAddr = "127.0.0.1:4000".parse().unwrap();
        let challenges = Challenges::default();
        let free = answer(&world(false), &challenges, asker, INFO).unwrap();
        assert_eq!(free[4], b'I');
        let world = world(true);
        let first = answer(&world, &challenges, asker, INFO).unwrap();
        assert_eq!((first.len(), first[4]), (9, b'A'));
        let again = [INFO, &first[5..9]].concat();
        assert_eq!(answer(&world, &challenges, asker, &again).unwrap()[4], b'I');
        // Somebody else's challenge is worth nothing.
        let other: SocketAddr = "127.0.0.1:4001".parse().unwrap();
        assert_eq!(answer(&world, &challenges, other, &again).unwrap()[4], b'A');
    }

    proptest! {
        #[test]
        fn junk_never_kills_it(heard in prop::collection::vec(any::<u8>(), 0..80)) {
            let asker = "127.0.0.1:4000".parse().unwrap();
            answer(&world(true), &Challenges::default(), asker, &heard);
        }
    }
}
