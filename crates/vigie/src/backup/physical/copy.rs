//! Does: streams a copy of a running server's files out of the server's container. Never says that a copy
//! is whole when it is not.

use bytes::Bytes;
use tokio::sync::mpsc;
use vigie_core::binlog::Dump;

use super::stream::Stream;
use super::{Physical, TOOL, count};
use crate::backup::binlog::Address;
use crate::backup::database::{Client, Count, DatabaseError, Tools, bare};
use crate::runtime::docker::Program;

/// Pieces that wait for whoever is slower.
const WAITING: usize = 64;
/// The rights that the account needs beside those of a dump.
const RIGHTS: &str = "RELOAD, PROCESS, LOCK TABLES, REPLICATION CLIENT";

/// A copy that is whole.
#[derive(Debug, Clone)]
pub(in crate::backup) struct Copied {
    /// What it is.
    pub(in crate::backup) physical: Physical,
    /// Files in it.
    pub(in crate::backup) files: u64,
    /// The rows of the schema's tables; exactly those of the copy when nothing was written meanwhile.
    pub(in crate::backup) tables: std::collections::BTreeMap<String, Count>,
    /// Where a replay of the log goes on; its `id` is for the caller to fill.
    pub(in crate::backup) place: Option<Dump>,
}

/// Streams a copy of the server into `output`, and counts the rows of `schema`.
///
/// # Errors
/// The tool cannot be run or fails, or its stream is not whole.
pub(in crate::backup) async fn copy(
    tools: &Tools<'_>,
    client: &Client,
    schema: &str,
    output: mpsc::Sender<Bytes>,
) -> Result<Copied, DatabaseError> {
    let data = client.ask(tools, "SELECT @@datadir").await?;
    let server = client.ask(tools, "SELECT @@server_id, @@version").await?;
    let (id, version) = server.split_once('\t').unwrap_or(("0", &server));
    let before = count::written(tools, client).await;
    let program = program(client, &data);
    let (sender, mut receiver) = mpsc::channel::<Bytes>(WAITING);
    let pass = async {
        let mut stream = Stream::default();
        while let Some(piece) = receiver.recv().await {
            stream.take(&piece);
            // Whoever reads no more has failed, and says so itself.
            let _ = output.send(piece).await;
        }
        stream
    };
    let (ended, stream) = tokio::join!(tools.run(TOOL[0], &program, None, Some(sender)), pass);
    ended.map_err(|error| advised(error, &client.user))?;
    if let Some(why) = stream.fault() {
        let (program, place) = (TOOL[0].to_owned(), tools.place());
        return Err(DatabaseError::Output { program, place, why });
    }
    // The copy is of a moment before this one, by the server's own clock.
    let now = client.ask(tools, "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)").await?;
    let tables = count::rows(tools, client, schema).await?;
    let after = count::written(tools, client).await;
    let place = stream.place().zip(now.parse::<i64>().ok()).map(|((at, gtids), now)| Dump {
        id: String::new(),
        server: id.parse().unwrap_or_default(),
        at,
        gtids,
        taken: now.div_euclid(1_000) + 1,
    });
    let tool = stream.says("tool_version").unwrap_or_default();
    let tool = format!("{} {tool}", stream.says("tool_name").as_deref().unwrap_or(TOOL[0]));
    let physical = Physical {
        tool: tool.trim().to_owned(),
        server: version.to_owned(),
        exact: before.is_some() && before == after,
    };
    Ok(Copied { physical, files: stream.files(), tables, place })
}

/// The tool takes the password from its environment as the other client programs do, and not their word
/// for the way to the server.
fn program(client: &Client, data: &str) -> Program {
    let (datadir, user) = (format!("--datadir={data}"), format!("--user={}", client.user));
    // Nothing is put there: it is where a copy that is no stream would go.
    let target = "--target-dir=/tmp/vigie-copy";
    let mut program = bare(TOOL, &["--backup", "--stream=xbstream", target, &datadir, &user]);
    match &client.address {
        Some(Address::Socket(path)) => {
            program.arguments.push(format!("--socket={}", path.display()));
        }
        Some(Address::Tcp(host, port)) => {
            program.arguments.extend([format!("--host={host}"), format!("--port={port}")]);
        }
        None => {}
    }
    program.env.push((String::from("MYSQL_PWD"), client.password.clone()));
    program
}

/// What an account that may not would need.
fn advised(error: DatabaseError, user: &str) -> DatabaseError {
    match error {
        DatabaseError::Program { program, place, code, why }
            if why.contains("privilege") || why.contains("ccess denied") =>
        {
            let why = format!("{why}; a copy needs: GRANT {RIGHTS} ON *.* TO '{user}'@'%'");
            DatabaseError::Program { program, place, code, why }
        }
        DatabaseError::Program { program, place, code: 127, why } => {
            let why =
                format!("{why}; install its package in the image, or leave `method = \"dump\"`");
            DatabaseError::Program { program, place, code: 127, why }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_on_the_command_line() {
        let (user, password) = (String::from("game"), String::from("a 'word'"));
        let program = program(&Client { user, password, address: None }, "/var/lib/mysql/");
        assert!(!program.arguments.iter().any(|word| word.contains("word'")));
        assert_eq!(program.env[0].1, "a 'word'");
    }

    #[test]
    fn an_account_that_may_not_is_told_what_it_needs() {
        let why = String::from("Access denied; you need (at least one of) the RELOAD privilege(s)");
        let error = DatabaseError::Program {
            program: String::from("mariadb-backup"),
            place: String::from("mysql"),
            code: 1,
            why,
        };
        let said = advised(error, "gmod").to_string();
        assert!(
            said.ends_with(
                "GRANT RELOAD, PROCESS, LOCK TABLES, REPLICATION CLIENT ON *.* TO 'gmod'@'%'"
            ),
            "{said}"
        );
    }
}
