//! Decides whether a database carries too many connections or slow queries.

use crate::detect::{Reading, View};
use crate::moment::Bounds;

pub(super) fn read(view: &View<'_>) -> Reading {
    let sense = view.sense;
    if sense.slow_in_hour > u64::from(view.service.thresholds.slow_queries_per_hour) {
        let since = sense.slow_base.map_or(view.now, |(at, _)| at);
        return Reading::Active(Bounds::between(Some(since), view.now));
    }
    Reading::sustained(&sense.connections_above, view.now, view.service.thresholds.connections_for)
}

pub(super) fn describe(view: &View<'_>) -> String {
    format!(
        "{}: {} connections, {} slow queries within the hour",
        view.service.name, view.sense.connections, view.sense.slow_in_hour
    )
}
