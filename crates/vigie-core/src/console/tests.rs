//! The console against DOMAIN's lines, hostile names, and any cut.

use proptest::prelude::*;

use super::*;

fn events(text: &str) -> Vec<ConsoleEvent> {
    let mut matcher = Matcher::new();
    let mut found = Vec::new();
    matcher.chunk(text.as_bytes(), &mut |event| found.push(event));
    matcher.chunk(b"\n", &mut |event| found.push(event));
    matcher.flush(&mut |event| found.push(event));
    found
}

fn lua(text: &str) -> LuaError {
    match events(text).into_iter().next() {
        Some(ConsoleEvent::LuaError(error)) => error,
        other => panic!("no Lua error but {other:?}"),
    }
}

const ERROR: &str = "[ERROR] addons/patch/lua/patch/server/cleanup.lua:13: attempt to index local 'o' (a number value)
  1. unknown - addons/patch/lua/patch/server/cleanup.lua:13
   2. foreach - [C]:-1
    3. unknown - addons/patch/lua/patch/server/cleanup.lua:9
Player joined";

#[test]
fn an_error_has_its_guilty_frame() {
    let error = lua(ERROR);
    assert_eq!(error.guilty.as_deref(), Some("addons/patch/lua/patch/server/cleanup.lua"));
    assert_eq!(error.line, Some(13));
    assert_eq!(error.message, "attempt to index local 'o' (a number value)");
    assert_eq!((error.title, error.client), (None, None));
}

#[test]
fn frames_of_the_game_itself_are_innocent() {
    let error = lua("[My [cool] Addon] lua/includes/util.lua:5: bad\n  1. error - [C]:-1\n   \
                     2. Foo - lua/includes/util.lua:5\n    3. Bar - addons/x/lua/y.lua:77\n");
    assert_eq!(error.guilty.as_deref(), Some("addons/x/lua/y.lua"));
    assert_eq!(error.line, Some(77));
    assert_eq!(error.title.as_deref(), Some("My [cool] Addon"));
}

#[test]
fn the_signature_is_the_causes_own() {
    let at = |entity: u32, line: u32| {
        lua(&format!(
            "[ERROR] addons/a/lua/b.lua:{line}: entity {entity} of \"nick{entity}\" is NULL"
        ))
        .signature
    };
    assert_eq!(at(17, 4), at(230, 4));
    assert_ne!(at(17, 4), at(17, 5));
}

#[test]
fn ordinary_lines_are_no_errors() {
    for line in [
        "[Construction] Module blueprints.lua chargé",
        "[ULX] player1 set cleanup.lua: on",
        "Loading addons/x/lua/autorun/x.lua: ok",
        "player1: [ERROR] addons/a/lua/b.lua:1: fooled you",
        "player1: Segmentation fault (core dumped)",
        "player1: Server Quit",
        "Server Quit is a word",
        "player1: [Construction] RATE LIMIT: a (b) - 99 req/min",
    ] {
        let found = events(line);
        let real = |event: &ConsoleEvent| !matches!(event, ConsoleEvent::ModuleLoaded { .. });
        assert!(!found.iter().any(real), "{line}: {found:?}");
    }
}

#[test]
fn every_line_of_the_domain_is_known() {
    use ConsoleEvent as E;
    let one = |line: &str| events(line).into_iter().next();
    assert_eq!(one("Assigned anonymous gameserver Steam ID [A:1:1:1]."), Some(E::Ready));
    assert_eq!(one("Assigned persistent gameserver Steam ID [A:1:1:1]."), Some(E::Ready));
    let kind = |line: &str| match one(line) {
        Some(E::Crash { kind, .. }) => Some(kind),
        _ => None,
    };
    assert_eq!(kind("Segmentation fault (core dumped)"), Some(CrashKind::Segfault));
    let panic = "Engine error: Lua Panic! Something went horribly wrong!";
    assert_eq!(kind(panic), Some(CrashKind::LuaPanic));
    assert_eq!(kind("Server Quit"), Some(CrashKind::Quit));
    assert_eq!(kind("Server restart in 10 seconds"), Some(CrashKind::Restart));
    assert_eq!(kind("WatchDog! Server took too long to process"), Some(CrashKind::Watchdog));
    let port = "ERROR: Port 27015 was unavailable - quitting due to \"-strictportbind\"";
    assert!(matches!(one(port), Some(E::PortTaken { .. })));
    assert!(matches!(one("WS: Processing 101 addons..."), Some(E::Workshop { .. })));
    let script = |line: &str| match one(line) {
        Some(E::Script { what, .. }) => Some(what),
        _ => None,
    };
    assert_eq!(
        script("Timer Failed! [Simple][@addons/a/lua/b.lua (line 3)]"),
        Some(ScriptFault::Timer)
    );
    let include = "Couldn't include file 'x.lua' (File not found) (@a.lua (line 2))";
    assert_eq!(script(include), Some(ScriptFault::Include));
    assert_eq!(script("[AddCSLuaFile] Couldn't find 'x.lua'"), Some(ScriptFault::ClientFile));
    let module = "[ERROR] lua_run:1: Couldn't load module library!";
    assert_eq!(script(module), Some(ScriptFault::ModuleLoad));
    assert_eq!(
        one("[Construction] ❌ MySQL connexion échouée: refused"),
        Some(E::DatabaseLost { error: String::from("refused") })
    );
    assert_eq!(
        one("[Construction] ✅ MySQL connecté - mysql"),
        Some(E::DatabaseFound { host: String::from("mysql") })
    );
    assert!(matches!(one("---- Host_Changelevel ----"), Some(E::MapChange { .. })));
}

#[test]
fn a_relayed_error_is_the_players_own() {
    let error = lua("[a|b] Lua Error:|2|STEAM_0:0:1] Lua Error: x");
    assert_eq!(error.client.as_deref(), Some("a|b] Lua Error:"), "{error:?}");
}

#[test]
fn a_nick_can_hold_anything() {
    let line = "[Construction] RATE LIMIT: x (STEAM_0:0:9) - 5 req/min\u{1b}[2J (STEAM_0:1:77) - 44 req/min";
    let expected = ConsoleEvent::RateLimit {
        nick: String::from("x (STEAM_0:0:9) - 5 req/min[2J"),
        steamid: String::from("STEAM_0:1:77"),
        per_minute: 44,
    };
    assert_eq!(events(line), [expected]);
}

proptest! {
    #[test]
    fn a_cut_anywhere_changes_nothing(cut in 0_usize..ERROR.len()) {
        let mut matcher = Matcher::new();
        let mut found = Vec::new();
        let bytes = ERROR.as_bytes();
        matcher.chunk(&bytes[..cut], &mut |event| found.push(event));
        matcher.chunk(&bytes[cut..], &mut |event| found.push(event));
        matcher.chunk(b"\n", &mut |event| found.push(event));
        prop_assert_eq!(found, events(ERROR));
    }

    #[test]
    fn nothing_on_a_console_can_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..400), needle in 0_usize..8) {
        let starts = ["[", "[ERROR] a.lua:1:", "[Construction] ", "  1. x - y:", "[a|2|STEAM_0] Lua Error:",
            "[Construction] RATE LIMIT: ", ".lua:", "[x] lua_run:"];
        let mut matcher = Matcher::new();
        matcher.chunk(starts[needle].as_bytes(), &mut |_| {});
        matcher.chunk(&bytes, &mut |_| {});
        matcher.line(&bytes, &mut |_| {});
        matcher.flush(&mut |_| {});
    }
}
