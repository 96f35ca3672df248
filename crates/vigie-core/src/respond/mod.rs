//! Decides how a fault is answered: runbooks, their cases, predicates and steps, the restart
//! budget, and the guards that keep a repair from making it worse. Never carries a step out.

pub mod blame;
pub mod budget;
mod evidence;
pub mod guard;
mod predicate;
mod run;
mod runbook;
mod step;

pub use blame::Suspect;
pub use evidence::{
    ChangedFile, Commit, Dependency, Evidence, HostEvidence, LuaFinding, Usage, WayBack,
};
pub use predicate::{Condition, Verdict};
pub use run::{Ending, Phase, Rejected, Run, RunId, StepRecord, StepResult};
pub use runbook::{Case, Risk, Runbook, Silence, Text, Verify};
pub use step::Step;
