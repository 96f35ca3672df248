//! Decides Lua errors: the header, the frames below it, the guilty frame, and a signature that stays
//! the same for the same cause.

use super::event::LuaError;
use super::shown::shown;

/// Frames that are read; a deeper stack says nothing more.
const FRAMES: u8 = 32;

/// Lines between the header of a relayed error and its text, that one included.
const AWAITED: u8 = 3;

/// An error whose frames may still follow.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    error: LuaError,
    own_line: Option<u32>,
    frames: u8,
    // Lines that may still come before a relayed error's own text.
    awaits: u8,
}

impl Pending {
    /// Reads an error's first line.
    pub(super) fn header(line: &str) -> Option<Self> {
        if let Some((who, message)) = relayed(line) {
            return Some(Self::new(Some(shown(who)), None, message));
        }
        let rest = line.strip_prefix('[')?;
        // A title can hold brackets: the tag ends at the last one in front of the file.
        let place = rest.find(".lua:").or_else(|| rest.find("] lua_run:"))?;
        let end = rest[..=place].rfind("] ").or_else(|| rest.find("] lua_run:"))?;
        let (tag, message) = (&rest[..end], &rest[end + 2..]);
        let (file, _, _) = split_place(message)?;
        let is_file = !file.contains(char::is_whitespace) || file == "lua_run";
        // Behind a nick it is chat, whatever tag stands before the nick.
        if !is_file
            || tag.contains(": [")
            || tag.starts_with("Construction") && message.starts_with("Module ")
        {
            return None;
        }
        let title = (tag != "ERROR").then(|| shown(tag));
        Some(Self::new(None, title, message))
    }

    fn new(client: Option<String>, title: Option<String>, text: &str) -> Self {
        let (file, line, message) = match split_place(text) {
            Some((file, line, message)) => (Some(shown(file)), Some(line), message),
            None => (None, None, text),
        };
        let below = client.is_some() && text.trim().is_empty();
        let error = LuaError {
            client,
            title,
            message: shown(message.trim()),
            file,
            line,
            guilty: None,
            signature: 0,
        };
        let awaits = if below { AWAITED } else { 0 };
        Self { error, own_line: line, frames: 0, awaits }
    }

    /// Takes the text of an error that a player's game relayed, when it stands below its header.
    pub(super) fn text(&mut self, line: &str) -> bool {
        if self.awaits == 0 {
            return false;
        }
        self.awaits -= 1;
        if line.trim().is_empty() {
            return true;
        }
        let Some(below) = Self::header(line).filter(|below| below.error.client.is_none()) else {
            return false;
        };
        let client = self.error.client.take();
        *self = Self { error: LuaError { client, ..below.error }, ..below };
        true
    }

    /// Whether it is a header and nothing else.
    pub(super) const fn is_empty(&self) -> bool {
        self.error.client.is_some() && self.error.message.is_empty()
    }

    /// Takes a line that may be a frame of this error.
    pub(super) fn frame(&mut self, line: &str) -> bool {
        let Some((place, at)) = frame(line) else { return false };
        self.frames = self.frames.saturating_add(1);
        let innocent = place == "[C]" || place.contains("lua/includes/");
        if self.error.guilty.is_none() && !innocent && self.frames <= FRAMES {
            self.error.guilty = Some(shown(place));
            self.error.line = Some(at);
        }
        true
    }

    /// The error, complete.
    pub(super) fn finish(mut self) -> LuaError {
        if self.error.guilty.is_none() {
            let file = self.error.file.clone().filter(|file| !file.contains("lua/includes/"));
            self.error.guilty = file;
            self.error.line = self.own_line;
        }
        self.error.signature = signature(&self.error);
        self.error
    }
}

/// `[NICK|2|STEAM_0:0:1] Lua Error:` and what follows on the same line, the nick being anything.
fn relayed(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix('[')?;
    let (tag, message) = rest.rsplit_once("] Lua Error:")?;
    let mut parts = tag.rsplitn(3, '|');
    let steamid = parts.next()?;
    parts.next()?.parse::<u32>().ok()?;
    let nick = parts.next()?;
    steamid.starts_with("STEAM_").then_some((nick, message.trim()))
}

/// `file.lua:13: message`.
pub(super) fn split_place(text: &str) -> Option<(&str, u32, &str)> {
    let file_end = match text.find(".lua:") {
        Some(at) => at + 4,
        None => text.starts_with("lua_run:").then_some(7)?,
    };
    let (file, rest) = (&text[..file_end], &text[file_end + 1..]);
    let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|digits| *digits > 0)?;
    let message = rest[digits..].strip_prefix(':')?;
    Some((file, rest[..digits].parse().ok()?, message))
}

/// `   2. name - place:line`.
fn frame(line: &str) -> Option<(&str, u32)> {
    let text = line.strip_prefix("  ")?.trim_start();
    let digits = text.find(|c: char| !c.is_ascii_digit()).filter(|digits| *digits > 0)?;
    let (_, place) = text[digits..].strip_prefix(". ")?.rsplit_once(" - ")?;
    let (file, at) = place.trim_end().rsplit_once(':')?;
    Some((file, at.parse::<i64>().ok().map(|at| u32::try_from(at).unwrap_or(0))?))
}

/// FNV-1a of the guilty place and of the message without what differs from time to time. Kept in the
/// journal: never change it.
fn signature(error: &LuaError) -> u64 {
    let mut hash = Fnv::new();
    hash.add(error.guilty.as_deref().unwrap_or("").bytes());
    hash.add(error.line.unwrap_or(0).to_le_bytes().into_iter());
    hash.add(normal(&error.message).bytes());
    hash.0
}

/// The signature of an error of which only its one line is left, `PLACE:LINE: MESSAGE`. It is the
/// error's own, unless the line was cut. Kept in the register: never change it.
#[must_use]
pub fn signature_of(sample: &str) -> u64 {
    let mut hash = Fnv::new();
    if let Some((place, line, message)) = split_place(sample) {
        hash.add(place.bytes());
        hash.add(line.to_le_bytes().into_iter());
        hash.add(normal(message.trim()).bytes());
    } else {
        hash.add(normal(sample).bytes());
    }
    hash.0
}

struct Fnv(u64);

impl Fnv {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: impl Iterator<Item = u8>) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// What follows an address such as `0x7f3acc10`.
fn address(text: &str) -> Option<&str> {
    let digits = text.strip_prefix("0x")?;
    let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
    (end > 0).then(|| &digits[end..])
}

/// What follows a player as `tostring` prints one, `Player [3][NICK]`; a nick can hold brackets.
fn player(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("Player [")?;
    let (number, _) = rest.split_once("][")?;
    number.parse::<u32>().ok()?;
    rest.rfind(']').map(|end| &rest[end + 1..])
}

/// The message with numbers and quoted texts left out; names of variables in quotes stay.
fn normal(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(c) = rest.chars().next() {
        if c == '"'
            && let Some(end) = rest[1..].find('"')
        {
            out.push('"');
            rest = &rest[end + 2..];
            continue;
        }
        if let Some(behind) = address(rest).or_else(|| player(rest)) {
            out.push('#');
            rest = behind;
            continue;
        }
        if c.is_ascii_digit() {
            if !out.ends_with('#') {
                out.push('#');
            }
        } else {
            out.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    out
}
