//! Decides, quickly, which lines are worth reading: one automaton finds every pattern at once, so
//! that an ordinary line costs little more than being looked at.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use memchr::{memchr, memrchr};

use super::event::ConsoleEvent;
use super::lines;
use super::lua::Pending;

/// A line is read up to here.
const LINE_BYTES: usize = 16 * 1024;

/// What a line must hold to be worth reading.
const NEEDLES: [&str; 23] = [
    ".lua:",
    "lua_run:",
    "Lua Error:",
    "gameserver Steam ID",
    "Segmentation fault",
    "srcds_run: line ",
    "Engine error:",
    "WatchDog!",
    "Server Quit",
    "Server restart in ",
    "ERROR: Port ",
    "WS: Processing ",
    "Addon file cache missing",
    "Timer Failed!",
    "Couldn't include file",
    "[AddCSLuaFile] Couldn't find",
    "Couldn't load module library!",
    "Module not found!",
    "[Construction] ",
    "Host_Changelevel",
    "Changing level to ",
    "Host_NewGame on map ",
    "[ERROR]",
];

/// The same patterns as an extended regular expression, to compare with `grep -E`.
pub const GREP_ERE: &str = "\\.lua:|lua_run:|Lua Error:|gameserver Steam ID|Segmentation fault|srcds_run: line |\
Engine error:|WatchDog!|Server Quit|Server restart in |ERROR: Port |WS: Processing |\
Addon file cache missing|Timer Failed!|Couldn't include file|\\[AddCSLuaFile\\] Couldn't find|\
Couldn't load module library!|Module not found!|\\[Construction\\] |Host_Changelevel|\
Changing level to |Host_NewGame on map |\\[ERROR\\]";

/// One for all consoles: it is larger than everything else that is kept of one. The patterns are
/// constants; were they ever too many, every line would be read instead.
static AUTOMATON: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let mut builder = AhoCorasick::builder();
    // Leftmost-first lets it look for the needles sixteen bytes at a time.
    builder.kind(Some(AhoCorasickKind::DFA)).match_kind(MatchKind::LeftmostFirst);
    builder.build(NEEDLES).ok()
});

/// Reads one console.
#[derive(Debug, Clone)]
pub struct Matcher {
    needles: Option<&'static AhoCorasick>,
    pending: Option<Pending>,
    partial: Vec<u8>,
}

impl Default for Matcher {
    fn default() -> Self {
        Self::new()
    }
}

impl Matcher {
    /// A matcher at the beginning of a console.
    #[must_use]
    pub fn new() -> Self {
        Self { needles: AUTOMATON.as_ref(), pending: None, partial: Vec::new() }
    }

    /// Takes one complete line, without its end.
    pub fn line(&mut self, line: &[u8], out: &mut dyn FnMut(ConsoleEvent)) {
        let line = &line[..line.len().min(LINE_BYTES)];
        if self.pending.is_none() && !self.worth_reading(line) {
            return;
        }
        self.read(line, out);
    }

    /// Takes bytes cut anywhere.
    pub fn chunk(&mut self, mut bytes: &[u8], out: &mut dyn FnMut(ConsoleEvent)) {
        if !self.partial.is_empty() {
            let Some(end) = newline(bytes) else {
                self.keep(bytes);
                return;
            };
            self.keep(&bytes[..end]);
            let line = std::mem::take(&mut self.partial);
            self.line(trim(&line), out);
            bytes = &bytes[end + 1..];
        }
        let whole = memrchr(b'\n', bytes).map_or(0, |end| end + 1);
        self.lines(&bytes[..whole], out);
        self.keep(&bytes[whole..]);
    }

    /// Emits an error whose frames were still awaited.
    pub fn flush(&mut self, out: &mut dyn FnMut(ConsoleEvent)) {
        if let Some(pending) = self.pending.take().filter(|pending| !pending.is_empty()) {
            out(ConsoleEvent::LuaError(pending.finish()));
        }
    }

    fn worth_reading(&self, line: &[u8]) -> bool {
        self.needles.is_none_or(|needles| needles.is_match(line))
    }

    /// Takes complete lines: jumps from candidate to candidate, line by line only below an error.
    fn lines(&mut self, mut bytes: &[u8], out: &mut dyn FnMut(ConsoleEvent)) {
        while !bytes.is_empty() {
            let start = if self.pending.is_some() {
                0
            } else {
                match self.candidate(bytes) {
                    Some(start) => start,
                    None => return,
                }
            };
            let rest = &bytes[start..];
            let end = newline(rest).unwrap_or(rest.len());
            self.read(trim(&rest[..end.min(LINE_BYTES)]), out);
            bytes = rest.get(end + 1..).unwrap_or_default();
        }
    }

    /// Where the next line worth reading begins.
    fn candidate(&self, bytes: &[u8]) -> Option<usize> {
        let Some(needles) = self.needles else { return Some(0) };
        let at = needles.find(bytes)?.start();
        Some(memrchr(b'\n', &bytes[..at]).map_or(0, |end| end + 1))
    }

    fn read(&mut self, line: &[u8], out: &mut dyn FnMut(ConsoleEvent)) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\r', '\n']);
        if let Some(pending) = &mut self.pending {
            if pending.frame(text) || pending.text(text) {
                return;
            }
            self.flush(out);
        }
        if let Some(event) = lines::read(text) {
            out(event);
        } else if let Some(pending) = Pending::header(text) {
            self.pending = Some(pending);
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE_BYTES.saturating_sub(self.partial.len());
        self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

fn newline(bytes: &[u8]) -> Option<usize> {
    memchr(b'\n', bytes)
}

fn trim(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
