//! Decides one connection: login, then one command after the other. A long answer comes in several
//! packets; it ends where the empty answer packet that was sent behind the command comes back.

use super::RconError;
use super::packet::{AUTH, Decoder, EXEC, Packet, RESPONSE};

const ANSWER_BYTES: usize = 256 * 1024;
const COMMAND_BYTES: usize = 1024;
const LOGIN_ID: i32 = 1;

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The login worked.
    LoggedIn,
    /// The whole answer to the command.
    Text(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    New,
    LoggingIn,
    Idle,
    // The command's id and the end marker's.
    Answering(i32, i32),
}

/// One connection. Its password is in no debug output and no error.
#[derive(Clone)]
pub struct Session {
    password: String,
    decoder: Decoder,
    phase: Phase,
    last_id: i32,
    answer: Vec<u8>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("phase", &self.phase).finish_non_exhaustive()
    }
}

impl Session {
    /// A connection that will log in with `password`.
    #[must_use]
    pub fn new(password: &str) -> Self {
        Self {
            password: password.to_owned(),
            decoder: Decoder::default(),
            phase: Phase::New,
            last_id: LOGIN_ID,
            answer: Vec::new(),
        }
    }

    /// The bytes of the login, to be sent first.
    pub fn login(&mut self) -> Vec<u8> {
        self.phase = Phase::LoggingIn;
        Packet::encode(LOGIN_ID, AUTH, self.password.as_bytes())
    }

    /// The bytes of a command and of its end marker.
    ///
    /// # Errors
    /// When the session is not idle or the command cannot be sent.
    pub fn exec(&mut self, command: &str) -> Result<Vec<u8>, RconError> {
        if self.phase != Phase::Idle {
            return Err(RconError::Busy);
        }
        if command.len() > COMMAND_BYTES {
            return Err(RconError::TooLong { what: "the command", limit: COMMAND_BYTES });
        }
        if command.chars().any(char::is_control) {
            return Err(RconError::Command);
        }
        // Ids never repeat soon, so that a packet left over from the last answer is known as such.
        let (id, marker) = (self.last_id + 1, self.last_id + 2);
        self.last_id = if marker > 1_000_000 { LOGIN_ID } else { marker };
        self.phase = Phase::Answering(id, marker);
        self.answer.clear();
        let mut bytes = Packet::encode(id, EXEC, command.as_bytes());
        bytes.extend(Packet::encode(marker, RESPONSE, b""));
        Ok(bytes)
    }

    /// Takes what arrived; the answer once it is whole.
    ///
    /// # Errors
    /// See [`RconError`]; the connection is of no use then.
    pub fn received(&mut self, bytes: &[u8]) -> Result<Option<Answer>, RconError> {
        self.decoder.feed(bytes);
        while let Some(packet) = self.decoder.packet()? {
            if let Some(answer) = self.packet(&packet)? {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    fn packet(&mut self, packet: &Packet) -> Result<Option<Answer>, RconError> {
        match self.phase {
            Phase::LoggingIn if packet.kind == EXEC => {
                if packet.id == LOGIN_ID {
                    self.phase = Phase::Idle;
                    Ok(Some(Answer::LoggedIn))
                } else {
                    Err(RconError::BadPassword)
                }
            }
            Phase::Answering(id, _) if packet.id == id => {
                self.answer.extend_from_slice(&packet.body);
                if self.answer.len() > ANSWER_BYTES {
                    return Err(RconError::TooLong { what: "the answer", limit: ANSWER_BYTES });
                }
                Ok(None)
            }
            Phase::Answering(_, marker) if packet.id == marker => {
                self.phase = Phase::Idle;
                let text = String::from_utf8_lossy(&self.answer).into_owned();
                Ok(Some(Answer::Text(text)))
            }
            // The empty packet before a login's answer, and what is left of an earlier marker.
            _ => Ok(None),
        }
    }

    /// What it means that the server closed the connection now.
    #[must_use]
    pub fn closed(&self) -> RconError {
        match self.phase {
            Phase::New | Phase::LoggingIn => RconError::ClosedBeforeLogin,
            Phase::Idle | Phase::Answering(..) => RconError::Closed,
        }
    }
}
