//! Does: `vigie snapshot create`: a restore point made, or what it would be.

use std::sync::Once;
use std::time::Duration;

use vigie_core::snapshot::{Point, PointName};

use super::{bar, opened, players};
use crate::cli::args::CreateArgs;
use crate::cli::{Exit, Failure};
use crate::config::Config;
use crate::report::ago;
use crate::runtime::docker::Docker;
use crate::snapshot::{self, Place, Shelf, SnapshotError, Wish};
use crate::text::size;

pub(super) async fn run(
    config: &Config,
    docker: &Docker,
    args: &CreateArgs,
) -> Result<Exit, Failure> {
    let known = Shelf::look(config)?;
    let name = match args.bump {
        Some(bump) => {
            // Images that somebody named so by hand count too.
            let named = snapshot::names(config, docker).await?;
            let known = known.iter().map(|one| &one.name).chain(&named);
            PointName::next(known, bump.into(), &args.name)
        }
        None => args.name.parse(),
    };
    let mut wish = Wish {
        name: name.map_err(SnapshotError::from)?,
        note: args.note.clone(),
        pause: args.pause,
        services: args.service.clone(),
        safety: false,
        players: None,
    };
    if args.dry_run {
        let lines = snapshot::outline(config, docker, &known, &wish).await?;
        println!("would make {}", wish.name);
        for line in lines {
            println!("  {line}");
        }
        return Ok(Exit::Fine);
    }
    let shelf = opened(config, docker).await?;
    wish.players = players(config).await;
    let bar = bar();
    // What is refused has no headline.
    let headline = Once::new();
    let step = |text: &str| {
        headline.call_once(|| println!("{}", wish.name));
        bar.step(text);
    };
    let place = Place { config, docker, shelf: &shelf, meter: Some(bar.clone()), say: &step };
    let point = snapshot::create(&place, &wish).await?;
    let (added, all) = (size(point.added()), size(point.size()));
    println!("kept in {}: {all}, of which {added} new", ago(Duration::from_millis(point.took_ms)));
    warn_of_masks(&point, &place).await?;
    Ok(Exit::Fine)
}

async fn warn_of_masks(point: &Point, place: &Place<'_>) -> Result<(), Failure> {
    for (service, _, container) in place.services().await? {
        let Some(content) = &container.content else { continue };
        for volume in point.masks(&service, content) {
            println!(
                "note: the volume {} hides {content} of the image: going back to the image takes the \
                 volume with it",
                volume.name
            );
        }
    }
    Ok(())
}
