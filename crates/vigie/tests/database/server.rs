//! Does: MariaDB servers for tests, on a port and in a directory of their own. Never one that was there.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use vigie::backup::binlog::{Address, Source};
use vigie::backup::database::{Client, Tools};
use vigie_testkit::lab::{facts_or_skip, free_port};

/// How long a server may take to start, on a machine that is busy.
const START: Duration = Duration::from_secs(60);
/// The account that reads the log, and makes dumps.
const READER: &str = "reader";
const PASSWORD: &str = "a 'pass' word";

/// Where the programs of a release are.
#[derive(Debug, Clone)]
pub(crate) struct Release {
    pub(crate) name: &'static str,
    /// The server program.
    server: PathBuf,
    /// A directory that has the client programs; nothing for those of this machine.
    clients: Option<PathBuf>,
}

/// Every release that was made ready; none after saying that the test is skipped.
pub(crate) fn releases(what: &str) -> Vec<Release> {
    let old = facts_or_skip("mariadbd", what, |facts| facts.mariadbd);
    let new = facts_or_skip("a newer mariadbd", what, |facts| facts.mariadb_new);
    let old = old.map(|server| Release { name: "10.11", server, clients: None });
    let new =
        new.map(|dir| Release { name: "11.8", server: dir.join("mariadbd"), clients: Some(dir) });
    old.into_iter().chain(new).collect()
}

/// The release of this machine.
pub(crate) fn release(what: &str) -> Option<Release> {
    let server = facts_or_skip("mariadbd", what, |facts| facts.mariadbd)?;
    Some(Release { name: "10.11", server, clients: None })
}

/// A data directory that was made once, by release.
static MADE: Mutex<Vec<(&str, PathBuf)>> = Mutex::new(Vec::new());

/// A server.
pub(crate) struct Server {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) port: u16,
    release: Release,
    options: Vec<String>,
    child: Option<Child>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Server {
    /// Starts one; its log is on unless `options` say otherwise.
    pub(crate) async fn start(release: &Release, options: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut server = Self {
            port: free_port().unwrap(),
            release: release.clone(),
            options: options.iter().map(|word| (*word).to_owned()).collect(),
            child: None,
            dir,
        };
        let made = made(release);
        let copied = Command::new("cp").arg("-r").arg(made).arg(server.data()).status().unwrap();
        assert!(copied.success());
        server.begin().await;
        let grants = format!(
            "CREATE USER '{READER}'@'127.0.0.1' IDENTIFIED BY '{}'",
            PASSWORD.replace('\'', "''")
        );
        let mut root = server.root().await;
        root.query_drop("SET sql_log_bin = 0").await.unwrap();
        root.query_drop(grants).await.unwrap();
        root.query_drop(format!("GRANT ALL ON *.* TO '{READER}'@'127.0.0.1'")).await.unwrap();
        root.disconnect().await.unwrap();
        server
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("s")
    }

    pub(crate) fn set_options(&mut self, options: &[&str]) {
        self.options = options.iter().map(|word| (*word).to_owned()).collect();
    }

    /// Starts the program, and waits until it answers.
    pub(crate) async fn begin(&mut self) {
        let mut command = Command::new(&self.release.server);
        command.arg("--no-defaults");
        command.arg("--user=root").args(small());
        // One that starts removes the temporary tables that are there, those of others too.
        command.env("TMPDIR", self.dir.path());
        command.arg(format!("--datadir={}", self.data().display()));
        command.arg(format!("--socket={}", self.socket().display()));
        command.arg(format!("--pid-file={}", self.dir.path().join("pid").display()));
        command.arg(format!("--port={}", self.port)).arg("--bind-address=127.0.0.1");
        command.args(["--skip-name-resolve", "--server-id=7", "--log-bin=log-bin"]);
        command.arg("--binlog-format=ROW").args(&self.options);
        let path = self.dir.path().join("log");
        let log = std::fs::File::options().create(true).append(true).open(path).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        let begun = Instant::now();
        loop {
            if let Ok(root) = Conn::new(self.options_of_root()).await {
                root.disconnect().await.unwrap();
                return;
            }
            let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < START, "the server does not start: {log}");
            if let Some(child) = &mut self.child
                && let Some(status) = child.try_wait().unwrap()
            {
                panic!("the server ended with {status}: {log}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Kills it as the machine's end would (`kill -9`).
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn options_of_root(&self) -> OptsBuilder {
        OptsBuilder::default().user(Some("root")).socket(Some(self.socket().to_string_lossy()))
    }

    /// A connection of its administrator.
    pub(crate) async fn root(&self) -> Conn {
        Conn::new(self.options_of_root()).await.unwrap()
    }

    /// Says statements as its administrator.
    pub(crate) async fn say(&self, statements: &[&str]) {
        let mut root = self.root().await;
        for statement in statements {
            root.query_drop(*statement).await.unwrap();
        }
        root.disconnect().await.unwrap();
    }

    /// How its log is read.
    pub(crate) fn source(&self) -> Source {
        Source {
            address: Address::Tcp(String::from("127.0.0.1"), self.port),
            user: READER.to_owned(),
            password: PASSWORD.to_owned(),
        }
    }

    /// How the client programs log in.
    pub(crate) fn client(&self) -> Client {
        let Source { address, user, password } = self.source();
        Client { user, password, address: Some(address) }
    }

    /// One of them.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.release.clients.as_ref().map_or_else(|| PathBuf::from(name), |dir| dir.join(name))
    }

    /// The client programs of its release.
    pub(crate) fn tools(&self) -> Tools<'static> {
        Tools::Local { first: self.release.clients.clone() }
    }
}

/// A server of this size starts in a second.
fn small() -> [&'static str; 4] {
    [
        "--innodb-log-file-size=16M",
        "--innodb-buffer-pool-size=32M",
        "--innodb-flush-log-at-trx-commit=2",
        "--key-buffer-size=1M",
    ]
}

/// The data directory of a server that nobody has used; it stays for the next time.
fn made(release: &Release) -> PathBuf {
    let mut made = MADE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((_, dir)) = made.iter().find(|(name, _)| *name == release.name) {
        return dir.clone();
    }
    let base = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let whole = base.join(format!("mariadb-{}", release.name));
    if whole.is_dir() {
        made.push((release.name, whole.clone()));
        return whole;
    }
    let dir = base.join(format!("mariadb-{}-{}", release.name, std::process::id()));
    let program = match &release.clients {
        Some(clients) => clients.join("mariadb-install-db"),
        None => PathBuf::from("mariadb-install-db"),
    };
    let mut install = Command::new(program);
    install.args(["--no-defaults", "--user=root", "--skip-test-db"]).args(small());
    install.arg("--auth-root-authentication-method=normal");
    install.arg(format!("--datadir={}", dir.display()));
    let own = tempfile::tempdir().unwrap();
    install.env("TMPDIR", own.path());
    let output = install.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Another binary may have been faster.
    if std::fs::rename(&dir, &whole).is_err() {
        std::fs::remove_dir_all(&dir).unwrap();
    }
    made.push((release.name, whole.clone()));
    whole
}
