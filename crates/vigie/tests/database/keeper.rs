//! Does: a log that is kept in the background, as the watch will do it; and what is compared with it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vigie::backup::binlog::{
    Archive, BinlogError, Note, Source, Start, Way, Wish, cut, replay, stream,
};
use vigie::backup::database::{self, Dumped, dump, play};
use vigie_core::binlog::{Dump, Plan, Target, pick};

use crate::server::Server;

/// What was told meanwhile, in a word each.
pub(crate) type Told = Arc<Mutex<Vec<String>>>;

/// A log that is kept.
pub(crate) struct Keeper {
    stop: CancellationToken,
    task: JoinHandle<(Archive, Result<(), BinlogError>)>,
    pub(crate) told: Told,
}

pub(crate) fn wish(start: Start) -> Wish {
    Wish { start, seal_after: Duration::from_millis(400), ..Wish::default() }
}

impl Keeper {
    pub(crate) fn begin(source: Source, archive: Archive, wish: Wish) -> Self {
        let stop = CancellationToken::new();
        let told = Told::default();
        let (ear, end) = (Arc::clone(&told), stop.clone());
        let task = tokio::spawn(async move {
            let tell = |note: Note<'_>| {
                let word = match note {
                    Note::Connected(_) => String::from("connected"),
                    Note::Sealed(segment) => format!("sealed {}", segment.end()),
                    Note::Covered(covered) => format!("covered {}", covered.until),
                    Note::Lost(error, _) => format!("lost {error}"),
                };
                ear.lock().unwrap().push(word);
            };
            let done = stream(&source, &archive, &wish, &end, &tell).await;
            ear.lock().unwrap().push(format!("ended {done:?}"));
            (archive, done)
        });
        Self { stop, task, told }
    }

    /// Ends it in order.
    pub(crate) async fn end(self) -> (Archive, Result<(), BinlogError>) {
        self.stop.cancel();
        self.task.await.unwrap()
    }

    /// Waits until it ends by itself.
    pub(crate) async fn done(self) -> (Archive, BinlogError) {
        let done = tokio::time::timeout(Duration::from_secs(60), self.task).await;
        let (archive, done) = done.unwrap().unwrap();
        (archive, done.unwrap_err())
    }

    /// Waits until something was told.
    pub(crate) async fn hears(&self, what: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        while !self.told.lock().unwrap().iter().any(|word| what(word)) {
            let told = self.told.lock().unwrap().join("\n");
            assert!(
                begun.elapsed() < Duration::from_secs(60) && !self.task.is_finished(),
                "{told}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until everything up to now is known to be kept.
    pub(crate) async fn is_whole(&self) {
        self.is_whole_until(crate::writer::now() / 1_000 + 1).await;
    }

    /// Waits until everything that is acknowledged before `second` is known to be kept.
    pub(crate) async fn is_whole_until(&self, second: i64) {
        let until = |word: &str| {
            word.strip_prefix("covered ").is_some_and(|word| word.parse::<i64>().unwrap() >= second)
        };
        self.hears(until).await;
    }
}

/// The pieces are the server's own files, byte for byte; but for the mark of a file that was never
/// closed, which is only on its disk.
pub(crate) fn compare(archive: &Archive, data: &Path) -> usize {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for segment in archive.segments().unwrap() {
        let bytes = std::fs::read(archive.path(&segment)).unwrap();
        let own = &bytes[usize::try_from(segment.head).unwrap()..];
        if segment.first == 4 {
            files.push((segment.file.clone(), b"\xfebin".to_vec()));
        }
        let (name, file) = files.last_mut().unwrap();
        assert_eq!((&segment.file, segment.first), (&*name, file.len() as u64));
        file.extend_from_slice(own);
    }
    for (name, kept) in &files {
        let mut server = std::fs::read(data.join(name)).unwrap();
        server[21] &= 0xfe;
        server.truncate(kept.len());
        assert!(server == *kept, "{name} is not the server's");
    }
    files.len()
}

/// A dump in memory.
pub(crate) async fn dumped(server: &Server, schemas: &[&str], id: &str) -> (Vec<u8>, Dumped) {
    let (sender, mut receiver) = mpsc::channel::<Bytes>(16);
    let schemas = schemas.iter().map(|name| (*name).to_owned()).collect();
    let collect = async {
        let mut bytes = Vec::new();
        while let Some(piece) = receiver.recv().await {
            bytes.extend_from_slice(&piece);
        }
        bytes
    };
    let (tools, client) = (server.tools(), server.client());
    let wish = database::Wish { schemas, place: true };
    let (done, bytes) = tokio::join!(dump(&tools, &client, &wish, sender), collect);
    let mut done = done.unwrap();
    done.place.as_mut().unwrap().id = id.to_owned();
    (bytes, done)
}

/// What is kept of a server.
pub(crate) struct Kept<'a> {
    pub(crate) archive: &'a Archive,
    pub(crate) dumps: Vec<(Vec<u8>, Dumped)>,
}

impl Kept<'_> {
    pub(crate) fn plan(&self, target: &Target) -> Plan {
        let places: Vec<Dump> =
            self.dumps.iter().map(|(_, dumped)| dumped.place.clone().unwrap()).collect();
        let segments = self.archive.segments().unwrap();
        let covered = self.archive.covered().unwrap();
        pick(&places, &segments, covered.as_ref(), target).unwrap()
    }

    /// Brings `to` to `target`.
    pub(crate) async fn restore(&self, to: &Server, target: &Target, way: &Way) -> u64 {
        let plan = self.plan(target);
        let found = self.dumps.iter().find(|(_, dumped)| {
            dumped.place.as_ref().is_some_and(|place| place.id == plan.dump.id)
        });
        let dump = std::io::Cursor::new(found.unwrap().0.clone());
        let (tools, client) = (to.tools(), to.client());
        play(&tools, &client, Box::new(dump)).await.unwrap();
        let cut = cut(self.archive, &plan, way.only.as_deref()).unwrap();
        replay(&tools, &client, &cut, way).await.unwrap();
        cut.groups
    }
}

pub(crate) fn archive_in(dir: &Path) -> (PathBuf, Archive) {
    let path = dir.join("kept");
    let archive = Archive::open(&path).unwrap();
    (path, archive)
}
