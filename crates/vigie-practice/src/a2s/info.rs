//! A2S_INFO: who the server says it is.

use super::wire::Reply;
use crate::boot;
use crate::world::World;

const PROTOCOL: u8 = 17;
/// Garry's Mod.
const APP: u16 = 4000;
/// Port, Steam ID, keywords and game ID follow.
const EXTRA: u8 = 0x80 | 0x10 | 0x20 | 0x01;

/// The version that the server and its keywords give.
pub(crate) const VERSION: &str = "2025.07.23";

pub(super) fn reply(world: &World) -> Vec<u8> {
    let config = world.config();
    let town = world.town();
    let mut reply = Reply::new(b'I');
    reply
        .u8(PROTOCOL)
        .string(&config.name)
        .string(&town.map)
        .string("garrysmod")
        .string(title(&config.gamemode))
        .u16(APP)
        .u8(u8::try_from(town.players().len()).unwrap_or(u8::MAX))
        .u8(config.max_players)
        .u8(0) // bots
        .u8(b'd')
        .u8(b'l')
        .u8(0) // no password to join
        .u8(1) // VAC
        .string(VERSION)
        .u8(EXTRA)
        .u16(world.port())
        .u64(boot::STEAM_ID)
        .string(&keywords(&config.gamemode))
        .u64(u64::from(APP));
    reply.done()
}

/// The gamemode as its author titled it.
fn title(gamemode: &str) -> &str {
    match gamemode {
        "darkrp" => "DarkRP",
        "sandbox" => "Sandbox",
        "terrortown" => "Trouble in Terrorist Town",
        other => other,
    }
}

/// The keywords; the leading space is how the game sends them.
fn keywords(gamemode: &str) -> String {
    format!(" gm:{gamemode} gmc:rp loc:fr ver:250723")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Console};

    #[test]
    fn is_the_documented_layout() {
        let config = Config { name: "Ma Ville".to_owned(), ..Config::loopback("") };
        let world = World::new(config, 0x6987, Console::silent());
        let mut expected = b"\xff\xff\xff\xffI\x11".to_vec();
        expected.extend(b"Ma Ville\0gm_construct\0garrysmod\0DarkRP\0");
        expected.extend([0xa0, 0x0f, 3, 24, 0, b'd', b'l', 0, 1]);
        expected.extend(b"2025.07.23\0\xb1\x87\x69");
        expected.extend(boot::STEAM_ID.to_le_bytes());
        expected.extend(b" gm:darkrp gmc:rp loc:fr ver:250723\0");
        expected.extend([0xa0, 0x0f, 0, 0, 0, 0, 0, 0]);
        assert_eq!(reply(&world), expected);
    }
}
