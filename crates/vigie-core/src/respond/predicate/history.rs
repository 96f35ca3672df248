//! Decides conditions on what was before: an image that worked, a young commit, files that changed.

use crate::respond::{Evidence, Verdict};

pub(super) fn good_image(wanted: bool, evidence: &Evidence) -> Verdict {
    match (&evidence.way_back, wanted) {
        (None, true) => Err(String::from("no other image is known to have worked")),
        (Some(known), false) => {
            Err(format!("the image of {} is known to have worked", known.point))
        }
        _ => Ok(()),
    }
}

pub(super) fn revertible(wanted: bool, evidence: &Evidence) -> Verdict {
    let Some(suspect) = &evidence.suspect else {
        return if wanted { Err(String::from("the error is blamed on no commit")) } else { Ok(()) };
    };
    match (&suspect.obstacle, wanted) {
        (Some(why), true) => Err(format!("its commit cannot be taken back: {why}")),
        (None, false) => Err(String::from("its commit can be taken back")),
        _ => Ok(()),
    }
}

pub(super) fn config_changed(wanted: bool, evidence: &Evidence) -> Verdict {
    match (evidence.changed.first(), wanted) {
        (None, true) => Err(String::from("no watched file has changed since it last worked")),
        (Some(file), false) => Err(format!("{} has changed since it last worked", file.file)),
        _ => Ok(()),
    }
}
