//! Does: `vigie watch`, the daemon: starts the watch, says every record, stops on SIGTERM or SIGINT.

use std::io::Write;
use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::broadcast::error::RecvError;
use vigie_core::stack::Mode;

use super::args::WatchArgs;
use super::{Exit, Failure, Paint};
use crate::app::App;
use crate::config::Config;
use crate::engine::Told;
use crate::report::{Lang, clock_time, rfc3339, tell};

pub(super) async fn run(path: &Path, args: &WatchArgs) -> Result<Exit, Failure> {
    let mut config = Config::read(path)?;
    if args.dry_run {
        config.stack.settings.mode = Mode::Observe;
    }
    super::snapshot::finish_what_was_begun(&config).await;
    let lang = config.file.stack.lang;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let names: Vec<_> = config.stack.services().map(|(_, service)| service.name.clone()).collect();
    let stack = config.stack.name.clone();
    let mode = config.stack.settings.mode;
    let mut app = App::start(config).await?;
    let mut told = app.told();
    tracing::info!(
        stack,
        services = names.join(", "),
        ?mode,
        replayed = app.replayed,
        runtime = app.runtime().name(),
        "watching"
    );
    if let Err(error) = app.runtime().ping().await {
        tracing::warn!(%error, "watching what can be seen without it, and trying again");
    }
    let paint = Paint::for_stdout();
    let mut mouth = Mouth { broken: false };
    let exit = loop {
        tokio::select! {
            _ = terminate.recv() => break Exit::Fine,
            _ = interrupt.recv() => break Exit::Fine,
            // A watch of which a part is missing would be blind without anybody knowing: it ends, and
            // whoever started it starts it again.
            part = app.broken() => {
                tracing::error!(part, "a part of the watch has ended by itself; this is a fault of vigie");
                break Exit::Finding;
            }
            record = told.recv() => match record {
                Ok(record) if args.json => mouth.say(&json_line(&record)?),
                Ok(record) => mouth.say(&line(&record, lang, paint)),
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "records are in the journal but were not printed here");
                }
                Err(RecvError::Closed) => break Exit::Finding,
            },
        }
    };
    tracing::info!("stopping; the services go on without the watch");
    app.stop().await;
    Ok(exit)
}

/// Standard output, which may be closed or on a full disk: the watch goes on all the same.
struct Mouth {
    broken: bool,
}

impl Mouth {
    fn say(&mut self, text: &str) {
        let said = writeln!(std::io::stdout(), "{text}");
        match said {
            Err(error) if !self.broken => {
                self.broken = true;
                tracing::warn!(%error, "records cannot be printed here; the journal has them");
            }
            Err(_) => {}
            Ok(()) => self.broken = false,
        }
    }
}

/// A record as one coloured line.
pub(super) fn line(told: &Told, lang: Lang, paint: Paint) -> String {
    use vigie_core::Record;
    let text = tell(&told.record, told.service.as_deref(), lang);
    let text = match &told.record {
        Record::IncidentOpened { .. }
        | Record::Exited { asked: None, .. }
        | Record::RuntimeLost
        | Record::Relapsed { .. } => paint.bad(&text),
        Record::Escalated { .. }
        | Record::Overdue { .. }
        | Record::ApprovalAsked { .. }
        | Record::StoodDown { .. }
        | Record::Degraded { on: true, .. } => paint.warn(&text),
        Record::Restored { .. } | Record::Resolved { .. } => paint.good(&text),
        _ => text,
    };
    let at = paint.dim(&clock_time(told.at.wall));
    let severity =
        told.severity.map_or_else(|| String::from("  "), |severity| paint.severity(severity));
    let incident = told.incident.map_or_else(String::new, |id| format!("{id} "));
    format!("{at} {severity} {incident}{text}")
}

fn json_line(told: &Told) -> Result<String, Failure> {
    let mut value = serde_json::to_value(&told.record)?;
    if let Some(object) = value.as_object_mut() {
        object.insert(String::from("at"), rfc3339(told.at.wall).into());
        if let Some(id) = told.incident {
            object.insert(String::from("incident"), id.0.into());
        }
    }
    Ok(value.to_string())
}
