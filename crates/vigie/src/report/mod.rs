//! Does: puts what is known into the shapes that people and programs read. Never decides anything.

mod catalogue;
mod entry;
mod figures;
mod incident;
mod postmortem;
mod similar;
mod status;
mod tell;
#[cfg(test)]
mod tests;
mod time;

pub use catalogue::{last_error, say, symptom, title, word};
pub use entry::{EntryJson, about, entry_json, entry_markdown};
pub use figures::{Asked, FiguresJson, MedianJson, figures_json};
pub use incident::{IncidentJson, incident_json};
pub use postmortem::{Material, PostmortemJson, postmortem_json};
pub use similar::{LikenessJson, SimilarJson, similar_json};
pub use status::{ApprovalStatus, ChannelStatus, HeartbeatStatus, ServiceStatus, Status, status};
pub use tell::{Lang, source, tell, tell_all};
pub use time::{ago, clock_time, millis, minute, rfc3339};
