//! Decides conditions on how often it died lately.

use crate::respond::{Evidence, Verdict};

pub(super) fn at_least(count: usize, evidence: &Evidence) -> Verdict {
    if evidence.exits >= count {
        Ok(())
    } else {
        Err(format!("{} exits lately, {count} make a crash loop", evidence.exits))
    }
}

pub(super) fn below(count: usize, evidence: &Evidence) -> Verdict {
    if evidence.exits < count {
        Ok(())
    } else {
        Err(format!("{} exits lately: a crash loop", evidence.exits))
    }
}
