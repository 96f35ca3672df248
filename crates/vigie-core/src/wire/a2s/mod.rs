//! Decides the Source query (A2S): one INFO query from its request to the server's state, with the
//! challenge and split replies in between. Source: Valve's "Server queries"; see `DOMAIN`.

mod assemble;
mod info;
mod lists;
mod reader;
#[cfg(test)]
mod tests;

pub use assemble::Assembler;
pub use info::Info;
pub use lists::{Player, Rule, parse_players, parse_rules, players_request, rules_request};

/// `FF FF FF FF`: a datagram that is not split.
const SINGLE: [u8; 4] = [0xFF; 4];
/// `FE FF FF FF`: one part of a split reply.
const SPLIT: [u8; 4] = [0xFE, 0xFF, 0xFF, 0xFF];
const CHALLENGE: u8 = 0x41;
/// A server that answers a challenge with a challenge is asked once more, then given up.
const ROUNDS: u8 = 2;

/// What is wrong with a reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum A2sError {
    /// It ends too early.
    #[error("the reply ends at byte {at}, within {what}")]
    Short {
        /// The field.
        what: &'static str,
        /// The offset.
        at: usize,
    },
    /// A field has a value that it cannot have.
    #[error("{what} at byte {at} is {value:#04x}")]
    Unexpected {
        /// The field.
        what: &'static str,
        /// The offset.
        at: usize,
        /// The value.
        value: u32,
    },
    /// A split reply is compressed, which no Garry's Mod server does.
    #[error("the reply is split and compressed (bzip2), which is not supported")]
    Compressed,
    /// The parts of a split reply contradict each other.
    #[error("the parts of the split reply do not fit: {0}")]
    Parts(&'static str),
    /// The server asks for one challenge after the other.
    #[error("the server answers every challenge with another")]
    Challenges,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Send this datagram, then go on receiving.
    Send(Vec<u8>),
    /// Go on receiving.
    Wait,
    /// The answer.
    Done(Box<Info>),
}

/// One INFO query.
#[derive(Debug, Clone)]
pub struct Query {
    request: Vec<u8>,
    rounds: u8,
    parts: Assembler,
}

impl Query {
    /// An INFO query.
    #[must_use]
    pub fn info() -> Self {
        Self { request: info_request(None), rounds: 0, parts: Assembler::default() }
    }

    /// The datagram to send first, 25 bytes.
    #[must_use]
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Takes a datagram that came from the server asked.
    ///
    /// # Errors
    /// See [`A2sError`]; the query is over then.
    pub fn datagram(&mut self, bytes: &[u8]) -> Result<Progress, A2sError> {
        if let Some(part) = bytes.strip_prefix(&SPLIT) {
            return match self.parts.part(part)? {
                Some(whole) => self.whole(&whole),
                None => Ok(Progress::Wait),
            };
        }
        self.whole(bytes)
    }

    fn whole(&mut self, bytes: &[u8]) -> Result<Progress, A2sError> {
        let payload = single(bytes)?;
        if let [CHALLENGE, rest @ ..] = payload {
            let challenge: [u8; 4] = rest
                .get(..4)
                .and_then(|four| four.try_into().ok())
                .ok_or(A2sError::Short { what: "the challenge", at: bytes.len() })?;
            if self.rounds >= ROUNDS {
                return Err(A2sError::Challenges);
            }
            self.rounds += 1;
            return Ok(Progress::Send(info_request(Some(challenge))));
        }
        Info::parse(bytes).map(|info| Progress::Done(Box::new(info)))
    }
}

/// What stands behind the header of a datagram that is not split.
fn single(bytes: &[u8]) -> Result<&[u8], A2sError> {
    bytes.strip_prefix(&SINGLE).ok_or_else(|| match bytes.first() {
        Some(first) if bytes.len() >= 4 => {
            A2sError::Unexpected { what: "the header", at: 0, value: u32::from(*first) }
        }
        _ => A2sError::Short { what: "the header", at: bytes.len() },
    })
}

fn info_request(challenge: Option<[u8; 4]>) -> Vec<u8> {
    let mut request = SINGLE.to_vec();
    request.push(b'T');
    request.extend_from_slice(b"Source Engine Query\0");
    request.extend(challenge.into_iter().flatten());
    request
}
