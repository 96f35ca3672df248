//! Does: what a channel is handed: the notice, its words, and the message that it may change.

use vigie_core::notify::Notice;

use super::Message;
use crate::report::IncidentJson;

/// One notice, ready to be sent.
#[derive(Debug, Clone)]
pub struct Letter {
    /// What brought it about.
    pub notice: Notice,
    /// Its words.
    pub message: Message,
    /// What the other side calls the message that stands for the incident, once there is one.
    pub card: Option<String>,
    /// The incident's documented JSON, for programs.
    pub incident: Option<IncidentJson>,
}
