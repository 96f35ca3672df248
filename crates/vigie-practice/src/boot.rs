//! The boot: what the console says, spread over the time that it takes.

use crate::world::World;

/// The account number of the anonymous game server.
const ACCOUNT: u64 = 3_741_319_169;
/// Its instance number.
const INSTANCE: u64 = 25_113;

/// The Steam ID as a number: universe 1, account type 4 (anonymous server).
pub(crate) const STEAM_ID: u64 = (1 << 56) | (4 << 52) | (INSTANCE << 32) | ACCOUNT;

/// The Steam ID as the console writes it.
pub(crate) fn steam_id() -> String {
    format!("[A:1:{ACCOUNT}:{INSTANCE}]")
}

/// Prints the boot console; `false` when the server died meanwhile. It does
/// not mark the server as up: the RCON port has to listen first.
pub(crate) fn run(world: &World) -> bool {
    let lines = lines(world);
    let step = world.config().boot / u32::try_from(lines.len()).unwrap_or(1).max(1);
    for line in lines {
        world.print(&line);
        // Also when the step is zero: a frozen or killed boot stops here.
        if !world.pause(step) {
            return false;
        }
        while world.frozen.holds() {
            if !world.pause(std::time::Duration::from_millis(20)) {
                return false;
            }
        }
    }
    true
}

/// Prints what makes players and watchers say that the server is ready.
pub(crate) fn announce_ready(world: &World) {
    world.print(&format!("Assigned anonymous gameserver Steam ID {}.", steam_id()));
    world.print("VAC secure mode is activated.");
}

fn lines(world: &World) -> Vec<String> {
    let config = world.config();
    let mut lines: Vec<String> = [
        "Setting breakpad minidump AppID = 4000",
        "Using breakpad crash handler",
        "Console initialized.",
        "Particles: Missing 'particles/fire_01.pcf'",
        "Game.dll loaded for \"Garry's Mod\"",
        "WS: Processing 101 addons...",
        "WS: Mounting 101 addons...",
        "Loading workshop addons finished.",
        "maxplayers set to",
        "Couldn't exec 'skill.cfg'",
        "Lua initialized (Lua 5.1)",
    ]
    .into_iter()
    .map(|line| match line {
        "maxplayers set to" => format!("{line} {}", config.max_players),
        _ => line.to_owned(),
    })
    .collect();
    for module in ["core", "database", "props", "quota", "blueprints", "net", "logs"] {
        lines.push(format!("[Construction] Module {module} chargé"));
    }
    lines.push(format!(
        "Network: IP {}, mode MP, dedicated Yes, ports {} SV / 27005 CL",
        config.bind,
        world.port()
    ));
    lines.push(format!("Executing dedicated server config file server.cfg for {}", config.map));
    lines
}
