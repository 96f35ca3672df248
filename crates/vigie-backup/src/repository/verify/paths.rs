//! Does: finds the files of snapshots whose content is lost. A directory that many snapshots have in
//! common is looked at once.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;

use rustic_core::Id;
use rustic_core::repofile::Tree;

use super::files::Snapshots;
use super::{Concerned, Findings};
use crate::crypt::Seal;
use crate::pack::{self, Damage, Index, Kind};
use crate::repository::put::given;
use crate::store::{Fault, Store, Trouble};

/// More paths than these help nobody, of one snapshot.
const PATHS: usize = 50;
/// No file system has deeper directories.
const DEPTH: usize = 2_048;

/// Directories as deep as that need a stack of their own.
const STACK: usize = 256 << 20;

/// Looks for them.
pub(super) fn concerned(
    site: &dyn Store,
    seal: &Seal,
    index: &Index,
    snapshots: Snapshots,
    found: &mut Findings,
) -> Result<(), Fault> {
    std::thread::scope(|scope| {
        let walk = || walk_all(site, seal, index, snapshots, found);
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, walk);
        let thread = thread.map_err(|error| Fault::from_io("looking through snapshots", &error))?;
        let failed = || Err(Fault::new(Trouble::Wrong, "looking through snapshots failed"));
        thread.join().unwrap_or_else(|_| failed())
    })
}

fn walk_all(
    site: &dyn Store,
    seal: &Seal,
    index: &Index,
    mut snapshots: Snapshots,
    found: &mut Findings,
) -> Result<(), Fault> {
    snapshots.sort_by(|one, other| one.1.time.cmp(&other.1.time));
    let bad = found.packs.keys().copied().collect();
    let mut walk = Walk { site, seal, index, bad, known: HashMap::new(), lost: HashSet::new() };
    for (id, snapshot) in snapshots {
        let paths = walk.directory(*snapshot.tree, 0)?;
        if paths.is_empty() {
            continue;
        }
        // What was kept is below a directory of our own, which nobody has to know.
        let shown = |path: &PathBuf| path.strip_prefix("data").unwrap_or(path).to_owned();
        found.report.concerned.push(Concerned {
            id: id.to_hex().as_str().to_owned(),
            label: snapshot.label,
            tags: given(&snapshot.tags),
            paths: paths.iter().map(shown).collect(),
        });
    }
    found.lost = walk.lost;
    Ok(())
}

struct Walk<'a> {
    site: &'a dyn Store,
    seal: &'a Seal,
    index: &'a Index,
    /// Packs that are damaged or missing.
    bad: HashSet<Id>,
    /// What is lost below a directory.
    known: HashMap<Id, Rc<Vec<PathBuf>>>,
    /// Blobs that are needed and cannot be had.
    lost: HashSet<(Kind, Id)>,
}

impl Walk<'_> {
    /// What is lost below a directory, relative to it; the directory itself is the empty path.
    fn directory(&mut self, id: Id, depth: usize) -> Result<Rc<Vec<PathBuf>>, Fault> {
        if let Some(known) = self.known.get(&id) {
            return Ok(Rc::clone(known));
        }
        let lost = match pack::tree(self.site, self.seal, self.index, &id) {
            Err(Damage::Site(fault)) => return Err(fault),
            Ok(tree) if depth < DEPTH => self.entries(&tree, depth)?,
            _ => {
                self.lost.insert((Kind::Tree, id));
                vec![PathBuf::new()]
            }
        };
        let lost = Rc::new(lost);
        self.known.insert(id, Rc::clone(&lost));
        Ok(lost)
    }

    fn entries(&mut self, tree: &Tree, depth: usize) -> Result<Vec<PathBuf>, Fault> {
        let mut lost = Vec::new();
        for node in &tree.nodes {
            let name = PathBuf::from(node.name().into_owned());
            let mut whole = true;
            for id in node.content.iter().flatten() {
                if !self.has(id) {
                    self.lost.insert((Kind::Data, **id));
                    whole = false;
                }
            }
            if !whole && lost.len() < PATHS {
                lost.push(name.clone());
            }
            if let Some(subtree) = &node.subtree {
                let below = self.directory(**subtree, depth + 1)?;
                let room = PATHS.saturating_sub(lost.len());
                lost.extend(below.iter().take(room).map(|path| name.join(path)));
            }
        }
        Ok(lost)
    }

    /// Whether the content of a file can be had; of a pack that is damaged, only a read tells.
    fn has(&self, id: &Id) -> bool {
        let Some(place) = self.index.place(Kind::Data, id) else { return false };
        let Some(pack) = self.index.pack(&place) else { return false };
        !self.bad.contains(&pack)
            || pack::blob(self.site, self.seal, self.index, Kind::Data, id).is_ok()
    }
}
