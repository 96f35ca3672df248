//! Decides what an observation is and what is remembered of it. Never looks by itself.

mod fact;
mod proof;
mod sense;

pub use fact::{
    A2sSample, ConsoleFact, DatabaseSample, Fact, Health, Inspection, Observation, Probe, Refusal,
    RuntimeEvent, RuntimeState,
};
pub use proof::{Proof, ProofState};
pub use sense::{Exit, NewError, Rate, Sense, Sustained};
