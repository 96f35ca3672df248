//! Does: a consistent dump of a database and its way back. What a dump does not say itself about where
//! the server's log stood is asked before it. Never says that a dump is whole when it is not.

use bytes::Bytes;
use tokio::io::AsyncRead;
use tokio::sync::mpsc;
use vigie_core::binlog::Dump;

use super::client::{DUMP, SHELL, bare, said};
use super::{Client, DatabaseError, Survey, Tools};

/// Pieces that wait for whoever is slower.
const WAITING: usize = 64;

/// The most that any server sends or takes at once.
const LARGE: &str = "--max-allowed-packet=1G";

/// What a dump shall have.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The schemas.
    pub schemas: Vec<String>,
    /// Whether it tells where the server's log stood, which needs a server that keeps one.
    pub place: bool,
}

/// A dump that is whole.
#[derive(Debug, Clone)]
pub struct Dumped {
    /// What is in it.
    pub survey: Survey,
    /// Where a replay of the log goes on, when that was wanted; its `id` is for the caller to fill.
    pub place: Option<Dump>,
}

/// The server's clock against this host's, and its id.
#[derive(Debug, Clone, Copy)]
struct Server {
    id: u32,
    /// Milliseconds that it is ahead at most: a dump must not be taken for older than it is.
    ahead: i64,
}

/// Prints a consistent dump into `output`, as the server has it at one moment.
///
/// # Errors
/// The program cannot be run, fails, or does not tell what was wanted.
pub async fn dump(
    tools: &Tools<'_>,
    client: &Client,
    wish: &Wish,
    output: mpsc::Sender<Bytes>,
) -> Result<Dumped, DatabaseError> {
    let mut arguments = vec![
        "--single-transaction",
        "--quick",
        "--routines",
        "--triggers",
        "--events",
        "--hex-blob",
        "--no-tablespaces",
        // The programs take less than a server does by themselves, and a large row ends a dump.
        LARGE,
        // The same data is the same dump, so that it costs nothing to keep it again.
        "--skip-dump-date",
        // Its last line says that it is whole.
        "--comments",
        "--add-drop-database",
    ];
    let mut server = None;
    if wish.place {
        let version = said(tools, DUMP[0], &bare(DUMP, &["--version"])).await?;
        arguments.extend(words_for_place(&version));
        server = Some(ask(tools, client).await?);
    }
    arguments.push("--databases");
    arguments.extend(wish.schemas.iter().map(String::as_str));
    let program = client.call(DUMP, &arguments);
    let (sender, mut receiver) = mpsc::channel::<Bytes>(WAITING);
    let pass = async {
        let mut survey = Survey::default();
        let mut seen = None;
        while let Some(piece) = receiver.recv().await {
            survey.take(&piece);
            if survey.at().is_some() {
                seen.get_or_insert_with(crate::clock::wall_ms);
            }
            // Whoever reads no more has failed, and says so itself.
            let _ = output.send(piece).await;
        }
        (survey, seen)
    };
    let (ended, (survey, seen)) =
        tokio::join!(tools.run(DUMP[0], &program, None, Some(sender)), pass);
    ended?;
    let wrong = |why: &str| {
        let (program, place) = (DUMP[0].to_owned(), tools.place());
        DatabaseError::Output { program, place, why: why.to_owned() }
    };
    if !survey.is_complete() {
        return Err(wrong("its dump has no end"));
    }
    let place = match server {
        None => None,
        Some(server) => {
            let at = survey.at().cloned().zip(seen);
            let (at, seen) =
                at.ok_or_else(|| wrong("its dump does not tell where the log stood"))?;
            let gtids = survey.gtids().map(str::to_owned);
            let taken = (seen + server.ahead).div_euclid(1_000);
            Some(Dump { id: String::new(), server: server.id, at, gtids, taken })
        }
    };
    Ok(Dumped { survey, place })
}

/// Whether a dump of `schema` can tell where the server's log stood: a server without one has none to tell,
/// and an account that may not ask makes it fail. Prints the tables without their rows, into nothing.
///
/// # Errors
/// Why it cannot although there is a log.
pub(in crate::backup) async fn may_place(
    tools: &Tools<'_>,
    client: &Client,
    schema: &str,
) -> Result<bool, DatabaseError> {
    if client.ask(tools, "SELECT @@log_bin").await?.trim() == "0" {
        return Ok(false);
    }
    let version = said(tools, DUMP[0], &bare(DUMP, &["--version"])).await?;
    let mut arguments = vec!["--single-transaction", "--no-data", "--no-tablespaces"];
    arguments.extend(words_for_place(&version));
    arguments.extend(["--databases", schema]);
    said(tools, DUMP[0], &client.call(DUMP, &arguments)).await.map(|_| true)
}

/// The words by which the two programs tell where the log stood, as comments.
fn words_for_place(version: &str) -> Vec<&'static str> {
    if version.contains("MariaDB") {
        return vec!["--master-data=2", "--gtid"];
    }
    // 8.0.26 has a new word, and 8.4 no longer the old one.
    let number = version.split_once("Ver ").map_or(version, |(_, rest)| rest);
    let mut parts = number.split(['.', '-', ' ']).map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    let renamed = (next(), next(), next()) >= (8, 0, 26);
    vec![if renamed { "--source-data=2" } else { "--master-data=2" }, "--set-gtid-purged=COMMENTED"]
}

async fn ask(tools: &Tools<'_>, client: &Client) -> Result<Server, DatabaseError> {
    let sql = "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED), @@server_id";
    let here = crate::clock::wall_ms();
    let text = client.ask(tools, sql).await?;
    let parts = text.split_once('\t');
    let read = parts.and_then(|(now, id)| Some((now.parse::<i64>().ok()?, id.parse().ok()?)));
    let (now, id) = read.ok_or_else(|| DatabaseError::Output {
        program: SHELL[0].to_owned(),
        place: tools.place(),
        why: String::from("the server does not tell its clock and its id"),
    })?;
    Ok(Server { id, ahead: now - here })
}

/// Plays statements back, a dump or a log's: `input` to its end.
///
/// # Errors
/// The program cannot be run, or a statement fails.
pub async fn play(
    tools: &Tools<'_>,
    client: &Client,
    input: Box<dyn AsyncRead + Send + Unpin>,
) -> Result<(), DatabaseError> {
    let program = client.call(SHELL, &["--binary-mode", LARGE]);
    tools.run(SHELL[0], &program, Some(input), None).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_is_asked_in_its_own_words() {
        let maria =
            "mariadb-dump  Ver 10.19 Distrib 10.11.14-MariaDB, for debian-linux-gnu (x86_64)";
        assert_eq!(words_for_place(maria), ["--master-data=2", "--gtid"]);
        for (version, word) in [
            ("mysqldump  Ver 8.0.36 for Linux on x86_64", "--source-data=2"),
            ("mysqldump  Ver 8.4.0 for Linux on x86_64", "--source-data=2"),
            ("mysqldump  Ver 8.0.22 for Linux on x86_64", "--master-data=2"),
        ] {
            assert_eq!(words_for_place(version)[0], word, "{version}");
        }
    }
}
