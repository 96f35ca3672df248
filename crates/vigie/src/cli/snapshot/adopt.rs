//! Does: `vigie snapshot adopt`: images tagged by hand are listed, or made restore points.

use vigie_core::snapshot::Point;

use super::points::shape;
use super::{opened, say};
use crate::cli::args::AdoptArgs;
use crate::cli::{Exit, Failure, table};
use crate::config::Config;
use crate::report::rfc3339;
use crate::runtime::docker::Docker;
use crate::snapshot::{self, Candidate, Legacy, Place, Shelf};
use crate::text::size;

pub(super) async fn run(
    config: &Config,
    docker: &Docker,
    args: &AdoptArgs,
) -> Result<Exit, Failure> {
    let Some(tag) = args.tag.clone() else {
        let found = snapshot::candidates(config, docker, &Shelf::look(config)?).await?;
        return list(&found, args.json);
    };
    let (name, service) = (args.name.clone(), args.service.clone());
    let legacy = Legacy { tag, name, service, note: args.note.clone() };
    let point = if args.dry_run {
        snapshot::found(config, docker, &Shelf::look(config)?, &legacy).await?
    } else {
        let shelf = opened(config, docker).await?;
        let place = Place { config, docker, shelf: &shelf, meter: None, say: &say };
        snapshot::adopt(&place, &legacy).await?
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&shape(&point, None, None))?);
    } else {
        tell(&point, args.dry_run);
    }
    Ok(Exit::Fine)
}

fn tell(point: &Point, dry_run: bool) {
    let name = &point.name;
    println!("{}{name}", if dry_run { "would make " } else { "" });
    for image in &point.images {
        let old = point.adopted.as_deref().unwrap_or_default();
        println!(
            "  image of {}, from {old}, made {}, {}; its old tag stays",
            image.service,
            &rfc3339(point.made)[..10],
            size(image.size)
        );
    }
    println!("note: it is the image alone, without volumes, database and files");
    if !dry_run {
        println!("to go back to it: vigie snapshot rollback {name} --only image");
    }
}

fn list(found: &[Candidate], json: bool) -> Result<Exit, Failure> {
    if json {
        let shapes: Vec<_> = found
            .iter()
            .map(|one| {
                serde_json::json!({
                    "image": one.reference,
                    "service": one.service,
                    "made": rfc3339(one.made),
                    "size": one.size,
                    "name": one.name,
                })
            })
            .collect();
        println!("{}", serde_json::to_string_pretty(&shapes)?);
        return Ok(Exit::Fine);
    }
    let Some(first) = found.first() else {
        println!("every image of the games is a restore point; vigie snapshot list shows them");
        return Ok(Exit::Fine);
    };
    let rows: Vec<_> = found
        .iter()
        .map(|one| {
            let made = rfc3339(one.made)[..16].replace('T', " ");
            vec![one.reference.clone(), made, size(one.size), one.name.to_string()]
        })
        .collect();
    table::print(&["IMAGE", "MADE", "SIZE", "WOULD BE"], &rows);
    println!("\nto make one a restore point: vigie snapshot adopt {}", first.reference);
    Ok(Exit::Fine)
}
