//! Commands, without any socket.

use super::*;
use crate::{Capture, Config, Console, Death};
use proptest::prelude::*;

fn world() -> (Arc<World>, Capture) {
    let (console, said) = Console::captured();
    (Arc::new(World::new(Config::loopback("pw"), 27015, console)), said)
}

#[test]
fn unknown_commands_are_named() {
    let (world, _) = world();
    assert_eq!(run(&world, "lua_run print(1)").answer, "Unknown command \"lua_run\"\n");
    assert_eq!(run(&world, ""), Ran::default());
}

#[test]
fn say_is_on_the_console_and_in_the_answer() {
    let (world, said) = world();
    assert_eq!(run(&world, "say bonjour à tous").answer, "Console: bonjour à tous\n");
    assert!(said.text().contains("Console: bonjour à tous\n"));
}

#[test]
fn a_semicolon_smuggles_a_second_command() {
    let (world, _) = world();
    assert_eq!(run(&world, "say hi; quit").effects, [Effect::Die(Death::Quit)]);
    assert_eq!(run(&world, "say \"hi; quit\"").effects, []);
}

#[test]
fn status_looks_like_the_real_one() {
    let (world, _) = world();
    let status = run(&world, "status").answer;
    assert!(status.starts_with("hostname: vigie practice server\nversion : "), "{status}");
    assert!(status.contains("map     : gm_construct at: 0 x, 0 y, 0 z\n"), "{status}");
    assert!(status.contains("players : 3 humans, 0 bots (24 max)\n"), "{status}");
    assert!(status.contains("#      2 \"Alice\""), "{status}");
}

#[test]
fn players_come_and_go_within_the_slots() {
    let (world, _) = world();
    assert_eq!(run(&world, "players 10").answer, "players : 10 humans (24 max)\n");
    assert_eq!(run(&world, "players 99").answer, "players : 24 humans (24 max)\n");
    assert_eq!(run(&world, "players x").answer, "Usage: players N\n");
}

#[test]
fn construction_logs_are_bounded() {
    let (world, _) = world();
    assert_eq!(run(&world, "construction_logs 2").answer.lines().count(), 3);
    assert!(run(&world, "construction_logs 999999").answer.len() > 8192);
    assert!(run(&world, "construction_stats").answer.contains("[Construction]"));
}

#[test]
fn changelevel_refuses_what_is_no_map() {
    let (world, said) = world();
    assert!(run(&world, "changelevel ../x").effects.is_empty());
    run_now(&world, "changelevel rp_city");
    assert!(world.loading.holds());
    assert_eq!(world.town().map, "rp_city");
    assert!(said.text().contains("Host_Changelevel"));
    run_now(&world, "practice heal");
    assert!(!world.loading.holds());
}

#[test]
fn a_death_is_on_the_console_even_when_frozen() {
    let (world, said) = world();
    run_now(&world, "practice freeze");
    run_now(&world, "say nobody hears this");
    run_now(&world, "practice crash watchdog");
    assert_eq!(world.death(), Some(Death::Watchdog));
    assert_eq!(said.text(), "WatchDog! Server took too long to process\n");
}

#[test]
fn the_help_names_every_death() {
    let (world, _) = world();
    let help = run(&world, "practice help").answer;
    for name in ["segv", "lua-panic", "engine-error", "watchdog", "quit", "exit", "port-taken"] {
        assert!(help.contains(name), "{name}");
    }
    assert!(run(&world, "practice dance").answer.contains("practice help"));
}

#[test]
fn the_password_is_never_printed() {
    let (console, said) = Console::captured();
    let world = Arc::new(World::new(Config::loopback("hunter2"), 1, console));
    run_now(&world, "say hunter2");
    assert!(!said.text().contains("hunter2"));
}

proptest! {
    /// Any text is a line, and none but the known words does anything.
    #[test]
    fn arbitrary_lines_never_panic(line in "[^a-zA-Z]{0,40}|(say|players|status|changelevel|construction_logs) [ -~]{0,40}") {
        let (world, _) = world();
        let ran = run(&world, &line);
        prop_assert!(ran.effects.len() <= MOST_COMMANDS);
    }
}
