//! A database goes back to a second, to a transaction and to the last thing kept, from a dump that was
//! made under load and the log that was kept since.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use vigie::backup::binlog::{Archive, Start, Way, gather, release as release_to};
use vigie_core::binlog::Target;

use crate::keeper::{Keeper, Kept, archive_in, compare, dumped, wish};
use crate::server::{Release, Server, releases};
use crate::writer::{Writers, judge, now, prepare, rows_of};

async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

async fn there_and_back(release: &Release) {
    let server = Server::start(release, &[]).await;
    prepare(&server).await;
    let (_, archive) = archive_in(server.dir.path());
    let keeper = Keeper::begin(server.source(), archive, wish(Start::Oldest));
    let writers = Writers::begin(&server, 4, Duration::from_millis(3));
    pause(1_500).await;
    let first = dumped(&server, &["town", "other"], "first").await;
    pause(1_500).await;
    server.say(&["FLUSH BINARY LOGS"]).await;
    pause(1_500).await;
    let second = dumped(&server, &["town", "other"], "second").await;
    pause(2_500).await;
    let before = now();
    let mut root = server.root().await;
    let name: Option<String> = root.query_first("SELECT @@gtid_binlog_pos").await.unwrap();
    // Of its own millisecond nobody knows what was first.
    let after = now() + 1;
    root.disconnect().await.unwrap();
    pause(1_000).await;
    let written = writers.end().await;
    keeper.is_whole().await;
    let (archive, done) = keeper.end().await;
    done.unwrap();
    assert!(compare(&archive, &server.data()) >= 2, "the log was rotated");
    // What is kept for long is taken over in two turns, and is the same in fewer pieces.
    let (dir, small) = (server.dir.path(), archive.segments().unwrap().len());
    let (half, kept) = (dir.join("half"), dir.join("kept-long"));
    std::fs::create_dir(&half).unwrap();
    for segment in archive.segments().unwrap().iter().take(small / 2) {
        for path in [archive.path(segment), archive.path(segment).with_extension("json")] {
            std::fs::copy(&path, half.join(path.file_name().unwrap())).unwrap();
        }
    }
    assert_eq!(gather(&half, &kept).unwrap(), small / 2);
    let from = archive.path(&archive.segments().unwrap()[0]).parent().unwrap().to_owned();
    assert_eq!(gather(&from, &kept).unwrap(), small - small / 2);
    assert_eq!(gather(&from, &kept).unwrap(), 0, "a third turn has nothing to do");
    let long = Archive::open(&kept).unwrap();
    assert!(long.segments().unwrap().len() < small, "{small}");
    assert_eq!(compare(&long, &server.data()), compare(&archive, &server.data()));
    assert_eq!(long.covered().unwrap(), archive.covered().unwrap());
    release_to(&from, &kept).unwrap();
    let last = archive.segments().unwrap();
    assert_eq!(last.len(), 1, "the stream goes on after the last one");
    let archive = long;
    let begun = first.1.place.as_ref().unwrap().taken;
    let ended = before / 1_000;
    let kept = Kept { archive: &archive, dumps: vec![first, second] };

    let scratch = Server::start(release, &[]).await;
    for at in [begun + 1, begun + 3, ended - 1, ended] {
        let groups = kept.restore(&scratch, &Target::Moment(at), &Way::default()).await;
        let rows = rows_of(&scratch).await;
        assert!(groups > 0 && !rows.is_empty(), "{at}");
        judge(&written, &rows, at * 1_000, at * 1_000);
    }
    // Nothing of it is in the scratch server's own log but the dumps.
    let mut root = scratch.root().await;
    let names: Option<String> = root.query_first("SELECT @@gtid_binlog_pos").await.unwrap();
    assert!(names.unwrap().split(',').all(|name| name.starts_with("0-7-")), "{name:?}");
    root.disconnect().await.unwrap();

    kept.restore(&scratch, &Target::Latest, &Way::default()).await;
    let rows = rows_of(&scratch).await;
    judge(&written, &rows, i64::MAX, i64::MAX);
    assert_eq!(rows, rows_of(&server).await);
    // The same rows with the same values, not only as many.
    let (again, original) = (
        dumped(&scratch, &["town", "other"], "").await.1,
        dumped(&server, &["town", "other"], "").await.1,
    );
    assert_eq!(again.survey.tables(), original.survey.tables());
    assert_eq!(again.survey.tables()["town.rows"].rows, rows.len() as u64);

    let target = Target::Gtid(name.unwrap().parse().unwrap());
    kept.restore(&scratch, &target, &Way::default()).await;
    let there = rows_of(&scratch).await;
    judge(&written, &there, before, after);
    assert!(there.len() < rows.len(), "what came later is not there");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_row_before_the_moment_is_there_and_none_after() {
    for release in releases("going back to a moment") {
        there_and_back(&release).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_says_what_is_in_it_at_its_very_moment() {
    for release in releases("counts of a dump") {
        let server = Server::start(&release, &[]).await;
        prepare(&server).await;
        server
            .say(&[
                "CREATE PROCEDURE town.p() INSERT INTO town.rows VALUES (0, 'x', NULL)",
                "CREATE VIEW town.v AS SELECT id FROM town.rows",
                "CREATE TRIGGER town.t BEFORE INSERT ON town.rows FOR EACH ROW SET NEW.word = NEW.word",
                "CREATE TABLE town.odd (`VALUES` TEXT, g INT AS (1 + 1) STORED)",
                "INSERT INTO town.odd (`VALUES`) VALUES ('a''b;\\n(1),(2)'), (NULL), ('\\\\')",
            ])
            .await;
        let writers = Writers::begin(&server, 3, Duration::from_millis(1));
        pause(700).await;
        let (bytes, done) = dumped(&server, &["town"], "").await;
        writers.end().await;
        let scratch = Server::start(&release, &[]).await;
        let (tools, client) = (scratch.tools(), scratch.client());
        let input = Box::new(std::io::Cursor::new(bytes));
        vigie::backup::database::play(&tools, &client, input).await.unwrap();
        let rows = rows_of(&scratch).await.len() as u64;
        assert!(rows > 0);
        assert_eq!(done.survey.tables()["town.rows"].rows, rows);
        assert_eq!(done.survey.tables()["town.odd"].rows, 3);
        let again = dumped(&scratch, &["town"], "").await.1;
        assert_eq!(again.survey.tables(), done.survey.tables());
        scratch.say(&["UPDATE town.rows SET word = 'y' LIMIT 1"]).await;
        let changed = dumped(&scratch, &["town"], "").await.1;
        assert_ne!(changed.survey.tables(), done.survey.tables());
        assert_eq!(changed.survey.tables().len(), 2, "a view is no table");
    }
}
