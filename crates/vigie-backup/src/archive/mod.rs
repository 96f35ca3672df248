//! Does: reads a source into packs. One thread goes through the directories, some read and cut files, and
//! some pack the pieces; this one puts the directories together. Never says that a snapshot is there: whoever
//! calls it writes that when all of the source was read.

mod before;
mod cut;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};

use crossbeam_channel::{Receiver, Sender, bounded};
use rustic_core::repofile::{ConfigFile, Metadata, Node, NodeType, SnapshotSummary, Tree};
use rustic_core::{Id, ReadSource, ReadSourceEntry, ReadSourceOpen};

use self::before::{Before, Known};
use self::cut::{Cutter, Sizes};
use crate::crypt::{Seal, hash};
use crate::pack::{Index, Kind, Packer};
use crate::progress::Meter;
use crate::source::Faults;
use crate::store::{Fault, Store, Trouble};

/// Entries that were found and are not in their directories yet.
const ENTRIES: usize = 4_096;
/// Threads that read files.
const READERS: usize = 2;
/// Threads that pack, at most: each has a few pieces in memory.
const PACKERS: usize = 8;

/// What a source is read into.
pub(crate) struct Archive<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) seal: &'a Seal,
    pub(crate) index: &'a Index,
    pub(crate) config: &'a ConfigFile,
    /// The directory that was kept last; everything is read without one.
    pub(crate) last: Option<Id>,
    pub(crate) meter: Option<&'a dyn Meter>,
}

/// A file that is to be read.
struct File<O> {
    open: O,
    bytes: u64,
    told: mpsc::Sender<Told>,
}

/// A piece of a file that is to be packed.
struct Piece {
    bytes: Vec<u8>,
    number: usize,
    told: mpsc::Sender<Told>,
}

/// What becomes of a file.
enum Told {
    /// This piece is packed.
    Packed(usize, Id),
    /// All of it was read: so many pieces and bytes.
    Read(usize, u64),
}

/// What is in a file.
enum Content {
    /// It is no file.
    None,
    /// It did not change.
    Same(Vec<Id>),
    /// It is being read; it was there before, or not.
    Coming(mpsc::Receiver<Told>, bool),
}

/// A step through the directories.
enum Step {
    /// Into a directory; what was kept of it.
    Enter(Box<Node>, Option<Id>),
    /// Out of it.
    Leave,
    /// Something in it.
    Entry(Box<Node>, Content),
}

/// What all threads share.
struct Shared<'a> {
    packer: &'a Packer<'a>,
    index: &'a Index,
    meter: Option<&'a dyn Meter>,
    stop: AtomicBool,
    fault: Mutex<Option<Fault>>,
}

impl Shared<'_> {
    /// Packs what is not there yet.
    fn pack(&self, kind: Kind, plain: &[u8]) -> Option<Id> {
        let id = hash(plain);
        if self.index.place(kind, &id).is_some() {
            return Some(id);
        }
        match self.packer.add(kind, id, plain) {
            Ok(()) => Some(id),
            Err(fault) => {
                self.stop.store(true, Ordering::Relaxed);
                self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fault);
                None
            }
        }
    }

    fn stops(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn more(&self, bytes: u64) {
        if let Some(meter) = self.meter {
            meter.more(bytes);
        }
    }
}

impl Archive<'_> {
    /// Reads all of `source`, which is below `base`; gives the directory that has it as `name`, and what
    /// was done. What could not be read is in `faults`.
    ///
    /// # Errors
    /// When the site fails: what was written then is in packs that no snapshot needs.
    pub(crate) fn read<R>(
        &self,
        source: &R,
        base: &Path,
        name: &str,
        faults: &Faults,
    ) -> Result<(Id, SnapshotSummary), Fault>
    where
        R: ReadSource,
        R::Open: Send,
    {
        let cutter = self.cutter()?;
        let packer = Packer::new(self.store, self.seal);
        let shared = Shared {
            packer: &packer,
            index: self.index,
            meter: self.meter,
            stop: AtomicBool::new(false),
            fault: Mutex::default(),
        };
        let threads = std::thread::available_parallelism().map_or(2, usize::from).min(PACKERS) + 1;
        let (steps, walked) = bounded(ENTRIES);
        let (files, to_read) = bounded::<File<R::Open>>(READERS * 64);
        let (pieces, to_pack) = bounded(threads);
        let built = std::thread::scope(|scope| {
            if self.meter.is_some() {
                scope.spawn(|| self.measure(source));
            }
            let shared = &shared;
            scope.spawn(move || self.walk(source, base, shared, (&steps, &files), faults));
            for _ in 0..READERS {
                let (to_read, pieces, cutter) = (to_read.clone(), pieces.clone(), cutter.clone());
                scope.spawn(move || read(&to_read, &pieces, &cutter, shared));
            }
            // Their ends of the channels are the only ones.
            drop((to_read, pieces));
            for _ in 0..threads {
                let to_pack = to_pack.clone();
                scope.spawn(move || pack(&to_pack, shared));
            }
            drop(to_pack);
            build(walked, name, self.last, shared)
        });
        let fault = shared.fault.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (tree, mut summary) = match (fault, built) {
            (Some(fault), _) => return Err(fault),
            (None, None) => return Err(Fault::new(Trouble::Wrong, "a directory has no form")),
            (None, Some(built)) => built,
        };
        let (data, trees) = packer.finish()?;
        (summary.data_blobs, summary.tree_blobs) = (data.blobs, trees.blobs);
        summary.data_added_files = data.bytes;
        summary.data_added_files_packed = data.packed;
        summary.data_added_trees = trees.bytes;
        summary.data_added_trees_packed = trees.packed;
        summary.data_added = data.bytes + trees.bytes;
        summary.data_added_packed = data.packed + trees.packed;
        Ok((tree, summary))
    }

    fn cutter(&self) -> Result<Cutter, Fault> {
        let sizes = Sizes {
            average: self.config.chunk_size(),
            least: self.config.chunk_min_size(),
            most: self.config.chunk_max_size(),
        };
        let polynomial = u64::from_str_radix(&self.config.chunker_polynomial, 16).ok();
        let cutter = polynomial.and_then(|polynomial| Cutter::new(polynomial, sizes));
        cutter.ok_or_else(|| Fault::new(Trouble::Wrong, "its config says nothing by which to cut"))
    }

    /// Only for people, who want to know how long it takes.
    fn measure<R: ReadSource>(&self, source: &R) {
        if let (Ok(Some(bytes)), Some(meter)) = (source.size(), self.meter) {
            meter.total(bytes);
        }
    }

    /// Goes through the directories, and beside it through those of the last time.
    fn walk<R: ReadSource>(
        &self,
        source: &R,
        base: &Path,
        shared: &Shared<'_>,
        (steps, files): (&Sender<Step>, &Sender<File<R::Open>>),
        faults: &Faults,
    ) {
        let mut before = Before::new(self.store, self.seal, self.index, self.last.as_ref());
        let mut inside = PathBuf::new();
        for entry in source.entries() {
            // What could not be read was noted where it happened.
            let Ok(ReadSourceEntry { path, node, open }) = entry else { continue };
            let path = path.strip_prefix(base).unwrap_or(&path);
            let Some(parent) = path.parent() else { continue };
            if shared.stops() {
                return;
            }
            while !parent.starts_with(&inside) {
                inside.pop();
                before.leave();
                if steps.send(Step::Leave).is_err() {
                    return;
                }
            }
            // Every directory comes before what is in it, but for one that was replaced just then.
            if parent != inside {
                faults.add(format!("{} was replaced while it was read", parent.display()));
                continue;
            }
            let step = if node.is_dir() {
                inside = path.to_owned();
                Step::Enter(Box::new(node), before.enter(path.file_name().unwrap_or_default()))
            } else {
                let Some(content) = begun(&before, &node, open, shared, files) else { return };
                Step::Entry(Box::new(node), content)
            };
            if steps.send(step).is_err() {
                return;
            }
        }
    }
}

/// Asks for a file to be read that is not the same; none when nobody reads any more.
fn begun<O>(
    before: &Before<'_>,
    node: &Node,
    open: Option<O>,
    shared: &Shared<'_>,
    files: &Sender<File<O>>,
) -> Option<Content> {
    if !matches!(node.node_type, NodeType::File) {
        return Some(Content::None);
    }
    let known = before.look(node);
    if let Known::Same(content) = known {
        shared.more(node.meta.size);
        return Some(Content::Same(content));
    }
    let (told, telling) = mpsc::channel();
    if let Some(open) = open {
        files.send(File { open, bytes: node.meta.size, told }).ok()?;
    }
    Some(Content::Coming(telling, known == Known::Changed))
}

/// Reads and cuts files until there are no more.
fn read<O: ReadSourceOpen>(
    files: &Receiver<File<O>>,
    pieces: &Sender<Piece>,
    cutter: &Cutter,
    shared: &Shared<'_>,
) {
    for File { open, bytes, told } in files {
        if shared.stops() {
            continue;
        }
        // What cannot be opened or read is noted by the source.
        let Ok(reader) = open.open() else { continue };
        let (mut number, mut read) = (0, 0);
        let done = cutter.cut(reader, bytes, |bytes| {
            read += bytes.len() as u64;
            number += 1;
            let piece = Piece { bytes, number: number - 1, told: told.clone() };
            pieces.send(piece).is_ok() && !shared.stops()
        });
        if done.is_ok() {
            // Whoever waited for it may have given up.
            let _ = told.send(Told::Read(number, read));
        }
    }
}

/// Packs pieces until there are no more.
fn pack(pieces: &Receiver<Piece>, shared: &Shared<'_>) {
    for Piece { bytes, number, told } in pieces {
        if shared.stops() {
            continue;
        }
        if let Some(id) = shared.pack(Kind::Data, &bytes) {
            // Whoever waited for it may have given up.
            let _ = told.send(Told::Packed(number, id));
        }
        shared.more(bytes.len() as u64);
    }
}

/// A directory that is being put together.
struct Directory {
    /// None for the one that has all of it.
    node: Option<Node>,
    was: Option<Id>,
    tree: Tree,
}

/// Puts the directories together, in the order of the steps; gives the uppermost. None when there is none,
/// because somebody failed.
fn build(
    steps: Receiver<Step>,
    name: &str,
    last: Option<Id>,
    shared: &Shared<'_>,
) -> Option<(Id, SnapshotSummary)> {
    let mut summary = SnapshotSummary::default();
    let root = Node::new_node(OsStr::new(name), NodeType::Dir, Metadata::default());
    let mut open = vec![
        Directory { node: None, was: None, tree: Tree::default() },
        Directory { node: Some(root), was: last, tree: Tree::default() },
    ];
    for step in steps {
        match step {
            Step::Enter(node, was) => {
                open.push(Directory { node: Some(*node), was, tree: Tree::default() });
            }
            Step::Leave => left(&mut open, shared, &mut summary)?,
            Step::Entry(mut node, content) => {
                if whole(&mut node, content, &mut summary)
                    && let Some(directory) = open.last_mut()
                {
                    directory.tree.nodes.push(*node);
                }
            }
        }
    }
    while open.len() > 1 {
        left(&mut open, shared, &mut summary)?;
    }
    let top = open.pop()?;
    let (plain, _) = top.tree.serialize().ok()?;
    Some((shared.pack(Kind::Tree, &plain)?, summary))
}

/// Ends the directory that is open, and puts it into the one above.
fn left(
    open: &mut Vec<Directory>,
    shared: &Shared<'_>,
    summary: &mut SnapshotSummary,
) -> Option<()> {
    let Directory { node, was, tree } = open.pop()?;
    let (plain, _) = tree.serialize().ok()?;
    let id = shared.pack(Kind::Tree, &plain)?;
    summary.total_dirs_processed += 1;
    summary.total_dirsize_processed += plain.len() as u64;
    match was {
        Some(was) if was == id => summary.dirs_unmodified += 1,
        Some(_) => summary.dirs_changed += 1,
        None => summary.dirs_new += 1,
    }
    let mut node = node?;
    node.subtree = Some(id.into());
    open.last_mut()?.tree.nodes.push(node);
    Some(())
}

/// Waits for what is in a file. False when it is gone.
fn whole(node: &mut Node, content: Content, summary: &mut SnapshotSummary) -> bool {
    let read = match content {
        Content::None => 0,
        Content::Same(content) => {
            node.content = Some(content.into_iter().map(Into::into).collect());
            summary.files_unmodified += 1;
            node.meta.size
        }
        Content::Coming(told, was_there) => {
            let (mut packed, mut end) = (Vec::new(), None);
            for told in told {
                match told {
                    Told::Packed(number, id) => packed.push((number, id)),
                    Told::Read(pieces, bytes) => end = Some((pieces, bytes)),
                }
            }
            let Some((_, bytes)) = end.filter(|(pieces, _)| *pieces == packed.len()) else {
                return false;
            };
            packed.sort_unstable_by_key(|(number, _)| *number);
            node.content = Some(packed.into_iter().map(|(_, id)| id.into()).collect());
            // It may have grown since it was seen, and a stream has no size before its end.
            node.meta.size = bytes;
            if was_there {
                summary.files_changed += 1;
            } else {
                summary.files_new += 1;
            }
            bytes
        }
    };
    summary.total_files_processed += 1;
    summary.total_bytes_processed += read;
    true
}
