//! Decides whether a drill was quick enough and what came back young enough. Never whether it worked.

use std::time::Duration;

/// Something that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub asset: String,
    /// How old it was when the drill began.
    pub age: Duration,
    /// How old it may be (RPO).
    pub rpo: Duration,
}

/// Targets that were missed, a line each.
#[must_use]
pub fn missed(took: Duration, rto: Duration, parts: &[Part]) -> Vec<String> {
    let span = |time: Duration| crate::span::format(Duration::from_secs(time.as_secs()));
    let mut told = Vec::new();
    if took > rto {
        told.push(format!("it took {}, over the RTO of {}", span(took), span(rto)));
    }
    let old = parts.iter().filter(|part| part.age > part.rpo);
    told.extend(old.map(|part| {
        format!("{} was {} old, over the RPO of {}", part.asset, span(part.age), span(part.rpo))
    }));
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_its_target_is_said_with_both_figures() {
        let seconds = Duration::from_secs;
        let part =
            |asset: &str, age| Part { asset: asset.into(), age: seconds(age), rpo: seconds(60) };
        let parts = [part("database:x", 60), part("volume:y", 61)];
        assert_eq!(missed(seconds(30), seconds(30), &parts[..1]), Vec::<String>::new());
        let told = missed(Duration::from_millis(90_400), seconds(30), &parts);
        assert_eq!(
            told,
            ["it took 90s, over the RTO of 30s", "volume:y was 61s old, over the RPO of 1m"]
        );
    }
}
