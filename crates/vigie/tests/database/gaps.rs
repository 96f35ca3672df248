//! What is missing is named, and what is not there to be read is said with what to do about it.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use vigie::backup::binlog::{Archive, BinlogError, Start, prove};
use vigie_core::binlog::{Gap, Refusal, Segment, Target, pick};

use crate::keeper::{Keeper, archive_in, compare, dumped, wish};
use crate::server::{Server, release};
use crate::writer::{now, prepare};

/// A server of which something is kept; nobody keeps it now.
async fn kept(server: &Server) -> Archive {
    prepare(server).await;
    let (_, archive) = archive_in(server.dir.path());
    let keeper = Keeper::begin(server.source(), archive, wish(Start::Oldest));
    server.say(&["INSERT INTO town.rows VALUES (1, 'a', NULL)"]).await;
    keeper.is_whole().await;
    let (archive, done) = keeper.end().await;
    done.unwrap();
    archive
}

/// Waits until the server knows that the reader is gone; a log that is read is not purged.
async fn nobody_reads(server: &Server) {
    let mut root = server.root().await;
    let sql = "SELECT COUNT(*) FROM information_schema.processlist WHERE command LIKE 'Binlog%'";
    for _ in 0..200 {
        if root.query_first(sql).await.unwrap() == Some(0) {
            root.disconnect().await.unwrap();
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the reader is gone and the server goes on sending");
}

async fn refused(server: &Server, archive: Archive) -> (Archive, BinlogError) {
    let keeper = Keeper::begin(server.source(), archive, wish(Start::Oldest));
    keeper.done().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_purged_is_a_gap_and_a_new_chain_goes_on_after_it() {
    let Some(release) = release("a purged log") else { return };
    let server = Server::start(&release, &[]).await;
    let archive = kept(&server).await;
    let first = dumped(&server, &["town"], "first").await.1.place.unwrap();
    let before = now() / 1_000;
    nobody_reads(&server).await;
    server
        .say(&[
            "FLUSH BINARY LOGS",
            "INSERT INTO town.rows VALUES (2, 'lost', NULL)",
            "FLUSH BINARY LOGS",
            "PURGE BINARY LOGS TO 'log-bin.000003'",
        ])
        .await;
    let (archive, error) = refused(&server, archive).await;
    let BinlogError::Gap(gap) = &error else { panic!("{error}") };
    assert!(matches!(gap, Gap::Refused { .. }), "{gap}");
    assert!(error.to_string().contains("log-bin.000001"), "{error}");

    archive.break_chain(gap, now()).unwrap();
    let keeper = Keeper::begin(server.source(), archive, wish(Start::Oldest));
    keeper.hears(|word| word.starts_with("sealed log-bin.000003")).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let second = dumped(&server, &["town"], "second").await.1.place.unwrap();
    let after = second.taken + 1;
    keeper.is_whole_until(after).await;
    let (archive, done) = keeper.end().await;
    done.unwrap();
    let (segments, covered) = (archive.segments().unwrap(), archive.covered().unwrap());
    assert_eq!(segments.last().unwrap().chain, 1);
    assert_eq!(archive.breaks().unwrap()[0].ends.as_ref().unwrap().file, "log-bin.000001");
    let dumps = [first, second.clone()];
    let pick = |second| pick(&dumps, &segments, covered.as_ref(), &Target::Moment(second));
    let refusal = pick(second.taken).unwrap_err();
    let Refusal::Gap { ends, after: Some(possible), .. } = &refusal else { panic!("{refusal:?}") };
    assert_eq!((ends.file.as_str(), *possible), ("log-bin.000001", second.taken + 1));
    assert!(*possible > before);
    assert_eq!(pick(after).unwrap().dump.id, "second");

    let proof = prove(&archive).unwrap();
    assert_eq!((proof.gaps, proof.pieces), (1, segments.len() as u64));
    assert_eq!(proof.groups, segments.iter().map(|segment| segment.groups).sum::<u64>());
    assert_eq!(proof.ends, segments.last().map(Segment::end));
    // The same gap, when nobody noted it.
    let first = archive.path(&segments[0]);
    std::fs::remove_file(first.with_file_name("breaks.state")).unwrap();
    let error = prove(&archive).unwrap_err().to_string();
    assert!(error.contains("does not go on from log-bin.000001"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_reset_is_not_taken_for_the_one_that_was_kept() {
    let Some(release) = release("a log that was reset") else { return };
    let server = Server::start(&release, &[]).await;
    let archive = kept(&server).await;
    // The same file name, and longer than what is kept of the old one: only its bytes differ.
    server.say(&["RESET MASTER", "DROP DATABASE town", "DROP DATABASE other"]).await;
    prepare(&server).await;
    server.say(&["INSERT INTO town.rows VALUES (1, 'b', NULL)"]).await;
    server.say(&["INSERT INTO town.rows VALUES (2, 'b', NULL)"]).await;
    let (_, error) = refused(&server, archive).await;
    assert!(matches!(error, BinlogError::Gap(Gap::Foreign(_) | Gap::Refused { .. })), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_reset_to_less_than_is_kept_is_a_gap() {
    let Some(release) = release("a log that was reset") else { return };
    let server = Server::start(&release, &[]).await;
    let archive = kept(&server).await;
    server.say(&["RESET MASTER"]).await;
    let (_, error) = refused(&server, archive).await;
    assert!(matches!(error, BinlogError::Gap(Gap::Refused { .. })), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_is_not_taken_for_the_one_that_was_kept() {
    let Some(release) = release("another server") else { return };
    let mut server = Server::start(&release, &[]).await;
    let archive = kept(&server).await;
    server.kill();
    server.set_options(&["--server-id=8"]);
    server.begin().await;
    let (archive, error) = refused(&server, archive).await;
    let other = BinlogError::Gap(Gap::OtherServer { kept: 7, found: 8 });
    assert_eq!(error.to_string(), other.to_string());
    // What is kept is as it was.
    compare(&archive, &server.data());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_damaged_on_the_servers_disk_is_not_kept() {
    let Some(release) = release("a damaged log") else { return };
    let server = Server::start(&release, &[]).await;
    prepare(&server).await;
    let (_, archive) = archive_in(server.dir.path());
    let row = |id, word| format!("INSERT INTO town.rows VALUES ({id}, '{word}', NULL)");
    server.say(&[&row(1, "good"), &row(2, "damaged"), "FLUSH BINARY LOGS"]).await;
    let path = server.data().join("log-bin.000001");
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(7).rposition(|word| word == b"damaged").unwrap();
    bytes[at] = b'D';
    std::fs::write(&path, bytes).unwrap();
    let (archive, error) = refused(&server, archive).await;
    assert!(matches!(error, BinlogError::Event(_)), "{error}");
    assert!(error.to_string().contains("whose checksum is"), "{error}");
    // What is in front of it is kept.
    let last = archive.segments().unwrap().pop().unwrap();
    assert!(last.groups > 0 && last.last < at as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_said_with_what_to_do() {
    let Some(release) = release("a server without a log") else { return };
    let mut server = Server::start(&release, &[]).await;
    let (path, archive) = archive_in(server.dir.path());
    server
        .say(&[
            "CREATE USER poor@'127.0.0.1' IDENTIFIED BY 'x'",
            "GRANT SELECT ON *.* TO poor@'127.0.0.1'",
        ])
        .await;
    let mut source = server.source();
    (source.user, source.password) = (String::from("poor"), String::from("x"));
    let keeper = Keeper::begin(source.clone(), archive, wish(Start::Oldest));
    let (archive, error) = keeper.done().await;
    assert!(matches!(error, BinlogError::Privilege { .. }), "{error}");
    assert!(error.to_string().contains("GRANT REPLICATION SLAVE"), "{error}");

    // With what the message names, and no more, it works.
    let begin = error.to_string().find("GRANT").unwrap();
    let grant = error.to_string()[begin..].replace("'%'", "'127.0.0.1'");
    server.say(&[grant.trim_end_matches(';')]).await;
    let keeper = Keeper::begin(source.clone(), archive, wish(Start::Oldest));
    keeper.is_whole().await;
    let (archive, done) = keeper.end().await;
    done.unwrap();
    compare(&archive, &server.data());

    source.password = String::from("y");
    let (archive, error) = Keeper::begin(source, archive, wish(Start::Oldest)).done().await;
    assert!(matches!(error, BinlogError::Login { .. }), "{error}");

    server.kill();
    server.set_options(&["--skip-log-bin"]);
    server.begin().await;
    let (archive, error) = refused(&server, archive).await;
    assert!(matches!(error, BinlogError::NoLog), "{error}");
    assert!(error.to_string().contains("--log-bin"), "{error}");

    assert!(matches!(Archive::open(&path), Err(BinlogError::Busy(_))), "one at a time has it");
    drop(archive);
    Archive::open(&path).unwrap();
}
