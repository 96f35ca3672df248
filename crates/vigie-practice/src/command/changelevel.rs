//! `changelevel MAP`: another map, after a silence that is not a freeze.

use std::sync::Arc;

use super::{Effect, Ran};
use crate::jobs;
use crate::world::World;

const LONGEST_NAME: usize = 64;

/// Answers; any sensible name is a map that exists.
pub(super) fn run(args: &[String]) -> Ran {
    match args.first() {
        None => Ran::says("Usage: changelevel MAP"),
        Some(map) if is_map(map) => {
            Ran::then(format!("Changing level to {map}"), Effect::ChangeLevel(map.clone()))
        }
        Some(map) => Ran::says(format!("changelevel failed: {map} not found")),
    }
}

fn is_map(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(plain)
}

/// Begins the change: silent until the map is loaded.
pub(super) fn begin(world: &Arc<World>, map: &str) {
    let time = world.config().changelevel_time;
    world.print("---- Host_Changelevel ----");
    world.print(&format!("Changing level to {map}"));
    map.clone_into(&mut world.town().map);
    world.loading.impose(Some(time));
    let loaded = jobs::launch(world, "changelevel", move |job| {
        if job.world().pause(time) {
            job.world().print("[Construction] Module core chargé");
        }
    });
    // The line is decoration: without it the change is as good.
    if let Err(reason) = loaded {
        world.print(&reason);
    }
}
