//! The server is killed, the reader is killed, the connection is cut, again and again: nothing is lost
//! and nothing is there twice, or the gap has a name.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mysql_async::prelude::Queryable;
use tokio_util::sync::CancellationToken;
use vigie::backup::binlog::{Address, Archive, Source, Start, Way, stream};
use vigie_core::binlog::{Event, Kind, Target};

use crate::keeper::{Keeper, Kept, archive_in, compare, dumped, wish};
use crate::server::{Release, Server, release, releases};
use crate::writer::{Writers, judge, prepare, rows_of};

/// Where a reader that will be killed reads and keeps, as `port directory`.
const ORDER: &str = "VIGIE_TEST_READER";

async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// Ends the connections that read the log, as a network that is cut does.
async fn cut_connections(server: &Server) {
    let mut root = server.root().await;
    let sql = "SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'";
    let readers: Vec<u64> = root.query(sql).await.unwrap();
    for reader in readers {
        // It may have gone meanwhile.
        let _ = root.query_drop(format!("KILL {reader}")).await;
    }
    root.disconnect().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_server_is_killed_and_the_connection_is_cut() {
    for release in releases("a server that is killed") {
        killed_and_cut(&release).await;
    }
}

async fn killed_and_cut(release: &Release) {
    let mut server = Server::start(release, &[]).await;
    prepare(&server).await;
    let (_, archive) = archive_in(server.dir.path());
    let keeper = Keeper::begin(server.source(), archive, wish(Start::Oldest));
    let dump = dumped(&server, &["town", "other"], "first").await;
    let writers = Writers::begin(&server, 4, Duration::from_millis(1));
    for round in 0_u64..6 {
        pause(300 + 170 * round).await;
        if round.is_multiple_of(2) {
            cut_connections(&server).await;
        } else {
            server.kill();
            pause(200).await;
            server.begin().await;
        }
    }
    pause(500).await;
    let written = writers.end().await;
    keeper.is_whole().await;
    let lost = keeper.told.lock().unwrap().iter().filter(|word| word.starts_with("lost")).count();
    assert!(lost >= 6, "each fault was felt: {lost}");
    let (archive, done) = keeper.end().await;
    done.unwrap();
    assert!(compare(&archive, &server.data()) >= 4, "a server that starts has a new file");
    let kept = Kept { archive: &archive, dumps: vec![dump] };
    let scratch = Server::start(release, &[]).await;
    kept.restore(&scratch, &Target::Latest, &Way::default()).await;
    let rows = rows_of(&scratch).await;
    judge(&written, &rows, i64::MAX, i64::MAX);
    assert_eq!(rows, rows_of(&server).await);
}

/// Not a test by itself: the reader that the next one kills.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "begun by another test"]
async fn reader() {
    let order = std::env::var(ORDER).unwrap();
    let (port, dir) = order.split_once(' ').unwrap();
    let source = Source {
        address: Address::Tcp(String::from("127.0.0.1"), port.parse().unwrap()),
        user: std::env::var("READER_USER").unwrap(),
        password: std::env::var("READER_PASSWORD").unwrap(),
    };
    let archive = Archive::open(dir.as_ref()).unwrap();
    let mut wish = wish(Start::Oldest);
    wish.seal_after = Duration::from_millis(40);
    stream(&source, &archive, &wish, &CancellationToken::new(), &|_| {}).await.unwrap();
}

fn begin_reader(server: &Server, dir: &std::path::Path) -> Child {
    let source = server.source();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "faults::reader", "--ignored", "--nocapture"]);
    command.env(ORDER, format!("{} {}", server.port, dir.display()));
    command.env("READER_USER", source.user).env("READER_PASSWORD", source.password);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_reader_is_killed() {
    let Some(release) = release("a reader that is killed") else { return };
    let server = Server::start(&release, &["--max-binlog-size=65536"]).await;
    prepare(&server).await;
    let (path, archive) = archive_in(server.dir.path());
    drop(archive);
    let dump = dumped(&server, &["town", "other"], "first").await;
    let writers = Writers::begin(&server, 4, Duration::from_millis(1));
    let mut counts = Vec::new();
    for round in 0_u64..15 {
        let mut child = begin_reader(&server, &path);
        pause(120 + 37 * (round % 7)).await;
        assert!(child.try_wait().unwrap().is_none(), "the reader ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
        let archive = Archive::open(&path).unwrap();
        counts.push(archive.segments().unwrap().len());
    }
    assert!(counts.is_sorted() && counts[14] > 10, "what is sealed stays: {counts:?}");
    let written = writers.end().await;
    let keeper = Keeper::begin(server.source(), Archive::open(&path).unwrap(), wish(Start::Oldest));
    keeper.is_whole().await;
    let (archive, done) = keeper.end().await;
    done.unwrap();
    compare(&archive, &server.data());
    let kept = Kept { archive: &archive, dumps: vec![dump] };
    let scratch = Server::start(&release, &[]).await;
    kept.restore(&scratch, &Target::Latest, &Way::default()).await;
    let rows = rows_of(&scratch).await;
    judge(&written, &rows, i64::MAX, i64::MAX);
    assert_eq!(rows, rows_of(&server).await);
}

/// A network in between that is cut after so many bytes, whatever they are the middle of.
async fn cutting(port: u16, mut bytes: u64) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            // Not twice at the same place.
            bytes = bytes * 7 / 5 + 11;
            let Ok(server) = tokio::net::TcpStream::connect(("127.0.0.1", port)).await else {
                continue;
            };
            let allowed = bytes;
            tokio::spawn(async move {
                let (mut from_client, mut to_client) = client.into_split();
                let (from_server, mut to_server) = server.into_split();
                let mut from_server = tokio::io::AsyncReadExt::take(from_server, allowed);
                tokio::select! {
                    _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
                    _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
                }
            });
        }
    });
    own
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_network_cuts_in_the_middle_of_an_event() {
    let Some(release) = release("a network that cuts") else { return };
    let server = Server::start(&release, &["--max-binlog-size=65536"]).await;
    prepare(&server).await;
    let (_, archive) = archive_in(server.dir.path());
    let mut source = server.source();
    source.address = Address::Tcp(String::from("127.0.0.1"), cutting(server.port, 1_500).await);
    let keeper = Keeper::begin(source, archive, wish(Start::Oldest));
    let writers = Writers::begin(&server, 2, Duration::from_millis(1));
    pause(6_000).await;
    writers.end().await;
    keeper.is_whole().await;
    let lost = keeper.told.lock().unwrap().iter().filter(|word| word.starts_with("lost")).count();
    assert!(lost >= 5, "it was cut: {lost}");
    let (archive, done) = keeper.end().await;
    done.unwrap();
    assert!(compare(&archive, &server.data()) > 2, "several files");
}

/// The offset after the first event of the last transaction in a log.
fn inside_the_last(bytes: &[u8]) -> usize {
    let (mut at, mut inside) = (4, 0);
    while let Some(size) = bytes.get(at + 9..at + 13) {
        let size = usize::try_from(u32::from_le_bytes(size.try_into().unwrap())).unwrap();
        let event = Event::read(&bytes[at..at + size]).unwrap();
        at += size;
        if event.kind == Kind::MariaDbGtid {
            inside = at;
        }
    }
    inside
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_never_ended_is_kept_and_not_played() {
    for release in releases("a torn log") {
        let mut server = Server::start(&release, &[]).await;
        prepare(&server).await;
        let dump = dumped(&server, &["town", "other"], "first").await;
        let row = |id| format!("INSERT INTO town.rows VALUES ({id}, 'word', NULL)");
        server.say(&[&row(1), &row(2)]).await;
        server.kill();
        // As after a loss of power: the end of the log was not on the disk.
        let path = server.data().join("log-bin.000001");
        let torn = inside_the_last(&std::fs::read(&path).unwrap()) as u64;
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_len(torn).unwrap();
        server.begin().await;
        server.say(&["REPLACE INTO town.rows VALUES (3, 'word', NULL)"]).await;
        let (_, archive) = archive_in(server.dir.path());
        let keeper = Keeper::begin(server.source(), archive, wish(Start::Oldest));
        keeper.is_whole().await;
        let (archive, done) = keeper.end().await;
        done.unwrap();
        assert_eq!(compare(&archive, &server.data()), 2);
        let kept = Kept { archive: &archive, dumps: vec![dump] };
        let scratch = Server::start(&release, &[]).await;
        kept.restore(&scratch, &Target::Latest, &Way::default()).await;
        assert_eq!(rows_of(&scratch).await, [1, 3].into());
    }
}
