//! Decides whether somebody has written that a finding is meant so: `vigie: ignore RULE because …` in a
//! comment on its line or the line above. Without the reason it does not count.

use super::{Facts, Finding};

const MARK: &str = "vigie: ignore ";
const COMMENTS: [&str; 3] = ["#", "//", "--"];

pub(super) fn is_silenced(facts: &Facts, finding: &Finding) -> bool {
    let Some(text) = text_of(facts, &finding.file) else { return false };
    let line = |number: Option<usize>| number.and_then(|number| text.lines().nth(number));
    let here = line(finding.place.line.checked_sub(1));
    // The line above counts when it is a comment only: one behind a value is about that value.
    let above = line(finding.place.line.checked_sub(2))
        .filter(|above| COMMENTS.iter().any(|sign| above.trim_start().starts_with(sign)));
    let word = finding.rule.about().word;
    [here, above].into_iter().flatten().any(|line| silences(line, word))
}

fn text_of<'a>(facts: &'a Facts, path: &str) -> Option<&'a str> {
    let compose = facts.files.iter().chain(&facts.extended);
    let compose = compose.map(|file| (file.path.as_str(), file.document.text()));
    let bound = facts.bound.iter().map(|bound| &bound.file).chain(&facts.dotenv);
    let mut all = compose.chain(bound.map(|file| (file.path.as_str(), file.text.as_str())));
    all.find(|(known, _)| *known == path).map(|(_, text)| text)
}

fn silences(line: &str, rule: &str) -> bool {
    let Some((before, after)) = line.split_once(MARK) else { return false };
    let comment = COMMENTS.iter().any(|sign| before.trim_end().ends_with(sign));
    let Some((rules, reason)) = after.split_once(" because ") else { return false };
    comment && !reason.trim().is_empty() && rules.split([',', ' ']).any(|one| one.trim() == rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_with_a_reason_silences() {
        assert!(silences(
            "  # vigie: ignore port-public because a firewall is in front",
            "port-public"
        ));
        assert!(silences("x 1 // vigie: ignore a, b because so", "b"));
        assert!(silences("-- vigie: ignore a because so", "a"));
        for line in [
            "# vigie: ignore port-public",
            "# vigie: ignore port-public because ",
            "# vigie: ignore other because so",
            "text: vigie: ignore port-public because so",
        ] {
            assert!(!silences(line, "port-public"), "{line}");
        }
    }
}
