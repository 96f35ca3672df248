//! Every form in which a server writes its log is kept byte for byte and plays back to the same data.

use std::collections::BTreeMap;
use std::process::Command;

use mysql_async::prelude::Queryable;
use vigie::backup::binlog::{BinlogError, Start, Way, cut, prove};
use vigie::backup::database::Count;
use vigie_core::binlog::{Position, Target};

use crate::keeper::{Keeper, Kept, archive_in, compare, dumped, wish};
use crate::server::{Release, Server, release, releases};
use crate::writer::{prepare, rows_of};

async fn tables(server: &Server) -> BTreeMap<String, Count> {
    dumped(server, &["town", "other"], "").await.1.survey.tables().clone()
}

/// What an addon, an administrator and an old program do.
const DEEDS: [&str; 22] = [
    "CREATE TABLE town.auto (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(40), at TIMESTAMP(6) \
     DEFAULT CURRENT_TIMESTAMP(6)) ENGINE=InnoDB",
    "INSERT INTO town.auto (v) VALUES (RAND()), (UUID()), (NOW(6))",
    "SET @word = 'it''s; a \\\\ word'",
    "INSERT INTO town.auto (v) VALUES (@word), (LAST_INSERT_ID())",
    "CREATE TABLE town.old (a INT, b TEXT) ENGINE=MyISAM",
    "INSERT INTO town.old VALUES (1, 'x'), (2, REPEAT('long ', 200))",
    "BEGIN",
    "INSERT INTO town.auto (v) VALUES ('one')",
    "SAVEPOINT s",
    "INSERT INTO town.auto (v) VALUES ('two')",
    "INSERT INTO town.old VALUES (3, 'stays')",
    "ROLLBACK TO s",
    "INSERT INTO other.rows VALUES (1)",
    "COMMIT",
    "XA START 'x'",
    "INSERT INTO town.auto (v) VALUES ('xa')",
    "XA END 'x'",
    "XA PREPARE 'x'",
    "XA COMMIT 'x'",
    "CREATE TABLE town.copy ENGINE=InnoDB AS SELECT * FROM town.auto",
    "ALTER TABLE town.copy ADD COLUMN n INT NOT NULL DEFAULT 4",
    "TRUNCATE TABLE town.old",
];

async fn there_and_back(release: &Release, options: &[&str]) {
    let server = Server::start(release, options).await;
    prepare(&server).await;
    let (_, archive) = archive_in(server.dir.path());
    let keeper = Keeper::begin(server.source(), archive, wish(Start::Oldest));
    let dump = dumped(&server, &["town", "other"], "first").await;
    server.say(&DEEDS).await;
    // More than a packet of the protocol holds, in one event.
    let large = "INSERT INTO town.rows VALUES (9, 'large', NULL)";
    let grow = "ALTER TABLE town.rows MODIFY data LONGBLOB";
    let times =
        if options.iter().any(|word| word.contains("compress")) { 1_000 } else { 1_200_000 };
    let fill = "UPDATE town.rows SET data = REPEAT('0123456789abcdef', ";
    let fill = &format!("{fill}{times}) WHERE id = 9");
    server.say(&[grow, large, fill, "FLUSH BINARY LOGS"]).await;
    server.say(&["INSERT INTO town.rows VALUES (10, 'last', 0xFF00)"]).await;
    keeper.is_whole().await;
    let (archive, done) = keeper.end().await;
    done.unwrap();
    assert_eq!(compare(&archive, &server.data()), 2, "{options:?}");
    let kept = Kept { archive: &archive, dumps: vec![dump] };
    let scratch = Server::start(release, &["--max-allowed-packet=64M"]).await;
    kept.restore(&scratch, &Target::Latest, &Way::default()).await;
    assert_eq!(rows_of(&scratch).await, [9, 10].into(), "{options:?}");
    assert_eq!(tables(&scratch).await, tables(&server).await, "{options:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_a_log_comes_back() {
    for release in releases("forms of a log") {
        for options in [
            &["--binlog-format=ROW"][..],
            &["--binlog-format=ROW", "--log-bin-compress=ON", "--binlog-checksum=NONE"],
            &["--binlog-format=MIXED", "--log-bin-compress=ON", "--binlog-row-image=MINIMAL"],
        ] {
            let options = [options, &["--max-allowed-packet=64M"]].concat();
            there_and_back(&release, &options).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_begins_at_a_place_or_behind_a_name_and_each_piece_reads_by_itself() {
    for release in releases("a log from its middle on") {
        let server = Server::start(&release, &[]).await;
        prepare(&server).await;
        server.say(&["INSERT INTO town.rows VALUES (1, 'before', NULL)"]).await;
        let dump = dumped(&server, &["town", "other"], "first").await;
        let place = dump.1.place.clone().unwrap();
        let starts = [Start::At(place.at.clone()), Start::After(place.gtids.clone().unwrap())];
        for start in starts {
            let dir = tempfile::tempdir().unwrap();
            let (_, archive) = archive_in(dir.path());
            let keeper = Keeper::begin(server.source(), archive, wish(start));
            let id = crate::writer::now() % 1_000_000;
            server.say(&[&format!("INSERT INTO town.rows VALUES ({id}, 'after', NULL)")]).await;
            keeper.hears(|word| word.starts_with("sealed")).await;
            server.say(&[&format!("INSERT INTO town.rows VALUES ({id} + 1, 'more', NULL)")]).await;
            keeper.is_whole().await;
            let (archive, done) = keeper.end().await;
            done.unwrap();
            let segments = archive.segments().unwrap();
            assert_eq!(Position::new(segments[0].file.clone(), segments[0].first), place.at);
            for segment in &segments {
                let program = server.program("mariadb-binlog");
                let output = Command::new(program).arg(archive.path(segment)).output().unwrap();
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            }
            let kept = Kept { archive: &archive, dumps: vec![dump.clone()] };
            let scratch = Server::start(&release, &[]).await;
            kept.restore(&scratch, &Target::Latest, &Way::default()).await;
            assert_eq!(tables(&scratch).await, tables(&server).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_database_comes_back_alone_or_not_at_all() {
    let Some(release) = release("one database of several") else { return };
    let server = Server::start(&release, &[]).await;
    prepare(&server).await;
    let (_, archive) = archive_in(server.dir.path());
    let keeper = Keeper::begin(server.source(), archive, wish(Start::Oldest));
    let dump = dumped(&server, &["town"], "first").await;
    server
        .say(&[
            "INSERT INTO town.rows VALUES (1, 'ours', NULL)",
            "INSERT INTO other.rows VALUES (1)",
            "USE other",
            "INSERT INTO town.rows VALUES (2, 'ours, said elsewhere', NULL)",
        ])
        .await;
    keeper.is_whole().await;
    let (archive, done) = keeper.end().await;
    done.unwrap();
    let scratch = Server::start(&release, &[]).await;
    scratch.say(&["CREATE DATABASE other"]).await;
    scratch.say(&["CREATE TABLE other.rows (id INT UNSIGNED PRIMARY KEY)"]).await;
    let kept = Kept { archive: &archive, dumps: vec![dump] };
    let way = Way { only: Some(String::from("town")), logged: true };
    kept.restore(&scratch, &Target::Latest, &way).await;
    assert_eq!(rows_of(&scratch).await, [1, 2].into());
    let mut root = scratch.root().await;
    let others: Option<u64> = root.query_first("SELECT COUNT(*) FROM other.rows").await.unwrap();
    assert_eq!(others, Some(0), "nothing of the other database");
    let sql = "SHOW BINLOG EVENTS";
    let logged: Vec<mysql_async::Row> = root.query(sql).await.unwrap();
    let told = logged.iter().filter_map(|row| row.get::<String, _>(5));
    assert!(told.filter(|info| info.contains("GTID 0-7-")).count() > 5, "it is logged when wanted");
    root.disconnect().await.unwrap();
    let Kept { dumps, .. } = kept;

    // As a statement it would be lost: it names ours and was said in another.
    let keeper = Keeper::begin(server.source(), archive, wish(Start::Oldest));
    server
        .say(&[
            "SET SESSION binlog_format = 'STATEMENT'",
            "USE other",
            "UPDATE town.rows SET word = 'changed' WHERE id = 1",
        ])
        .await;
    keeper.is_whole().await;
    let (archive, done) = keeper.end().await;
    done.unwrap();
    let kept = Kept { archive: &archive, dumps };
    let plan = kept.plan(&Target::Latest);
    let error = cut(&archive, &plan, Some("town")).unwrap_err();
    assert!(
        matches!(&error, BinlogError::Foreign { said_in, .. } if said_in == "other"),
        "{error}"
    );
    assert!(cut(&archive, &plan, None).unwrap().groups >= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_that_was_changed_is_not_played() {
    let Some(release) = release("a damaged piece") else { return };
    let server = Server::start(&release, &["--binlog-checksum=NONE"]).await;
    prepare(&server).await;
    let (_, archive) = archive_in(server.dir.path());
    let keeper = Keeper::begin(server.source(), archive, wish(Start::Oldest));
    let dump = dumped(&server, &["town"], "first").await;
    server.say(&["INSERT INTO town.rows VALUES (1, 'a word', NULL)"]).await;
    keeper.is_whole().await;
    let (archive, done) = keeper.end().await;
    done.unwrap();
    let last = archive.path(archive.segments().unwrap().last().unwrap());
    let mut bytes = std::fs::read(&last).unwrap();
    let at = bytes.windows(6).position(|word| word == b"a word").unwrap();
    bytes[at] = b'A';
    std::fs::write(&last, bytes).unwrap();
    let kept = Kept { archive: &archive, dumps: vec![dump] };
    let error = cut(&archive, &kept.plan(&Target::Latest), None).unwrap_err();
    assert!(error.to_string().contains("is not what was sealed"), "{error}");
    let error = prove(&archive).unwrap_err();
    assert!(error.to_string().contains("is not what was sealed"), "{error}");
    std::fs::write(&last, b"short").unwrap();
    let error = archive.segments().unwrap_err();
    assert!(error.to_string().contains("has 5 bytes"), "{error}");
}
