//! Decides what past incidents teach: how often, how fast, against which promise; which one a new
//! incident resembles and what fixed it then; which risks came true; what a post-mortem says. Never reads the register and
//! never looks at the stack: rows and facts come in.

mod entry;
mod fingerprint;
mod known;
pub mod postmortem;
mod recall;
pub mod risk;
pub mod similar;
pub mod stats;

pub use entry::Entry;
pub use fingerprint::{Fingerprint, fixed_by};
pub use known::Known;
pub use recall::{Recall, Seen, Subject, recall, recognise};
