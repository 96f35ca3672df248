//! The words of a scenario file: a header, then one line for each thing that happens. Times count
//! from the beginning of the story; `"times"` and `"every"` repeat a line.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use vigie_core::observe::Health;
use vigie_core::respond::{ChangedFile, Silence, Suspect, WayBack};
use vigie_core::span;
use vigie_core::stack::Mode;

/// What is told before anything happens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    /// One line for the reader.
    pub(crate) title: String,
    /// What is wrong or doubtful in how it goes, shown above the timeline: an accepted snapshot of
    /// a fault must not look like an approval.
    #[serde(default)]
    pub(crate) remark: Option<String>,
    /// How long the story is followed.
    #[serde(with = "span")]
    pub(crate) lasts: Duration,
    /// How far vigie may go by itself.
    #[serde(default)]
    pub(crate) mode: Mode,
    /// How long the game takes from its start to its first answer.
    #[serde(default = "boot", with = "span")]
    pub(crate) boot: Duration,
    /// Whether containers have a restart policy.
    #[serde(default)]
    pub(crate) restarts_itself: bool,
    /// How long the game may be silent after a start, as configured.
    #[serde(default = "grace", with = "span")]
    pub(crate) grace: Duration,
    /// How long anna has to answer when she is asked.
    #[serde(default, with = "span::optional")]
    pub(crate) approve_timeout: Option<Duration>,
    /// What is made of her silence.
    #[serde(default)]
    pub(crate) approve_default: Silence,
    /// The configuration has the wrong ports: neither A2S nor RCON of the game was ever answered.
    #[serde(default)]
    pub(crate) wrong_ports: bool,
}

fn grace() -> Duration {
    Duration::from_secs(180)
}

fn boot() -> Duration {
    Duration::from_secs(8)
}

/// How a probe is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Ok,
    Slow,
    Fail,
}

/// How vigie's steps go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Steps {
    Work,
    Fail,
    Hang,
}

/// What evidence finds of what was before.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Found {
    pub(crate) way_back: Option<WayBack>,
    pub(crate) suspect: Option<Suspect>,
    pub(crate) changed: Vec<ChangedFile>,
}

/// What can happen: the key of a line, and its value.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    /// Its process ends with this exit code.
    Dies(i32),
    /// The kernel ends it for memory.
    Oom(bool),
    /// From now on it ends with exit code 139 this long after every start.
    Doomed(Option<String>),
    /// From now on it ends with this exit code as soon as it is started.
    Broken(i32),
    /// It lives and answers nothing.
    Frozen(bool),
    /// A2S only.
    A2s(Answer),
    /// RCON only.
    Rcon(Answer),
    /// Database logins only.
    Db(Answer),
    /// Its health check's verdict.
    Health(Health),
    /// Percent of its memory limit.
    Memory(u64),
    /// Percent of its CPU limit.
    Cpu(f32),
    /// Open connections to the database.
    Connections(u32),
    /// Slow queries that the database counted so far.
    SlowQueries(u64),
    /// What differs from the compose file.
    Drift(Vec<String>),
    /// Backups of the stack that are late.
    Late(Vec<String>),
    /// Drills that failed.
    Drills(Vec<String>),
    /// A line of its console.
    Says(String),
    /// The host's available memory in percent.
    HostMemory(f32),
    /// How full the host's disk is, in percent.
    Disk(f32),
    /// Whether vigie's own network works.
    Network(bool),
    /// Whether the runtime can be reached.
    Runtime(bool),
    /// What evidence finds from now on.
    Finds(Box<Found>),
    /// How vigie's steps go from now on.
    Steps(Steps),
    /// An operator's own command: `stop`, `start`, `restart`, `kill`, `rm`, `pause`, `unpause`.
    Docker(String),
    /// It is restarted and boots for so long, and the runtime's word of it is lost.
    Swapped(String),
    /// Vigie is killed, and started again after so long.
    Away(String),
    /// Anna runs this runbook by hand.
    Run(String),
    /// Anna takes this incident in hand.
    Acknowledge(u64),
    /// Anna answers the run that asks.
    Approve(bool),
    /// Anna declares this incident over.
    Resolve(u64),
    /// Anna declares maintenance for this long; `null` ends it.
    Maintenance(Option<String>),
}

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// From the beginning of the story.
    pub(crate) at: Duration,
    /// To whom; the game where the line does not say it.
    pub(crate) service: String,
    pub(crate) what: What,
    /// As the timeline shows it.
    pub(crate) shown: String,
}

/// A whole file.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) header: Header,
    pub(crate) lines: Vec<Line>,
}

impl Story {
    pub(crate) fn read(text: &str) -> Self {
        let mut rows = text.lines().filter(|row| !row.trim().is_empty());
        let header = serde_json::from_str(rows.next().expect("a header")).unwrap();
        let mut lines: Vec<_> = rows.flat_map(read_line).collect();
        lines.sort_by_key(|line| line.at);
        Self { header, lines }
    }
}

/// What happens to the host, to vigie or by a person: no service is named before it.
const WIDE: [&str; 10] = [
    "host_memory",
    "disk",
    "network",
    "runtime",
    "steps",
    "away",
    "acknowledge",
    "approve",
    "resolve",
    "maintenance",
];

fn read_line(row: &str) -> Vec<Line> {
    let mut map: Map<String, Value> = serde_json::from_str(row).expect(row);
    let mut text = |key: &str| map.remove(key).map(|value| value.as_str().expect(row).to_owned());
    let time = |text: &str| span::parse(text.trim_start_matches('+')).expect(row);
    let at = time(&text("at").expect(row));
    let service = text("service").unwrap_or_else(|| String::from("gmod"));
    let every = text("every").map_or(Duration::from_secs(1), |every| time(&every));
    let times = map.remove("times").map_or(1, |times| times.as_u64().expect(row));
    // A second key would be left unread by an enum: exactly one thing happens on a line.
    assert_eq!(map.len(), 1, "one thing a line: {row}");
    let tell = |(key, value): (&String, &Value)| match WIDE.contains(&key.as_str()) {
        true => format!("{key} {value}"),
        false => format!("{service} {key} {value}"),
    };
    let shown = map.iter().map(tell).collect();
    let what = serde_json::from_value(Value::Object(map)).expect(row);
    let line = Line { at, service, what, shown };
    let after = |n: u64| at + every * u32::try_from(n).unwrap();
    (0..times).map(|n| Line { at: after(n), ..line.clone() }).collect()
}
