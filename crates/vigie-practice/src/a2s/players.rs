//! A2S_PLAYER: who plays.

use super::wire::Reply;
use crate::world::World;

pub(super) fn reply(world: &World) -> Vec<u8> {
    let town = world.town();
    let mut reply = Reply::new(b'D');
    reply.u8(u8::try_from(town.players().len()).unwrap_or(u8::MAX));
    for player in town.players().iter().take(usize::from(u8::MAX)) {
        // The index is always 0 on a real server.
        reply.u8(0).string(&player.name).i32(player.score).f32(player.connected().as_secs_f32());
    }
    reply.done()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Console};

    #[test]
    fn counts_and_names_them() {
        let world = World::new(Config::loopback(""), 1, Console::silent());
        let reply = reply(&world);
        assert_eq!(&reply[..12], b"\xff\xff\xff\xffD\x03\0Alice");
    }
}
