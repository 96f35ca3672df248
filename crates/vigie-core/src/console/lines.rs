//! Decides what single lines say. Every pattern stands at the beginning of its line: behind a nick
//! it is chat.

use super::event::{ConsoleEvent, CrashKind, ScriptFault};
use super::lua::split_place;
use super::shown::shown;

/// What a line says that is no Lua error.
pub(super) fn read(line: &str) -> Option<ConsoleEvent> {
    crash(line).or_else(|| addon(line)).or_else(|| script(line)).or_else(|| server(line))
}

fn crash(line: &str) -> Option<ConsoleEvent> {
    let said = line.strip_prefix("Segmentation fault").map(str::trim);
    let faulted = said.is_some_and(|rest| rest.is_empty() || rest.starts_with("(core"));
    let text = undated(line);
    let kind = if faulted || from_start_script(line) {
        CrashKind::Segfault
    } else if line.starts_with("Engine error: Lua Panic!") {
        CrashKind::LuaPanic
    } else if line.starts_with("Engine error:") {
        CrashKind::Engine
    } else if line.starts_with("WatchDog! Server took too long to process") {
        CrashKind::Watchdog
    } else if text.trim_end() == "Server Quit" {
        CrashKind::Quit
    } else if announces_restart(text) {
        CrashKind::Restart
    } else {
        return None;
    };
    Some(ConsoleEvent::Crash { kind, line: shown(line) })
}

/// The shell that started the server says it with its own name in front.
fn from_start_script(line: &str) -> bool {
    let Some((program, rest)) = line.split_once("srcds_run: line ") else { return false };
    let died = rest.contains("Segmentation fault") || rest.contains("Aborted");
    !program.contains(char::is_whitespace) && died
}

/// `Server restart in 10 seconds`.
fn announces_restart(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("Server restart in ") else { return false };
    let digits = rest.trim_end().strip_suffix(" seconds").unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A line without the date that the start script puts before it: `Sun Nov 22 03:14:07 UTC 2026: `.
fn undated(line: &str) -> &str {
    let Some((date, rest)) = line.split_once(": ") else { return line };
    let words: Vec<_> = date.split_whitespace().collect();
    let day = words
        .first()
        .is_some_and(|day| ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(day));
    let time = words.iter().any(|word| word.matches(':').count() == 2);
    let year = words.last().is_some_and(|year| year.len() == 4 && year.parse::<u32>().is_ok());
    if day && time && year { rest } else { line }
}

fn addon(line: &str) -> Option<ConsoleEvent> {
    let said = line.strip_prefix("[Construction] ")?;
    if let Some(rest) = said.strip_prefix("RATE LIMIT: ") {
        return rate_limit(rest);
    }
    if let Some(error) = behind_emoji(said).strip_prefix("MySQL connexion échouée") {
        let error = error.trim_start_matches([':', ' ']);
        return Some(ConsoleEvent::DatabaseLost { error: shown(error) });
    }
    if let Some(host) = behind_emoji(said).strip_prefix("MySQL connecté") {
        let host = host.trim_start_matches([' ', '-']);
        return Some(ConsoleEvent::DatabaseFound { host: shown(host) });
    }
    let name = said.strip_prefix("Module ")?.trim_end().strip_suffix(" chargé")?;
    Some(ConsoleEvent::ModuleLoaded { name: shown(name) })
}

/// The addon puts a sign before some texts; a nick has letters.
fn behind_emoji(said: &str) -> &str {
    said.trim_start_matches(|c: char| !c.is_ascii() || c == ' ')
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
    } else if behind_place(line).starts_with("Couldn't load module library!") {
        ScriptFault::ModuleLoad
    } else if line.starts_with("Module not found!")
        || behind_place(line).starts_with("Module not found!")
    {
        ScriptFault::ModuleMissing
    } else {
        return None;
    };
    Some(ConsoleEvent::Script { what, line: shown(line) })
}

/// What follows `[TAG] file.lua:1: `; nothing where there is no tag and no place, as in chat.
fn behind_place(line: &str) -> &str {
    let text = line.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    let place = text.and_then(|(_, text)| split_place(text));
    place
        .filter(|(file, ..)| !file.contains(char::is_whitespace))
        .map_or("", |(.., message)| message.trim_start())
}

fn server(line: &str) -> Option<ConsoleEvent> {
    let kinds =
        ["Assigned anonymous gameserver Steam ID", "Assigned persistent gameserver Steam ID"];
    if kinds.iter().any(|kind| line.starts_with(kind)) {
        return Some(ConsoleEvent::Ready);
    }
    if line.starts_with("ERROR: Port ") && line.contains("was unavailable") {
        return Some(ConsoleEvent::PortTaken { line: shown(line) });
    }
    if line.starts_with("WS: Processing ") || line.starts_with("Addon file cache missing") {
        return Some(ConsoleEvent::Workshop { line: shown(line) });
    }
    // The whole line: a player may be called so.
    if line.trim_end() == "---- Host_Changelevel ----" {
        return Some(ConsoleEvent::MapChange { map: None });
    }
    let map = line
        .strip_prefix("Changing level to ")
        .or_else(|| line.strip_prefix("Host_NewGame on map "))?;
    // The name of a map is one word.
    let map = map.trim();
    let is_name = !map.is_empty() && !map.contains(|c: char| c.is_whitespace() || c == ':');
    is_name.then(|| ConsoleEvent::MapChange { map: Some(shown(map)) })
}
