//! Does: `vigie redundancy`: the written table, alive.

use std::path::Path;

use vigie_core::backup::{Level, Row};

use super::args::RedundancyArgs;
use super::{Exit, Failure, Paint, table};
use crate::app::docker_runtime;
use crate::backup::redundancy;
use crate::config::{Config, Lang, RuntimeKind};
use crate::report::{ago, say};

pub(super) async fn run(path: &Path, args: &RedundancyArgs) -> Result<Exit, Failure> {
    let config = Config::read(path)?;
    let docker = match config.file.stack.runtime {
        RuntimeKind::Docker => Some(docker_runtime(&config)?),
        RuntimeKind::Process => None,
    };
    let rows = redundancy(&config, docker.as_ref()).await?;
    let low = rows.iter().any(|row| row.level == Level::Low);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print(&rows, config.file.stack.lang);
    }
    Ok(if low { Exit::Finding } else { Exit::Fine })
}

fn print(rows: &[Row], lang: Lang) {
    let paint = Paint::for_stdout();
    let head = match lang {
        Lang::En => ["ASSET", "LEVEL", "COPIES", "WHERE", "DRILLED"],
        Lang::Fr => ["DONNÉE", "NIVEAU", "COPIES", "OÙ", "EXERCICE"],
    };
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let level = format!("{} {}", row.level.sign(), word(row.level, lang));
            let level = match row.level {
                Level::High => paint.good(&level),
                Level::Medium => paint.warn(&level),
                Level::Low => paint.bad(&level),
                Level::OutOfScope => paint.dim(&level),
            };
            let copies = row.facts.copies.iter().map(|copy| {
                if copy.age.is_zero() {
                    copy.place.clone()
                } else {
                    format!("{} ({})", copy.place, ago(copy.age))
                }
            });
            let places = match &row.facts.out_of_scope {
                Some(why) => why.clone(),
                None => copies.collect::<Vec<_>>().join(", "),
            };
            let drilled = match (row.facts.drill_failed, row.facts.drilled, row.facts.drill_every) {
                (true, ..) => paint.bad(if lang == Lang::Fr { "raté" } else { "failed" }),
                (false, Some(age), _) => ago(age),
                (false, None, Some(_)) => {
                    String::from(if lang == Lang::Fr { "jamais" } else { "never" })
                }
                (false, None, None) => String::from("-"),
            };
            vec![row.facts.asset.clone(), level, row.fresh.to_string(), places, drilled]
        })
        .collect();
    table::print(&head, &cells);
    // What would raise several is said once.
    let mut told: Vec<(&[String], Vec<&str>)> = Vec::new();
    for row in rows.iter().filter(|row| !row.raise.is_empty()) {
        match told.iter_mut().find(|(raise, _)| *raise == row.raise) {
            Some((_, assets)) => assets.push(&row.facts.asset),
            None => told.push((&row.raise, vec![&row.facts.asset])),
        }
    }
    let word = if lang == Lang::Fr { "pour relever" } else { "to raise" };
    for (raise, assets) in told {
        println!("\n{word} {}:", assets.join(", "));
        raise.iter().for_each(|line| println!("  - {}", say(line, lang)));
    }
}

const fn word(level: Level, lang: Lang) -> &'static str {
    match (level, lang) {
        (Level::High, Lang::En) => "high",
        (Level::Medium, Lang::En) => "medium",
        (Level::Low, Lang::En) => "low",
        (Level::OutOfScope, Lang::En) => "out of scope",
        (Level::High, Lang::Fr) => "élevé",
        (Level::Medium, Lang::Fr) => "moyen",
        (Level::Low, Lang::Fr) => "faible",
        (Level::OutOfScope, Lang::Fr) => "hors périmètre",
    }
}
