//! Decides who holds a lock and whether they are gone. What it asks of this machine is only who we are
//! and who still runs; it never touches a site.

use std::time::Duration;

use rustic_core::jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who holds a lock, as restic writes it, with what tells our own processes apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    /// When it was taken or last renewed.
    pub(super) time: Timestamp,
    /// Whether nobody else may work there.
    pub(super) exclusive: bool,
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    pid: u32,
    #[serde(default)]
    uid: u32,
    #[serde(default)]
    gid: u32,
    /// Where its process number means something; restic does not say.
    #[serde(default, rename = "vigie", skip_serializing_if = "Option::is_none")]
    home: Option<Home>,
}

/// A boot of a machine and a namespace of it, and when a process began there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Home {
    boot: String,
    namespace: String,
    /// In ticks since the boot: process numbers are used again.
    started: String,
}

impl Holder {
    /// This process, now.
    pub(super) fn me(exclusive: bool) -> Self {
        let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let pid = std::process::id();
        Self {
            time: Timestamp::now(),
            exclusive,
            hostname: name,
            username: std::env::var("USER").unwrap_or_default(),
            pid,
            uid: rustix::process::getuid().as_raw(),
            gid: rustix::process::getgid().as_raw(),
            home: here().zip(started(pid)).map(|((boot, namespace), started)| Home {
                boot,
                namespace,
                started,
            }),
        }
    }

    /// The same, renewed.
    pub(super) fn renewed(&self) -> Self {
        Self { time: Timestamp::now(), ..self.clone() }
    }

    /// Whether it is this process.
    pub(super) fn is_me(&self) -> bool {
        self.home.is_some() && self.home == Self::me(false).home && self.pid == std::process::id()
    }

    /// Whether it has not renewed for too long, or its process has ended.
    pub(super) fn is_gone(&self, now: Timestamp, stale: Duration) -> bool {
        // A clock that is wrong the other way must not keep a lock for ever.
        let age = now.duration_since(self.time).unsigned_abs();
        age > stale || self.has_ended()
    }

    /// Whether its process is known to have ended: only where its number means what it means here.
    fn has_ended(&self) -> bool {
        let Some(home) = &self.home else { return false };
        let same = |(boot, namespace): &(String, String)| {
            *boot == home.boot && *namespace == home.namespace
        };
        here().is_some_and(|here| same(&here)) && started(self.pid).as_ref() != Some(&home.started)
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pid, hostname, time, .. } = self;
        let alone = if self.exclusive { ", alone" } else { "" };
        write!(f, "process {pid} on {hostname}, seen at {time:.0}{alone}")
    }
}

/// This boot of this machine, and our namespace of processes.
fn here() -> Option<(String, String)> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some((boot.trim().to_owned(), namespace.to_string_lossy().into_owned()))
}

/// When a process began; none when there is none.
fn started(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before can have anything in it; after it, the state is the first and this the 20th.
    let rest = stat.rsplit_once(')')?.1;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    // A process that nobody has waited for yet does nothing any more.
    if matches!(state, "Z" | "X") { None } else { fields.nth(18).map(str::to_owned) }
}
