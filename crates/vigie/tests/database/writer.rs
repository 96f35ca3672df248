//! Does: writes rows into a server and notes when each was asked for and when it was acknowledged.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::server::Server;

/// One transaction.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) rows: Vec<u32>,
    /// Milliseconds since 1970 just before its commit was asked for.
    pub(crate) begun: i64,
    /// Just after it was acknowledged; nothing when it was not.
    pub(crate) acked: Option<i64>,
}

pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Writers that go on until they are stopped.
pub(crate) struct Writers {
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    pub(crate) written: Arc<Mutex<Vec<Written>>>,
}

pub(crate) async fn prepare(server: &Server) {
    let table = "CREATE TABLE town.rows (id INT UNSIGNED PRIMARY KEY, word VARCHAR(60) NOT NULL, \
                 data BLOB, KEY (word)) ENGINE=InnoDB";
    let other = "CREATE TABLE other.rows (id INT UNSIGNED PRIMARY KEY) ENGINE=InnoDB";
    server.say(&["CREATE DATABASE town", "CREATE DATABASE other", table, other]).await;
}

impl Writers {
    /// Begins `count` of them.
    pub(crate) fn begin(server: &Server, count: u32, pause: Duration) -> Self {
        let stop = CancellationToken::new();
        let written = Arc::new(Mutex::new(Vec::new()));
        let next = Arc::new(AtomicU32::new(1));
        let socket = server.socket().to_string_lossy().into_owned();
        let tasks = (0..count)
            .map(|_| {
                let work = Work {
                    socket: socket.clone(),
                    next: Arc::clone(&next),
                    written: Arc::clone(&written),
                    pause,
                };
                let stop = stop.clone();
                tokio::spawn(async move { work.go_on(&stop).await })
            })
            .collect();
        Self { stop, tasks, written }
    }

    /// Ends them; what they wrote.
    pub(crate) async fn end(self) -> Vec<Written> {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
        let written = self.written.lock().unwrap();
        written.clone()
    }
}

struct Work {
    socket: String,
    next: Arc<AtomicU32>,
    written: Arc<Mutex<Vec<Written>>>,
    pause: Duration,
}

impl Work {
    /// A server that is gone is waited for.
    async fn go_on(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let options =
                OptsBuilder::default().user(Some("root")).socket(Some(self.socket.as_str()));
            if let Ok(mut conn) = Conn::new(options).await {
                while !stop.is_cancelled() && self.transaction(&mut conn).await {
                    tokio::time::sleep(self.pause).await;
                }
            } else {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// One row by itself, or several in a transaction that also writes elsewhere.
    async fn transaction(&self, conn: &mut Conn) -> bool {
        let first = self.next.fetch_add(3, Ordering::Relaxed);
        let rows: Vec<u32> =
            if first.is_multiple_of(2) { vec![first] } else { (first..first + 3).collect() };
        let mut written = Written { rows: rows.clone(), begun: 0, acked: None };
        let insert = |id: u32| {
            format!(
                "INSERT INTO town.rows VALUES ({id}, 'it''s; (word) {id}', REPEAT(CHAR({id} % 256), 90))"
            )
        };
        let done = if let [only] = rows[..] {
            written.begun = now();
            conn.query_drop(insert(only)).await
        } else {
            let all = async {
                conn.query_drop("BEGIN").await?;
                for id in &rows {
                    conn.query_drop(insert(*id)).await?;
                }
                conn.query_drop(format!("INSERT INTO other.rows VALUES ({first})")).await?;
                written.begun = now();
                conn.query_drop("COMMIT").await
            };
            all.await
        };
        if done.is_ok() {
            written.acked = Some(now());
        }
        if written.begun > 0 {
            self.written.lock().unwrap().push(written);
        }
        done.is_ok()
    }
}

/// The rows that a server has.
pub(crate) async fn rows_of(server: &Server) -> BTreeSet<u32> {
    let mut root = server.root().await;
    let rows: Vec<u32> = root.query("SELECT id FROM town.rows").await.unwrap();
    root.disconnect().await.unwrap();
    rows.into_iter().collect()
}

/// Every transaction is there as a whole or not at all; all that were acknowledged before `begin` are,
/// and none whose commit was asked for from `end` on (milliseconds since 1970).
pub(crate) fn judge(written: &[Written], rows: &BTreeSet<u32>, begin: i64, end: i64) {
    for one in written {
        let there = one.rows.iter().filter(|row| rows.contains(row)).count();
        assert!(there == 0 || there == one.rows.len(), "a part of {one:?} is there");
        if one.acked.is_some_and(|acked| acked < begin) {
            assert!(there > 0, "{one:?} was acknowledged before {begin} and is lost");
        }
        if one.begun >= end {
            assert_eq!(there, 0, "{one:?} is after {end} and is there");
        }
    }
    let known: BTreeSet<u32> = written.iter().flat_map(|one| one.rows.iter().copied()).collect();
    assert!(rows.is_subset(&known), "rows that nobody wrote");
}
