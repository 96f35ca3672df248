//! Does: tells how far a long work is.

use std::sync::Arc;

use rustic_core::{Progress, ProgressBars, ProgressType, RusticProgress};

/// Hears how many bytes are done.
pub trait Meter: std::fmt::Debug + Send + Sync + 'static {
    /// How many bytes there are in all, as soon as that is known.
    fn total(&self, bytes: u64);
    /// So many more are done.
    fn more(&self, bytes: u64);
}

/// Gives the bytes of a work to a meter; everything else that `rustic_core` counts is of no use to
/// people.
#[derive(Debug, Clone)]
pub(crate) struct Bars(pub(crate) Option<Arc<dyn Meter>>);

impl ProgressBars for Bars {
    fn progress(&self, kind: ProgressType, _: &str) -> Progress {
        match (&self.0, kind) {
            (Some(meter), ProgressType::Bytes) => Progress::new(Bytes(Arc::clone(meter))),
            _ => Progress::hidden(),
        }
    }
}

#[derive(Debug)]
struct Bytes(Arc<dyn Meter>);

impl RusticProgress for Bytes {
    fn is_hidden(&self) -> bool {
        false
    }

    fn set_length(&self, length: u64) {
        self.0.total(length);
    }

    fn set_title(&self, _: &str) {}

    fn inc(&self, more: u64) {
        self.0.more(more);
    }

    fn finish(&self) {}
}
