//! Does: the documented JSON shape of the register's figures (`vigie incident stats --json`).

use serde::Serialize;
use vigie_core::incident::Severity;
use vigie_core::learn::stats::{
    Availability, Budget, Burn, Median, Row, Watched, availability, budget, burn, outages, summary,
};

use super::rfc3339;

/// The figures; see `docs/guide/json.md`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the shape is documented in the guide, field by field")]
pub struct FiguresJson {
    pub since: Option<String>,
    pub until: String,
    pub watched_since: Option<String>,
    pub counts: Vec<CountJson>,
    pub reported: usize,
    pub mttd: MedianJson,
    pub mtta: MedianJson,
    pub mttr: MedianJson,
    pub slo_pct: f64,
    pub services: Vec<ServiceFiguresJson>,
}

#[derive(Debug, Clone, Serialize)]
pub struct CountJson {
    pub severity: &'static str,
    pub incidents: usize,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[expect(missing_docs, reason = "as above")]
pub struct MedianJson {
    pub n: usize,
    pub median_ms: Option<RangeJson<i64>>,
}

/// A figure within bounds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct RangeJson<T> {
    pub least: T,
    pub most: T,
}

#[derive(Debug, Clone, Serialize)]
pub struct ServiceFiguresJson {
    pub service: String,
    pub months: Vec<MonthJson>,
    pub burn: Vec<BurnJson>,
}

#[derive(Debug, Clone, Serialize)]
pub struct MonthJson {
    pub month: String,
    pub watched_ms: i64,
    pub down_ms: RangeJson<i64>,
    pub available_pct: RangeJson<f64>,
    pub budget_ms: i64,
    pub budget_left_ms: i64,
}

#[derive(Debug, Clone, Serialize)]
pub struct BurnJson {
    pub hours: i64,
    pub rate: f64,
    pub threshold: f64,
    pub exceeded: bool,
}

/// What the figures are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Incidents detected since then, in milliseconds since 1970; all without it.
    pub since: Option<i64>,
    /// Now.
    pub now: i64,
    /// Since when anything is known.
    pub watched_since: Option<i64>,
    /// The game services.
    pub games: &'a [&'a str],
    /// Percent promised.
    pub slo: f64,
}

/// The figures of `rows`, as [`crate::store::Register::rows`] gives them.
#[must_use]
pub fn figures_json(rows: &[Row], asked: Asked<'_>) -> FiguresJson {
    let since = asked.since.unwrap_or(i64::MIN);
    let told = summary(rows.iter().filter(|row| row.times.detected >= since));
    let counts = Severity::ALL.iter().zip(told.counts);
    let watched = Watched { since: asked.watched_since.unwrap_or(asked.now), now: asked.now };
    let service = |name: &&str| {
        let down = outages(rows, name, asked.now);
        let months = availability(&down, watched, since);
        ServiceFiguresJson {
            service: (*name).to_owned(),
            months: months.iter().map(|one| month(one, &budget(one, asked.slo))).collect(),
            burn: burn(&down, watched, asked.slo).iter().map(burning).collect(),
        }
    };
    FiguresJson {
        since: asked.since.map(rfc3339),
        until: rfc3339(asked.now),
        watched_since: asked.watched_since.map(rfc3339),
        counts: counts
            .map(|(severity, incidents)| CountJson { severity: severity.word(), incidents })
            .collect(),
        reported: told.reported,
        mttd: median(told.detect),
        mtta: median(told.acknowledge),
        mttr: median(told.restore),
        slo_pct: asked.slo,
        services: asked.games.iter().map(service).collect(),
    }
}

fn median(median: Median) -> MedianJson {
    let median_ms = median.bounds.map(|(least, most)| RangeJson { least, most });
    MedianJson { n: median.n, median_ms }
}

fn month(one: &Availability, budget: &Budget) -> MonthJson {
    MonthJson {
        month: one.month.to_string(),
        watched_ms: one.watched_ms,
        down_ms: RangeJson { least: one.down_ms.0, most: one.down_ms.1 },
        available_pct: RangeJson { least: digits(one.percent.0), most: digits(one.percent.1) },
        budget_ms: budget.total_ms,
        budget_left_ms: budget.left_ms,
    }
}

fn burning(one: &Burn) -> BurnJson {
    BurnJson {
        hours: one.hours,
        rate: digits(one.rate),
        threshold: one.threshold,
        exceeded: one.exceeded(),
    }
}

/// Four digits behind the point: more would be noise.
fn digits(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vigie_core::incident::Group;
    use vigie_core::learn::stats::Times;

    use super::*;

    #[test]
    fn the_documented_shape() {
        // 2026-11-25T20:00:00Z.
        let now = 1_795_636_800_000;
        let began = now - 1_800_000;
        let row = Row {
            severity: Severity::P1,
            group: Group::Availability,
            service: Arc::from("gmod"),
            sensed: true,
            times: Times {
                started_earliest: began - 5_000,
                started_latest: began,
                detected: began + 2,
                acknowledged: Some(began + 100),
                restored: None,
                resolved: None,
            },
        };
        let asked = Asked {
            since: Some(now - 86_400_000),
            now,
            watched_since: Some(now - 864_000_000),
            games: &["gmod"],
            slo: 99.0,
        };
        let mut told = figures_json(&[row], asked);
        told.services[0].burn.truncate(1);
        insta::assert_json_snapshot!(told);
    }
}
