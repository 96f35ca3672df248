//! Decides the PLAYERS and RULES replies. Both need a challenge first.

use super::reader::Reader;
use super::{A2sError, SINGLE, single};

/// A player.
#[derive(Debug, Clone, PartialEq)]
pub struct Player {
    /// The name, as sent.
    pub name: String,
    /// The score.
    pub score: i32,
    /// Seconds connected.
    pub seconds: f32,
}

/// A console variable that the server makes public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Its value, as sent.
    pub value: String,
}

fn request(kind: u8, challenge: Option<[u8; 4]>) -> Vec<u8> {
    let mut bytes = SINGLE.to_vec();
    bytes.push(kind);
    bytes.extend(challenge.unwrap_or(SINGLE));
    bytes
}

/// Asks for the players; without a challenge, asks for the challenge.
#[must_use]
pub fn players_request(challenge: Option<[u8; 4]>) -> Vec<u8> {
    request(0x55, challenge)
}

/// Asks for the rules; without a challenge, asks for the challenge.
#[must_use]
pub fn rules_request(challenge: Option<[u8; 4]>) -> Vec<u8> {
    request(0x56, challenge)
}

fn open(bytes: &[u8], kind: u8) -> Result<Reader<'_>, A2sError> {
    single(bytes)?;
    let mut read = Reader::new(bytes, 4);
    let value = read.u8("the kind of reply")?;
    if value == kind {
        Ok(read)
    } else {
        Err(A2sError::Unexpected { what: "the kind of reply", at: 4, value: u32::from(value) })
    }
}

/// Reads a PLAYERS reply. The count in it is not believed: what is there is read.
///
/// # Errors
/// See [`A2sError`].
pub fn parse_players(bytes: &[u8]) -> Result<Vec<Player>, A2sError> {
    let mut read = open(bytes, 0x44)?;
    read.u8("the number of players")?;
    let mut players = Vec::new();
    while !read.is_done() {
        read.u8("a player's index")?;
        players.push(Player {
            name: read.string("a player's name")?,
            score: read.i32("a player's score")?,
            seconds: read.f32("a player's time")?,
        });
    }
    Ok(players)
}

/// Reads a RULES reply. The count in it is not believed: what is there is read.
///
/// # Errors
/// See [`A2sError`].
pub fn parse_rules(bytes: &[u8]) -> Result<Vec<Rule>, A2sError> {
    let mut read = open(bytes, 0x45)?;
    read.u16("the number of rules")?;
    let mut rules = Vec::new();
    while !read.is_done() {
        let name = read.string("a rule's name")?;
        rules.push(Rule { name, value: read.string("a rule's value")? });
    }
    Ok(rules)
}
