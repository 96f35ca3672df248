//! Decides what single lines say. Every pattern stands at the beginning of its line: behind a nick
//! it is chat.

use super::event::{ConsoleEvent, CrashKind, ScriptFault};
use super::shown::shown;

/// What a line says that is no Lua error.
pub(super) fn read(line: &str) -> Option<ConsoleEvent> {
    crash(line).or_else(|| addon(line)).or_else(|| script(line)).or_else(|| server(line))
}

fn crash(line: &str) -> Option<ConsoleEvent> {
    let kind = if line.starts_with("Segmentation fault") || from_start_script(line) {
        CrashKind::Segfault
    } else if line.starts_with("Engine error: Lua Panic!") {
        CrashKind::LuaPanic
    } else if line.starts_with("Engine error:") {
        CrashKind::Engine
    } else if line.starts_with("WatchDog! Server took too long") {
        CrashKind::Watchdog
    } else if line.trim_end() == "Server Quit" {
        CrashKind::Quit
    } else if line.starts_with("Server restart in ") {
        CrashKind::Restart
    } else {
        return None;
    };
    Some(ConsoleEvent::Crash { kind, line: shown(line) })
}

/// The shell that started the server says it with its own name in front.
fn from_start_script(line: &str) -> bool {
    line.starts_with("./srcds_run: line ") && line.contains("Segmentation fault")
}

fn addon(line: &str) -> Option<ConsoleEvent> {
    let said = line.strip_prefix("[Construction] ")?;
    if let Some(rest) = said.strip_prefix("RATE LIMIT: ") {
        return rate_limit(rest);
    }
    if let Some((_, error)) = said.split_once("MySQL connexion échouée") {
        let error = error.trim_start_matches([':', ' ']);
        return Some(ConsoleEvent::DatabaseLost { error: shown(error) });
    }
    if let Some((_, host)) = said.split_once("MySQL connecté") {
        let host = host.trim_start_matches([' ', '-']);
        return Some(ConsoleEvent::DatabaseFound { host: shown(host) });
    }
    let name = said.strip_prefix("Module ")?.trim_end().strip_suffix(" chargé")?;
    Some(ConsoleEvent::ModuleLoaded { name: shown(name) })
}

/// `NICK (STEAMID) - N req/min`, read from the right: a nick can hold anything.
fn rate_limit(rest: &str) -> Option<ConsoleEvent> {
    let rest = rest.trim_end().strip_suffix(" req/min")?;
    let (who, count) = rest.rsplit_once(" - ")?;
    let (nick, steamid) = who.strip_suffix(')')?.rsplit_once(" (")?;
    Some(ConsoleEvent::RateLimit {
        nick: shown(nick),
        steamid: shown(steamid),
        per_minute: count.parse().ok()?,
    })
}

fn script(line: &str) -> Option<ConsoleEvent> {
    let what = if line.starts_with("Timer Failed!") || line.starts_with("[ERROR] Timer Failed!") {
        ScriptFault::Timer
    } else if line.starts_with("Couldn't include file") {
        ScriptFault::Include
    } else if line.starts_with("[AddCSLuaFile] Couldn't find") {
        ScriptFault::ClientFile
    } else if line.starts_with('[') && line.contains("Couldn't load module library!") {
        ScriptFault::ModuleLoad
    } else if line.starts_with("Module not found!")
        || (line.starts_with("[ERROR]") && line.contains("Module not found!"))
    {
        ScriptFault::ModuleMissing
    } else {
        return None;
    };
    Some(ConsoleEvent::Script { what, line: shown(line) })
}

fn server(line: &str) -> Option<ConsoleEvent> {
    if line.starts_with("Assigned ") && line.contains(" gameserver Steam ID") {
        return Some(ConsoleEvent::Ready);
    }
    if line.starts_with("ERROR: Port ") && line.contains("was unavailable") {
        return Some(ConsoleEvent::PortTaken { line: shown(line) });
    }
    if line.starts_with("WS: Processing ") || line.starts_with("Addon file cache missing") {
        return Some(ConsoleEvent::Workshop { line: shown(line) });
    }
    if line.starts_with("---- Host_Changelevel ----") {
        return Some(ConsoleEvent::MapChange { map: None });
    }
    let map = line
        .strip_prefix("Changing level to ")
        .or_else(|| line.strip_prefix("Host_NewGame on map "))?;
    Some(ConsoleEvent::MapChange { map: Some(shown(map.trim())) })
}
