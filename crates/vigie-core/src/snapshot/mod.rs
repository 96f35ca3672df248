//! Decides about restore points: how they are called, what is in one, which of them may go, and in
//! which order a stack goes back to one.

mod legacy;
mod name;
mod plan;
mod point;
mod prune;
#[cfg(test)]
mod tests;

pub use name::{Bump, NameError, PointName};
pub use plan::{Act, Only, Parts, Plan};
pub use point::{
    DatabasePart, ImagePart, PROJECT_LABEL, Point, Repository, TreePart, bind_label,
    database_label, hides, volume_label,
};
pub use prune::{GOOD_AFTER, Kept, Rules, Verdict, prune};
