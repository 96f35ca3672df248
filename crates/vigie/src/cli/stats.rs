//! Does: `vigie incident stats`: the register's figures for people, or as JSON. No daemon is needed.

use std::time::Duration;

use vigie_core::stack::Role;

use super::since::Since;
use super::{Exit, Failure, Paint, table};
use crate::config::{Config, Lang};
use crate::report::{Asked, FiguresJson, MedianJson, ago, figures_json};
use crate::store::Register;

pub(super) fn stats(config: &Config, since: Since, json: bool) -> Result<Exit, Failure> {
    let register = Register::open(&config.journal())?;
    let now = jiff::Timestamp::now().as_millisecond();
    let services = config.stack.services().map(|(_, service)| service);
    let games: Vec<&str> = services
        .filter(|service| service.role == Role::Game)
        .map(|service| service.name.as_str())
        .collect();
    let asked = Asked {
        since: since.at(now),
        now,
        watched_since: register.watched_since()?,
        games: &games,
        slo: config.file.slo.availability,
    };
    let figures = figures_json(&register.rows(asked.since)?, asked);
    if json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        tell(&figures, config.file.stack.lang);
    }
    Ok(Exit::Fine)
}

fn length(ms: i64) -> String {
    let time = ago(Duration::from_millis(ms.unsigned_abs()));
    if ms < 0 { format!("-{time}") } else { time }
}

/// A figure that is only known within bounds, when these differ as written.
pub(super) fn range(least: String, most: String) -> String {
    if least == most { most } else { format!("{least} – {most}") }
}

fn tell(figures: &FiguresJson, lang: Lang) {
    let french = lang == Lang::Fr;
    let paint = Paint::for_stdout();
    let day = |time: &String| time[..10].to_owned();
    let since = figures.since.as_ref().map(day);
    let since = match (&since, french) {
        (Some(day), false) => format!("incidents since {day}"),
        (Some(day), true) => format!("incidents depuis le {day}"),
        (None, _) => String::from("incidents"),
    };
    let counts: Vec<_> = figures
        .counts
        .iter()
        .map(|count| format!("{} {}", count.severity, count.incidents))
        .collect();
    let colon = if french { " :" } else { ":" };
    println!("{}{colon} {}", paint.bold(&since), counts.join(", "));
    if figures.reported > 0 {
        let rest = if french {
            "sans début connu (signalés par une personne) : comptés, pas mesurés"
        } else {
            "without a known start (a person's report): counted, not timed"
        };
        println!("  {} {rest}", figures.reported);
    }
    let line = |name: &str, median: &MedianJson| {
        let told = median.median_ms.map(|both| range(length(both.least), length(both.most)));
        vec![name.to_owned(), told.unwrap_or_else(|| String::from("-")), median.n.to_string()]
    };
    let rows =
        [line("MTTD", &figures.mttd), line("MTTA", &figures.mtta), line("MTTR", &figures.mttr)];
    let head =
        if french { ["DEPUIS LE DÉBUT", "MÉDIANE", "N"] } else { ["FROM START", "MEDIAN", "N"] };
    table::print(&head, &rows);
    for service in &figures.services {
        println!();
        let promise = if french { "promesse" } else { "promised" };
        println!("{}{colon} {promise} {} %", paint.bold(&service.service), figures.slo_pct);
        let rows = service.months.iter().map(|month| {
            let left = length(month.budget_left_ms);
            vec![
                month.month.clone(),
                length(month.watched_ms),
                range(length(month.down_ms.least), length(month.down_ms.most)),
                range(
                    format!("{:.3} %", month.available_pct.least),
                    format!("{:.3} %", month.available_pct.most),
                ),
                if month.budget_left_ms < 0 { paint.bad(&left) } else { left },
            ]
        });
        let rows: Vec<_> = rows.collect();
        let head = if french {
            ["MOIS (UTC)", "SURVEILLÉ", "EN PANNE", "DISPONIBLE", "BUDGET RESTANT"]
        } else {
            ["MONTH (UTC)", "WATCHED", "DOWN", "AVAILABLE", "BUDGET LEFT"]
        };
        table::print(&head, &rows);
        let burns = service.burn.iter().map(|one| {
            let text = format!("{} h {:.1}× (< {}×)", one.hours, one.rate, one.threshold);
            if one.exceeded { paint.bad(&format!("{text} !")) } else { text }
        });
        let burns: Vec<_> = burns.collect();
        let rate = if french { "consommation" } else { "burn rate" };
        println!("{rate}{colon} {}", burns.join(", "));
    }
}
