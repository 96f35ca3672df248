//! Keeps the log of the server at SOCKET in DIR while WRITERS write, and prints how long a commit waits
//! until its piece is on the disk; then reads the whole log anew. `cargo xtask bench binlog` runs it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to its caller")]

use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use tokio_util::sync::CancellationToken;
use vigie::backup::binlog::{Address, Archive, Note, Source, Wish, stream};
use vigie_core::binlog::Gtid;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How often a commit is watched on its way.
const PROBE: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [socket, dir, writers, seconds] = arguments.as_slice() else {
        eprintln!("usage: binlog_speed SOCKET DIR WRITERS SECONDS");
        return ExitCode::FAILURE;
    };
    let done = tokio::runtime::Runtime::new().map_err(Into::into).and_then(|runtime| {
        let (writers, seconds) = (writers.parse()?, Duration::from_secs(seconds.parse()?));
        runtime.block_on(measure(socket, Path::new(dir), writers, seconds))
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn connect(socket: &str) -> Result<Conn> {
    Ok(Conn::new(OptsBuilder::default().user(Some("root")).socket(Some(socket))).await?)
}

async fn measure(socket: &str, dir: &Path, writers: u32, time: Duration) -> Result<()> {
    let source = Source {
        address: Address::Socket(socket.into()),
        user: String::from("root"),
        password: String::new(),
    };
    let mut root = connect(socket).await?;
    root.query_drop("CREATE DATABASE IF NOT EXISTS speed").await?;
    let table = "CREATE TABLE IF NOT EXISTS speed.load (id BIGINT AUTO_INCREMENT PRIMARY KEY, \
                 v VARCHAR(255)) ENGINE=InnoDB";
    root.query_drop(table).await?;
    let archive = Archive::open(&dir.join("live"))?;
    // Commits that are not sealed yet: their number in the log, and when they were acknowledged.
    let waiting: Mutex<Vec<(u64, Instant)>> = Mutex::default();
    let waits: Mutex<Vec<f64>> = Mutex::default();
    let (stop, stop_load) = (CancellationToken::new(), CancellationToken::new());
    let tell = |note: Note<'_>| {
        let Note::Sealed(segment) = note else { return };
        let now = Instant::now();
        let last = segment.last_gtid.as_ref().map_or(0, Gtid::number);
        let (Ok(mut waiting), Ok(mut waits)) = (waiting.lock(), waits.lock()) else { return };
        waiting.retain(|(number, acknowledged)| {
            if *number <= last {
                waits.push(now.duration_since(*acknowledged).as_secs_f64());
            }
            *number > last
        });
    };
    let wish = Wish::default();
    let keep = stream(&source, &archive, &wish, &stop, &tell);
    let load = futures_util::future::try_join_all((0..writers).map(|_| write(socket, &stop_load)));
    let probe = async {
        // The log of the time before is read first.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let begun = Instant::now();
        while begun.elapsed() < time {
            let sql = "INSERT INTO speed.load (v) VALUES ('probe')";
            root.query_drop(sql).await?;
            let acknowledged = Instant::now();
            let name: Option<String> = root.query_first("SELECT @@last_gtid").await?;
            let name: Gtid = name.unwrap_or_default().parse()?;
            if let Ok(mut waiting) = waiting.lock() {
                waiting.push((name.number(), acknowledged));
            }
            tokio::time::sleep(PROBE).await;
        }
        stop_load.cancel();
        // The last of them are sealed too.
        tokio::time::sleep(wish.seal_after * 2).await;
        stop.cancel();
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    };
    let (kept, written, probed) = tokio::join!(keep, load, probe);
    kept?;
    probed?;
    let commits: u64 = written?.into_iter().sum();
    let waits = waits.into_inner().unwrap_or_default();
    let left = waiting.into_inner().map(|waiting| waiting.len()).unwrap_or_default();
    let seconds = time.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let rate = commits as f64 / (seconds + 2.0);
    println!(
        "{writers} writers: {rate:.0} commits/s; commit to sealed piece: median {:.2} s, 95th {:.2} s, \
         longest {:.2} s of {} watched, {left} never sealed",
        percentile(&waits, 0.5),
        percentile(&waits, 0.95),
        percentile(&waits, 1.0),
        waits.len(),
    );
    again(&source, dir, &archive).await
}

/// Writes until it is stopped; how often.
async fn write(socket: &str, stop: &CancellationToken) -> Result<u64> {
    let mut conn = connect(socket).await?;
    let mut commits = 0;
    while !stop.is_cancelled() {
        conn.query_drop("INSERT INTO speed.load (v) VALUES (REPEAT('word ', 40))").await?;
        commits += 1;
    }
    Ok(commits)
}

/// Reads the whole log once more, as after a long pause.
async fn again(source: &Source, dir: &Path, kept: &Archive) -> Result<()> {
    let segments = kept.segments()?;
    let bytes: u64 = segments.iter().map(|segment| segment.last - segment.first).sum();
    let Some(end) = segments.last().map(vigie_core::binlog::Segment::end) else { return Ok(()) };
    let archive = Archive::open(&dir.join("again"))?;
    let stop = CancellationToken::new();
    let tell = |note: Note<'_>| {
        if let Note::Sealed(segment) = note
            && segment.end() == end
        {
            stop.cancel();
        }
    };
    let begun = Instant::now();
    // The last piece waits no longer than this.
    let wish = Wish { seal_after: Duration::from_millis(100), ..Wish::default() };
    stream(source, &archive, &wish, &stop, &tell).await?;
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let mib = bytes as f64 / f64::from(1 << 20);
    let seconds = begun.elapsed().as_secs_f64();
    println!("catching up: {mib:.0} MiB in {seconds:.1} s, {:.0} MiB/s", mib / seconds);
    Ok(())
}

/// The value below which `part` (0 to 1) of them lie, by the nearest rank.
fn percentile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rank within the length"
    )]
    let rank = (part * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}
