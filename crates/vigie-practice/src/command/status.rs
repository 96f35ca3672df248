//! `status`: the server and its players, in the engine's layout.

use std::fmt::Write;

use crate::a2s::VERSION;
use crate::boot;
use crate::world::World;

pub(super) fn text(world: &World) -> String {
    let config = world.config();
    let town = world.town();
    let mut text = format!(
        "hostname: {}\nversion : {VERSION}/24 9542 secure\nudp/ip  : {}:{}\nsteamid : {} ({})\n\
         map     : {} at: 0 x, 0 y, 0 z\nplayers : {} humans, 0 bots ({} max)\n\
         # userid name                uniqueid            connected ping loss state  adr\n",
        config.name,
        config.bind,
        world.port(),
        boot::steam_id(),
        boot::STEAM_ID,
        town.map,
        town.players().len(),
        config.max_players,
    );
    for player in town.players() {
        let name = format!("\"{}\"", player.name);
        // Writing to a string cannot fail. The addresses are documentation ones.
        let _ = writeln!(
            text,
            "# {:>6} {name:<19} {:<19} {:>9} {:>4} {:>4} active 192.0.2.{}:27005",
            player.user_id,
            player.steam_id,
            clock(player.connected().as_secs()),
            30 + player.user_id % 50,
            0,
            player.user_id % 254 + 1,
        );
    }
    text
}

/// `05:23`, or `1:05:23` from an hour on.
fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_grow_an_hour() {
        assert_eq!(clock(323), "05:23");
        assert_eq!(clock(3_923), "1:05:23");
    }
}
