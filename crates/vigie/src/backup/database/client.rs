//! Does: how a database's client programs are called: by MariaDB's name or by MySQL's, as whom, and
//! with the password in their environment.

use tokio::sync::mpsc;

use super::{DatabaseError, Tools};
use crate::backup::binlog::Address;
use crate::runtime::docker::Program;

/// Finds the program that is there: MariaDB's name, or MySQL's.
const EITHER: &str = "p=$1; q=$2; shift 2; if command -v \"$p\" >/dev/null 2>&1; then exec \"$p\" \"$@\"; \
    fi; exec \"$q\" \"$@\"";

/// Who logs in, and where.
#[derive(Clone)]
pub struct Client {
    /// Who.
    pub user: String,
    /// With which password.
    pub password: String,
    /// Where the server listens; nothing for where the programs look by themselves, as in its own
    /// container.
    pub address: Option<Address>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Client");
        shown.field("user", &self.user).field("address", &self.address).finish_non_exhaustive()
    }
}

/// A program by its two names.
pub(in crate::backup) type Names = [&'static str; 2];

/// Reads a log and prints statements.
pub(in crate::backup) const BINLOG: Names = ["mariadb-binlog", "mysqlbinlog"];
/// Takes statements.
pub(in crate::backup) const SHELL: Names = ["mariadb", "mysql"];
/// Prints a dump.
pub(in crate::backup) const DUMP: Names = ["mariadb-dump", "mysqldump"];

/// A call of a program that logs in nowhere.
pub(in crate::backup) fn bare(names: Names, arguments: &[&str]) -> Program {
    let words = ["sh", "-c", EITHER, "vigie", names[0], names[1]];
    Program {
        arguments: words.into_iter().chain(arguments.iter().copied()).map(str::to_owned).collect(),
        env: Vec::new(),
    }
}

impl Client {
    /// A call of a program that logs in.
    pub(in crate::backup) fn call(&self, names: Names, arguments: &[&str]) -> Program {
        let mut program = bare(names, &[]);
        program.arguments.push(format!("--user={}", self.user));
        match &self.address {
            Some(Address::Socket(path)) => {
                program.arguments.push(format!("--socket={}", path.display()));
            }
            Some(Address::Tcp(host, port)) => {
                let place = [format!("--host={host}"), format!("--port={port}")];
                program.arguments.extend(place);
                program.arguments.push(String::from("--protocol=tcp"));
            }
            None => {}
        }
        program.arguments.extend(arguments.iter().map(|word| (*word).to_owned()));
        program.env.push((String::from("MYSQL_PWD"), self.password.clone()));
        program
    }

    /// What a statement answers, one line.
    pub(in crate::backup) async fn ask(
        &self,
        tools: &Tools<'_>,
        sql: &str,
    ) -> Result<String, DatabaseError> {
        let program = self.call(SHELL, &["--batch", "--skip-column-names", "--execute", sql]);
        said(tools, SHELL[0], &program).await
    }
}

/// What a program prints, as one short text.
pub(in crate::backup) async fn said(
    tools: &Tools<'_>,
    name: &str,
    program: &Program,
) -> Result<String, DatabaseError> {
    let (sender, mut receiver) = mpsc::channel::<bytes::Bytes>(16);
    let collect = async {
        let mut text = Vec::new();
        while let Some(piece) = receiver.recv().await {
            if text.len() < 64 * 1024 {
                text.extend_from_slice(&piece);
            }
        }
        text
    };
    let (ended, text) = tokio::join!(tools.run(name, program, None, Some(sender)), collect);
    ended?;
    Ok(String::from_utf8_lossy(&text).trim().to_owned())
}
