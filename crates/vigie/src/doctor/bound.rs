//! Does: reads the configuration and Lua files that a container sees through a bind mount, within
//! bounds: a project may bind gigabytes.

use std::path::Path;

use vigie_core::doctor::{BoundText, SourceText};

use super::collect::shown;

/// A longer file is data.
const LARGEST: u64 = 256 << 10;
/// Files read at most, for a whole project.
const MOST: usize = 4_000;
/// Entries looked at, at most, below one mount.
const ENTRIES: usize = 50_000;
const DEEPEST: usize = 12;
const WANTED: [&str; 2] = ["cfg", "lua"];

/// Reads what is wanted at or below `path`, which the container of `service` sees at `inside`.
pub(super) fn read(path: &Path, service: &str, inside: &str, texts: &mut Vec<BoundText>) {
    let mut left = ENTRIES;
    walk(path, service, inside, 0, &mut left, texts);
}

fn walk(
    path: &Path,
    service: &str,
    inside: &str,
    depth: usize,
    left: &mut usize,
    texts: &mut Vec<BoundText>,
) {
    if depth > DEEPEST || texts.len() >= MOST || *left == 0 {
        return;
    }
    *left -= 1;
    // The mount itself may be a link; below it links could lead anywhere.
    let seen = if depth == 0 { path.metadata() } else { path.symlink_metadata() };
    let Ok(seen) = seen else { return };
    if seen.is_file() {
        let wanted = path.extension().is_some_and(|end| WANTED.iter().any(|one| end == *one));
        if wanted
            && seen.len() <= LARGEST
            && let Ok(bytes) = std::fs::read(path)
        {
            texts.push(BoundText {
                service: service.to_owned(),
                inside: inside.to_owned(),
                file: SourceText {
                    path: shown(path),
                    text: String::from_utf8_lossy(&bytes).into_owned(),
                },
            });
        }
        return;
    }
    if !seen.is_dir() {
        return;
    }
    let Ok(entries) = std::fs::read_dir(path) else { return };
    let mut names: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
    names.sort();
    for name in names {
        let inside = format!("{inside}/{}", name.to_string_lossy());
        walk(&path.join(&name), service, &inside, depth + 1, left, texts);
    }
}
