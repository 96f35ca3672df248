//! The programs that are measured: how each keeps a database and brings it back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use vigie_testkit::lab::run;

use super::server::{PASSWORD, SCHEMA, Server, USER};
use crate::place::program;

/// The packages that only this needs, each with a program that shows it is there.
pub(super) const PACKAGES: [(&str, &str); 3] =
    [("mydumper", "mydumper"), ("mariadb-backup", "mariadb-backup"), ("zstd", "zstd")];

/// One way to keep a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Dump,
    Physical,
    Mydumper,
    Backup,
}

pub(super) const ALL: [Tool; 4] = [Tool::Dump, Tool::Physical, Tool::Mydumper, Tool::Backup];

impl Tool {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Dump => "vigie, dump",
            Self::Physical => "vigie, physical",
            Self::Mydumper => "mydumper, myloader",
            Self::Backup => "mariadb-backup, zstd -3",
        }
    }

    /// Whether what comes back is a directory for a server, and not statements for one.
    pub(super) const fn is_physical(self) -> bool {
        matches!(self, Self::Physical | Self::Backup)
    }
}

/// Says what is missing, and how to get it.
pub(super) fn missing() -> Result<()> {
    let missing: Vec<_> =
        PACKAGES.iter().filter(|(_, name)| program(&[name]).is_none()).map(|one| one.0).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    bail!("{names} not found; as root: apt-get install --no-install-recommends {names}")
}

/// A room in which one program works.
pub(super) struct Room<'a> {
    pub(super) vigie: &'a Path,
    pub(super) at: PathBuf,
}

impl Room<'_> {
    /// What is kept is here.
    pub(super) fn kept(&self) -> PathBuf {
        self.at.join("kept")
    }

    /// Makes it, with nothing kept; vigie looks at `server`.
    pub(super) fn begin(&self, tool: Tool, server: &Server) -> Result<()> {
        fs::create_dir_all(self.kept()).with_context(|| format!("cannot make {:?}", self.at))?;
        if matches!(tool, Tool::Dump | Tool::Physical) {
            self.point(tool, server, &["true".to_owned()], false)?;
            run::quiet(&mut self.vigie(["backup", "init"]))?;
        }
        Ok(())
    }

    /// Has vigie look at `server`, which `words` start.
    pub(super) fn point(
        &self,
        tool: Tool,
        server: &Server,
        words: &[String],
        binlog: bool,
    ) -> Result<()> {
        fs::write(self.at.join("word"), PASSWORD)?;
        let method = if tool == Tool::Physical { "physical" } else { "dump" };
        let text = format!(
            "[stack]\nname = \"bench\"\nruntime = \"process\"\n[service.db]\nrole = \"database\"\ncommand = \
             {words:?}\nboot_grace = \"60s\"\ndatabase = {{ address = \"127.0.0.1:{}\", user = {USER:?}, \
             password = {{ file = \"word\" }}, schema = {SCHEMA:?}, method = {method:?} }}\n[backup]\n\
             password = {{ file = \"word\" }}\nbinlog = {binlog}\n[backup.site.disk]\nlocal = \"kept\"\n",
            server.port
        );
        fs::write(self.at.join("vigie.toml"), text).context("cannot write vigie.toml")
    }

    /// Keeps what `server` has for the `turn`-th time.
    pub(super) fn keep(&self, tool: Tool, server: &Server, turn: u32) -> Command {
        let to = self.kept().join(format!("turn-{turn}"));
        let port = server.port;
        match tool {
            Tool::Dump | Tool::Physical => self.vigie(["backup", "run", "database"]),
            Tool::Mydumper => {
                let mut command = self.login("mydumper", port);
                command.args([
                    "--threads",
                    "2",
                    "--compress",
                    "--triggers",
                    "--routines",
                    "--events",
                ]);
                command
                    .args(["--trx-consistency-only", "--database", SCHEMA, "--outputdir"])
                    .arg(to);
                command
            }
            Tool::Backup => {
                let script = "exec \"$@\" | zstd -q -3 -T1 > \"$0\"";
                let mut command = Command::new("bash");
                command.args(["-c", &format!("set -o pipefail; {script}")]).arg(to);
                command.arg("mariadb-backup").arg(self.own_file());
                command.args([
                    "--backup",
                    "--stream=xbstream",
                    "--target-dir=/tmp/vigie-bench-copy",
                ]);
                command.arg(format!("--datadir={}", server.data().display()));
                command.args(["--host=127.0.0.1", &format!("--port={port}")]);
                command
            }
        }
    }

    /// Brings the `turn`-th back: statements into `server`, files into `to`.
    pub(super) fn restore(&self, tool: Tool, server: &Server, turn: u32, to: &Path) -> Command {
        let from = self.kept().join(format!("turn-{turn}"));
        match tool {
            Tool::Dump => self.vigie(["backup", "restore", "database", "--in-place", "--yes"]),
            Tool::Physical => {
                let mut command = self.vigie(["backup", "restore", "database", "--to"]);
                command.arg(to);
                command
            }
            Tool::Mydumper => {
                let mut command = self.login("myloader", server.port);
                command.args(["--threads", "2", "--overwrite-tables", "--directory"]).arg(from);
                command
            }
            Tool::Backup => {
                let script = "set -o pipefail; mkdir -p \"$1\" && zstd -q -d < \"$0\" | mbstream -x -C \"$1\" \
                    && exec mariadb-backup --prepare --target-dir=\"$1\"";
                let mut command = Command::new("bash");
                command.args(["-c", script]).arg(from).arg(to);
                command
            }
        }
    }

    pub(super) fn vigie<'b>(&self, words: impl IntoIterator<Item = &'b str>) -> Command {
        let mut command = Command::new(self.vigie);
        command.current_dir(&self.at).args(words);
        command
    }

    /// A program that logs in; its password is in a file, as vigie's is in no command line either.
    fn login(&self, name: &str, port: u16) -> Command {
        let mut command = Command::new(name);
        command.arg(self.own_file());
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        command
    }

    /// The option that names the file with the login, written if need be.
    fn own_file(&self) -> String {
        let at = self.at.join("login.cnf");
        let login = format!("user={USER}\npassword={PASSWORD}\n");
        let text = format!("[client]\n{login}[mydumper]\n{login}[myloader]\n{login}");
        // Whoever reads it says when it is not there.
        let _ = fs::write(&at, text);
        format!("--defaults-file={}", at.display())
    }
}
