//! A2S_RULES: the public console variables.
//!
//! There are enough of them to overflow one datagram, as on a real server, so
//! that split replies are met in every-day use.

use super::wire::Reply;
use crate::world::World;

const RULES: [(&str, &str); 76] = [
    ("coop", "0"),
    ("deathmatch", "1"),
    ("decalfrequency", "10"),
    ("gmod_maxammo", "9999"),
    ("gmod_physiterations", "4"),
    ("hl2_normspeed", "190"),
    ("mp_allowNPCs", "1"),
    ("mp_autocrosshair", "1"),
    ("mp_fadetoblack", "0"),
    ("mp_falldamage", "0"),
    ("mp_flashlight", "1"),
    ("mp_footsteps", "1"),
    ("mp_forcerespawn", "1"),
    ("mp_fraglimit", "0"),
    ("mp_friendlyfire", "0"),
    ("mp_limitteams", "2"),
    ("mp_teamlist", "hgrunt;scientist"),
    ("mp_teamplay", "0"),
    ("mp_timelimit", "0"),
    ("mp_weaponstay", "0"),
    ("nextlevel", ""),
    ("physgun_limited", "0"),
    ("r_AirboatViewDampenDamp", "1.0"),
    ("r_AirboatViewDampenFreq", "7.0"),
    ("r_JeepViewDampenDamp", "1.0"),
    ("r_JeepViewDampenFreq", "7.0"),
    ("r_VehicleViewDampen", "1"),
    ("sbox_godmode", "0"),
    ("sbox_maxballoons", "10"),
    ("sbox_maxeffects", "0"),
    ("sbox_maxnpcs", "0"),
    ("sbox_maxprops", "60"),
    ("sbox_maxragdolls", "0"),
    ("sbox_maxvehicles", "2"),
    ("sbox_noclip", "0"),
    ("sbox_playershurtplayers", "1"),
    ("sv_accelerate", "10"),
    ("sv_airaccelerate", "10"),
    ("sv_alltalk", "0"),
    ("sv_bounce", "0"),
    ("sv_cheats", "0"),
    ("sv_contact", ""),
    ("sv_footsteps", "1"),
    ("sv_friction", "8"),
    ("sv_gravity", "600"),
    ("sv_location", "fr"),
    ("sv_maxspeed", "10000"),
    ("sv_maxusrcmdprocessticks", "24"),
    ("sv_noclipaccelerate", "5"),
    ("sv_noclipspeed", "5"),
    ("sv_password", "0"),
    ("sv_pausable", "0"),
    ("sv_rollangle", "0"),
    ("sv_rollspeed", "200"),
    ("sv_specaccelerate", "5"),
    ("sv_specnoclip", "1"),
    ("sv_specspeed", "3"),
    ("sv_steamgroup", ""),
    ("sv_stepsize", "18"),
    ("sv_stopspeed", "10"),
    ("sv_voiceenable", "1"),
    ("tv_enable", "0"),
    ("advdupe2_version", "1.1.0"),
    ("cl_wire_holograms_size_max_limit", "50"),
    ("construction_blueprints_per_player", "12"),
    ("construction_materials_max", "500"),
    ("construction_rate_limit_per_minute", "60"),
    ("darkrp_version", "2.7.0"),
    ("fadmin_version", "1.0"),
    ("itemstore_version", "3.2.1"),
    ("pac_sv_projectile_max_phys_radius", "16384"),
    ("playx_version", "2.8.29"),
    ("sv_hibernate_think", "0"),
    ("ulx_logFile", "1"),
    ("ulx_rslotsMode", "0"),
    ("wire_expression2_unlimited", "0"),
];

pub(super) fn reply(world: &World) -> Vec<u8> {
    let mut reply = Reply::new(b'E');
    reply.u16(u16::try_from(RULES.len() + 1).unwrap_or(u16::MAX));
    for (name, value) in RULES {
        reply.string(name).string(value);
    }
    reply.string("gamemode").string(&world.config().gamemode);
    reply.done()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LONGEST_DATAGRAM;
    use crate::{Config, Console};

    #[test]
    fn counts_them_and_overflows_one_datagram() {
        let world = World::new(Config::loopback(""), 1, Console::silent());
        let reply = reply(&world);
        assert_eq!(&reply[..7], b"\xff\xff\xff\xffE\x4d\0");
        let strings = reply[7..].iter().filter(|byte| **byte == 0).count();
        assert_eq!(strings, 77 * 2);
        assert!(reply.len() > LONGEST_DATAGRAM, "{}", reply.len());
    }
}
