//! The two commands of the construction addon.

use crate::world::World;

const DEFAULT_LOGS: usize = 10;

/// `construction_logs [n]`: the last entries, oldest first.
pub(super) fn logs(world: &World, args: &[String]) -> String {
    let wanted = match args.first().map(|count| count.parse()) {
        None => DEFAULT_LOGS,
        Some(Ok(wanted)) => wanted,
        Some(Err(_)) => return "Usage: construction_logs [n]".to_owned(),
    };
    let archive = world.archive();
    let mut text = format!("[Construction] {} dernières entrées:\n", wanted.min(archive.len()));
    for entry in archive.last(wanted) {
        text.push_str(entry);
        text.push('\n');
    }
    text
}

/// `construction_stats`: a few figures.
pub(super) fn stats(world: &World) -> String {
    let entries = world.archive().len();
    format!(
        "[Construction] Statistiques\n  Joueurs: {}\n  Entrées du journal: {entries}\n  En ligne depuis: {} s\n",
        world.town().players().len(),
        world.uptime().as_secs(),
    )
}
