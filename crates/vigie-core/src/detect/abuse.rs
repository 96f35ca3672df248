//! Decides whether a player abuses net messages: too many of them rejected within a minute.

use std::sync::Arc;

use crate::detect::{Reading, View};
use crate::moment::Bounds;
use crate::observe::Rate;

/// Count, SteamID, and what is kept of the player.
type Worst<'a> = (u32, &'a Arc<str>, &'a (Rate, Arc<str>));

fn worst<'a>(view: &View<'a>) -> Option<Worst<'a>> {
    let counted = view.sense.rejects.iter();
    let worst = counted.map(|(id, entry)| (entry.0.per_minute(view.now), id, entry));
    worst
        .max_by_key(|(count, ..)| *count)
        .filter(|(count, ..)| *count > view.service.thresholds.abuse_per_minute)
}

pub(super) fn read(view: &View<'_>) -> Reading {
    worst(view).map_or(Reading::Clear, |(_, _, (rate, _))| {
        Reading::Active(Bounds::exactly(rate.first().unwrap_or(view.now)))
    })
}

pub(super) fn describe(view: &View<'_>) -> String {
    worst(view).map_or_else(String::new, |(count, steamid, (_, nick))| {
        format!("{}: {count} net messages of {nick} ({steamid}) rejected", view.service.name)
    })
}
