//! `players N`: fake players come or go until there are N.

use crate::world::World;

pub(super) fn run(world: &World, args: &[String]) -> String {
    let most = world.config().max_players;
    let mut town = world.town();
    if let Some(count) = args.first() {
        match count.parse::<u32>() {
            Ok(count) => town.resize(u8::try_from(count).unwrap_or(u8::MAX).min(most)),
            Err(_) => return "Usage: players N".to_owned(),
        }
    }
    format!("players : {} humans ({most} max)", town.players().len())
}
