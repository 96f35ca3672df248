//! Does: `vigie snapshot prune`: old restore points removed, by the rules of `[snapshot]`.

use vigie_core::snapshot::{Kept, PointName, Verdict, prune};

use super::{opened, say};
use crate::cli::{Exit, Failure, table};
use crate::config::Config;
use crate::runtime::docker::Docker;
use crate::snapshot::{self, Place, Shelf, last_good, note_good, running};

pub(super) async fn run(
    config: &Config,
    docker: &Docker,
    name: Option<&PointName>,
    dry_run: bool,
) -> Result<Exit, Failure> {
    let shelf = if dry_run { Shelf::open(config)? } else { opened(config, docker).await? };
    let mut points = shelf.points()?;
    let runs = running(docker, &points).await?;
    note_good(config, &shelf, &mut points, runs.as_ref())?;
    let rules = config.file.snapshot.rules();
    let now = jiff::Timestamp::now().as_millisecond();
    let runs = runs.map(|(name, _)| name);
    let verdicts = match name {
        None => prune(&points, &rules, runs.as_ref(), last_good(&points), now),
        Some(name) => {
            let point = shelf.point(name)?;
            let refused =
                |why: &str| Failure::say(Exit::Refused, format!("{name} {why}, so it stays"));
            if runs.as_ref() == Some(&point.name) {
                return Err(refused("is the one that runs"));
            }
            if last_good(&points) == Some(&point.name) {
                return Err(refused("is the last known good one"));
            }
            vec![Verdict { name: point.name, kept: None }]
        }
    };
    let (mut going, mut rows) = (Vec::new(), Vec::new());
    for verdict in verdicts {
        let why = match verdict.kept {
            None => {
                going.extend(points.iter().find(|one| one.name == verdict.name).cloned());
                if dry_run { "would go" } else { "goes" }
            }
            Some(Kept::Running) => "stays: it runs",
            Some(Kept::LastGood) => "stays: it is the last known good one",
            Some(Kept::Last) => "stays: it is one of the newest",
            Some(Kept::Tagged) => "stays: its description says so",
            Some(Kept::Young) => "stays: it is young",
        };
        rows.push(vec![verdict.name.to_string(), why.to_owned()]);
    }
    if rows.is_empty() {
        println!("no restore point; vigie snapshot create makes one");
        return Ok(Exit::Fine);
    }
    table::print(&["NAME", "VERDICT"], &rows);
    if !dry_run && !going.is_empty() {
        let place = Place { config, docker, shelf: &shelf, meter: None, say: &say };
        snapshot::remove(&place, &going).await?;
        println!("{} removed", going.len());
    } else if going.is_empty() {
        println!("nothing is to be removed");
    }
    Ok(Exit::Fine)
}
