//! Decides conditions on the last exit code.

use crate::respond::{Evidence, Verdict};

pub(super) fn holds(codes: &[i32], evidence: &Evidence) -> Verdict {
    match evidence.inspection.exit_code {
        Some(code) if codes.contains(&code) => Ok(()),
        Some(code) => Err(format!("exit code {code} is none of {codes:?}")),
        None => Err(String::from("it has no exit code")),
    }
}
