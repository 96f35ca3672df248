//! A small service that does what a test tells it to: the same shell script as a plain process and
//! in a container. Orders are files, so that both can be given one in the same way.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};

/// How long the service may take to obey.
const OBEYS: Duration = Duration::from_secs(20);

/// An order is moved away before it is obeyed: one that ends the process is not found by the next.
const SCRIPT: &str = r#"trap 'exit 0' TERM
cd "${0%/*}"
echo "$$" > pid
while :; do
    for order in orders/*; do
        [ -e "$order" ] || continue
        mv "$order" now
        . ./now
    done
    sleep 0.02
done
"#;

/// Doubles a string up to 128 MiB, which is more than [`Puppet::MEMORY`] and no burden.
const EXHAUST: &str = "x=xxxxxxxxxxxxxxxx
while [ ${#x} -lt 100000000 ]; do x=$x$x; done
while :; do sleep 1; done";

/// The script's directory, and the orders given so far.
pub(crate) struct Puppet {
    directory: PathBuf,
    given: AtomicU32,
}

impl Puppet {
    /// The script's name in its directory.
    pub(crate) const SCRIPT: &str = "puppet.sh";
    /// The memory limit that a puppet's harness gives it.
    pub(crate) const MEMORY: u64 = 64 << 20;

    /// Writes the script.
    pub(crate) fn new(directory: impl Into<PathBuf>) -> Result<Self> {
        let directory = directory.into();
        fs::create_dir_all(directory.join("orders"))?;
        fs::write(directory.join(Self::SCRIPT), SCRIPT)?;
        Ok(Self { directory, given: AtomicU32::new(0) })
    }

    /// Where the script is.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The number that the living process has for itself.
    pub(crate) fn pid(&self) -> Result<i32> {
        let text = fs::read_to_string(self.directory.join("pid"))?;
        text.trim().parse().with_context(|| format!("no pid in {text:?}"))
    }

    /// Has these commands run, and waits until they were: all of `first`, and `then` is begun.
    async fn order(&self, first: &str, then: &str) -> Result<()> {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        let done = format!("done-{number:06}");
        let written = self.directory.join("next");
        fs::write(&written, format!("{first}\n: > {done}\n{then}\n"))?;
        // Moved into place: the service never reads half an order.
        fs::rename(written, self.directory.join(format!("orders/{number:06}")))?;
        let done = self.directory.join(done);
        let obeyed = async {
            while fs::remove_file(&done).is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let obeyed = tokio::time::timeout(OBEYS, obeyed).await;
        obeyed.with_context(|| format!("the service does not obey: {first} {then}"))
    }

    /// Waits until it lives and obeys.
    pub(crate) async fn ready(&self) -> Result<()> {
        self.order("", "").await
    }

    /// It ends by itself.
    pub(crate) async fn exit(&self, code: i32) -> Result<()> {
        self.order("", &format!("exit {code}")).await
    }

    /// It prints.
    pub(crate) async fn print(&self, lines: &[String]) -> Result<()> {
        let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        fs::write(self.directory.join("lines"), text)?;
        self.order("cat lines", "").await
    }

    /// It ignores SIGTERM from now on.
    pub(crate) async fn deafen(&self) -> Result<()> {
        self.order("trap '' TERM", "").await
    }

    /// It uses a core.
    pub(crate) async fn busy(&self) -> Result<()> {
        self.order("", "while :; do :; done").await
    }

    /// It uses more memory than it may.
    pub(crate) async fn exhaust(&self) -> Result<()> {
        self.order("", EXHAUST).await
    }
}
