//! The Lua errors of the spew: every shape that the console knows.

/// One console block each. The guilty frame is the first that is neither `[C]`
/// nor under `lua/includes/`; in some of them it is not the first frame.
pub(super) const ERRORS: [&str; 9] = [
    "[ERROR] addons/patch/lua/patch/server/cleanup.lua:13: attempt to index local 'o' (a number value)\n\
     \x20 1. unknown - addons/patch/lua/patch/server/cleanup.lua:13\n\
     \x20  2. foreach - [C]:-1\n\
     \x20   3. unknown - addons/patch/lua/patch/server/cleanup.lua:9",
    // A titled one: an addon of the Workshop.
    "[Construction System] addons/construction/lua/construction/sv_blueprints.lua:88: attempt to call method 'GetOwnerID' (a nil value)\n\
     \x20 1. LoadBlueprint - addons/construction/lua/construction/sv_blueprints.lua:88\n\
     \x20  2. func - addons/construction/lua/construction/sv_net.lua:41\n\
     \x20   3. unknown - lua/includes/extensions/net.lua:34",
    // The guilty frame is the third.
    "[ERROR] lua/includes/util.lua:203: bad argument #1 to 'pairs' (table expected, got nil)\n\
     \x20 1. pairs - [C]:-1\n\
     \x20  2. Merge - lua/includes/util.lua:203\n\
     \x20   3. fn - addons/jobs_plus/lua/autorun/server/sv_jobs.lua:57\n\
     \x20    4. unknown - lua/includes/modules/hook.lua:96",
    // A titled one whose title has brackets' worth of noise.
    "[Ultra HUD (v2) - Français] addons/ultra_hud/lua/autorun/server/uh_send.lua:7: attempt to perform arithmetic on field 'hunger' (a nil value)\n\
     \x20 1. unknown - addons/ultra_hud/lua/autorun/server/uh_send.lua:7",
    // Relayed from a client.
    "[Jojo le Maçon|2|STEAM_0:0:1] Lua Error:\n\n\
     [ERROR] addons/construction/lua/weapons/construction_pda/cl_init.lua:120: attempt to index global 'LocalPDA' (a nil value)\n\
     \x20 1. DrawHUD - addons/construction/lua/weapons/construction_pda/cl_init.lua:120\n\
     \x20  2. unknown - gamemodes/base/gamemode/cl_hudpickup.lua:12",
    "Timer Failed! [Simple][@addons/patch/lua/patch/server/cleanup.lua (line 9)]",
    "Couldn't include file 'config/prices.lua' (File not found) (@addons/jobs_plus/lua/autorun/server/sv_jobs.lua (line 3))",
    "[AddCSLuaFile] Couldn't find 'vgui/pda_panel.lua'",
    "[ERROR] lua_run:1: Couldn't load module library!\n\
     \x20 1. require - [C]:-1\n\
     \x20  2. unknown - lua_run:1",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_gain_a_space_a_level() {
        for error in ERRORS {
            for (depth, frame) in error.lines().filter(|line| line.starts_with("  ")).enumerate() {
                let spaces = frame.len() - frame.trim_start().len();
                assert_eq!(spaces, depth + 2, "{frame}");
                assert!(frame.trim_start().starts_with(&format!("{}. ", depth + 1)), "{frame}");
            }
        }
    }

    #[test]
    fn some_are_titled_and_a_naive_search_misses_them() {
        let naive =
            |error: &&&str| ["ERROR", "error", "LUA"].iter().any(|word| error.contains(word));
        assert!(ERRORS.iter().filter(|error| !naive(error)).count() >= 2);
    }
}
