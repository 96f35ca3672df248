//! Does: reads a dump while it passes and counts what is in it: rows and a checksum for each table, and
//! where the server's log stood. So both are of the very moment that the dump shows, and cost the
//! server nothing. Never changes a byte, never keeps more than one line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vigie_core::binlog::Position;

/// Of a line that is no data, more is not looked at.
const LINE: usize = 64 * 1024;

/// What is in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Count {
    /// Rows.
    pub rows: u64,
    /// The sum of the rows' SHA-256 (their first 128 bits), so that their order does not matter.
    pub sum: u128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In a line that is no data.
    Line,
    /// Between `INSERT INTO` and `VALUES`; whether inside a quoted name.
    Columns(bool),
    /// Between two rows.
    Rows,
    /// In a row; how many brackets are open.
    Row(u32),
    /// In a text of a row, with its brackets.
    Text(u32),
    /// Behind a backslash in a text.
    Escaped(u32),
}

/// What was seen of a dump.
#[derive(Debug, Clone)]
pub struct Survey {
    state: State,
    line: Vec<u8>,
    /// Inside a routine, whose text may look like anything.
    routine: bool,
    schema: String,
    table: String,
    hash: Sha256,
    count: Count,
    tables: BTreeMap<String, Count>,
    at: Option<Position>,
    gtids: Option<String>,
    /// A list of names that goes on in the next line.
    listing: bool,
    complete: bool,
    bytes: u64,
}

impl Default for Survey {
    fn default() -> Self {
        Self {
            state: State::Line,
            line: Vec::new(),
            routine: false,
            schema: String::new(),
            table: String::new(),
            hash: Sha256::new(),
            count: Count::default(),
            tables: BTreeMap::new(),
            at: None,
            gtids: None,
            listing: false,
            complete: false,
            bytes: 0,
        }
    }
}

impl Survey {
    /// Rows and checksum of each table, by `schema.table`.
    #[must_use]
    pub const fn tables(&self) -> &BTreeMap<String, Count> {
        &self.tables
    }

    /// Where the server's log stood, where the dump tells it.
    #[must_use]
    pub const fn at(&self) -> Option<&Position> {
        self.at.as_ref()
    }

    /// What had been committed, by name, where the dump tells it.
    #[must_use]
    pub fn gtids(&self) -> Option<&str> {
        self.gtids.as_deref()
    }

    /// Whether its last line was seen.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// Bytes that passed.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the next bytes of the dump.
    pub fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        // Of a row that goes on from the piece before, all is new.
        let mut row = 0;
        for (index, byte) in bytes.iter().copied().enumerate() {
            self.state = match (self.state, byte) {
                (State::Line, b'\n') => {
                    self.end_of_line();
                    State::Line
                }
                (State::Line, _) => self.in_line(byte),
                (State::Columns(quoted), b'`') => {
                    self.line.push(byte);
                    State::Columns(!quoted)
                }
                (State::Columns(quoted), _) => {
                    self.line.push(byte);
                    let begins = !quoted && self.line.ends_with(b" VALUES");
                    if begins { State::Rows } else { State::Columns(quoted) }
                }
                (State::Rows, b'(') => {
                    row = index;
                    State::Row(1)
                }
                (State::Rows, b';') => {
                    self.line.clear();
                    self.table_ends();
                    State::Line
                }
                (State::Rows, _) => State::Rows,
                (State::Row(open), b'\'') => State::Text(open),
                (State::Row(open), b'(') => State::Row(open + 1),
                (State::Row(1), b')') => {
                    self.hash.update(&bytes[row..index]);
                    self.row_ends();
                    State::Rows
                }
                (State::Row(open), b')') => State::Row(open - 1),
                (State::Text(open), b'\\') => State::Escaped(open),
                (State::Text(open), b'\'') => State::Row(open),
                (State::Escaped(open), _) => State::Text(open),
                (state @ (State::Row(_) | State::Text(_)), _) => state,
            };
        }
        if matches!(self.state, State::Row(_) | State::Text(_) | State::Escaped(_)) {
            self.hash.update(&bytes[row..]);
        }
    }

    fn in_line(&mut self, byte: u8) -> State {
        if self.line.len() < LINE {
            self.line.push(byte);
        }
        let data: &[u8] = b"INSERT INTO `";
        // The quote that begins the table's name has just been seen.
        if !self.routine && byte == b'`' && self.line == data {
            return State::Columns(true);
        }
        State::Line
    }

    fn row_ends(&mut self) {
        let digest = self.hash.finalize_reset();
        let mut first = [0; 16];
        first.copy_from_slice(&digest[..16]);
        self.count.sum = self.count.sum.wrapping_add(u128::from_le_bytes(first));
        self.count.rows += 1;
        if self.table.is_empty() {
            let text = String::from_utf8_lossy(&self.line);
            self.table = quoted(text.trim_start_matches("INSERT INTO "), '`').unwrap_or_default();
        }
    }

    fn table_ends(&mut self) {
        let name = format!("{}.{}", self.schema, std::mem::take(&mut self.table));
        let count = std::mem::take(&mut self.count);
        let known = self.tables.entry(name).or_default();
        known.rows += count.rows;
        known.sum = known.sum.wrapping_add(count.sum);
    }

    fn end_of_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if let Some(delimiter) = text.strip_prefix("DELIMITER ") {
            self.routine = delimiter != ";";
        }
        if self.routine {
            return;
        }
        if self.listing {
            self.list(text);
        } else if let Some(name) = text.strip_prefix("USE ").and_then(|rest| quoted(rest, '`')) {
            self.schema = name;
        } else if let Some(rest) = text.strip_prefix("CREATE TABLE ") {
            let rest = rest.trim_start_matches("IF NOT EXISTS ");
            if let Some(name) = quoted(rest, '`') {
                self.tables.entry(format!("{}.{name}", self.schema)).or_default();
            }
        } else if text.starts_with("-- Dump completed") {
            self.complete = true;
        } else {
            self.place(text);
        }
    }

    /// Where the log stood, as MariaDB and MySQL write it.
    fn place(&mut self, text: &str) {
        let text = text.strip_prefix("-- ").unwrap_or(text);
        let change = ["CHANGE MASTER TO ", "CHANGE REPLICATION SOURCE TO "];
        if let Some(rest) = change.iter().find_map(|words| text.strip_prefix(words)) {
            let after = |word: &str| Some(&rest[rest.find(word)? + word.len()..]);
            let file = after("_LOG_FILE=").and_then(|rest| quoted(rest, '\''));
            let offset = after("_LOG_POS=")
                .and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
            let at = file.zip(offset).map(|(file, offset)| Position::new(file, offset));
            self.at = at.filter(Position::is_sound).or_else(|| self.at.take());
        } else if let Some(rest) = text.strip_prefix("SET GLOBAL gtid_slave_pos=") {
            self.gtids = quoted(rest, '\'');
        } else if let Some(rest) = text.strip_prefix("SET @@GLOBAL.GTID_PURGED=") {
            let rest = rest.rsplit_once("*/").map_or(rest, |(_, rest)| rest).trim();
            self.gtids = Some(String::new());
            self.listing = true;
            self.list(rest);
        }
    }

    /// MySQL's names go over several lines until a semicolon.
    fn list(&mut self, text: &str) {
        let text = text.strip_prefix("-- ").unwrap_or(text);
        let names = text.trim_matches(|c: char| "';".contains(c) || c.is_whitespace());
        self.gtids.get_or_insert_default().push_str(names);
        self.listing = !text.ends_with(';');
    }
}

/// The name or text at the beginning of `text`, between two of `quote`; two of them inside are one.
fn quoted(text: &str, quote: char) -> Option<String> {
    let mut rest = text.trim_start().strip_prefix(quote)?.chars().peekable();
    let mut name = String::new();
    while let Some(c) = rest.next() {
        if c != quote {
            name.push(c);
        } else if rest.peek() == Some(&quote) {
            rest.next();
            name.push(quote);
        } else {
            return Some(name);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "-- CHANGE MASTER TO MASTER_LOG_FILE='bin.000004', MASTER_LOG_POS=864;\n\
        USE `g`;\nCREATE TABLE `t` (\n  `id` int\n);\nCREATE TABLE `empty` (\n);\n\
        INSERT INTO `t` VALUES\n(1,'a;(\\'),''b'),\n(2,NULL),\n(3,'VALUES (');\n\
        INSERT INTO `t` (`VALUES`, `b`) VALUES (4,0xFF),(5,'');\n\
        DELIMITER ;;\nCREATE PROCEDURE p()\nBEGIN\n\
        INSERT INTO `t` VALUES (6,'x');\nEND ;;\nDELIMITER ;\n\
        -- SET GLOBAL gtid_slave_pos='0-7-3';\n-- Dump completed\n";

    fn survey(text: &str, size: usize) -> Survey {
        let mut survey = Survey::default();
        for piece in text.as_bytes().chunks(size) {
            survey.take(piece);
        }
        survey
    }

    #[test]
    fn rows_are_counted_however_the_dump_comes() {
        let whole = survey(DUMP, DUMP.len());
        assert_eq!(whole.tables()["g.t"].rows, 5);
        assert_eq!(whole.tables()["g.empty"], Count::default());
        assert_eq!(whole.at(), Some(&Position::new("bin.000004", 864)));
        assert_eq!((whole.gtids(), whole.is_complete()), (Some("0-7-3"), true));
        for size in 1..40 {
            assert_eq!(survey(DUMP, size).tables(), whole.tables(), "{size}");
        }
    }

    #[test]
    fn order_does_not_matter_and_every_value_does() {
        let sum = |rows: &str| {
            survey(&format!("USE `g`;\nINSERT INTO `t` VALUES {rows};\n"), 7).tables()["g.t"]
        };
        assert_eq!(sum("(1,'a'),(2,'b')"), sum("(2,'b'),(1,'a')"));
        assert_ne!(sum("(1,'a'),(2,'b')"), sum("(1,'b'),(2,'a')"));
        assert_ne!(sum("(1,'a'),(1,'a')"), sum("(1,'a')"));
    }

    #[test]
    fn mysql_tells_its_place_in_other_words() {
        let id = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
        let text = format!(
            "-- SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '{id}:1-5,\n-- {id}:tag:1-2';\n\
             -- CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='binlog.000002', SOURCE_LOG_POS=157;\n"
        );
        let survey = survey(&text, 5);
        assert_eq!(survey.at(), Some(&Position::new("binlog.000002", 157)));
        assert_eq!(survey.gtids(), Some(format!("{id}:1-5,{id}:tag:1-2").as_str()));
    }
}
