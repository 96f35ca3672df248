//! Does: the engine's events as news of the stack's services. Events of health checks' own commands
//! and of other containers are left out.

use std::collections::HashMap;
use std::sync::Arc;

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::StreamExt;
use vigie_core::observe::{Health, RuntimeEvent};

use super::engine::{Engine, lost};
use super::find::Finder;
use crate::runtime::{Feed, News, RuntimeError};

pub(super) async fn follow(
    engine: &Engine,
    finder: Arc<Finder>,
    since: Option<i64>,
) -> Result<Feed<News>, RuntimeError> {
    let docker = engine.docker().await?;
    // The stream itself says nothing until something happens: whether anybody is there is asked.
    if let Err(error) = engine.limit("asking", "the engine", docker.ping()).await {
        engine.forget_version().await;
        return Err(match error {
            RuntimeError::Unreachable { .. } => error,
            other => lost(engine.host(), &other.to_string()),
        });
    }
    let filters = HashMap::from([("type", vec!["container"])]);
    let mut options = EventsOptionsBuilder::new().filters(&filters);
    let since_text;
    if let Some(since) = since {
        since_text = format!("{}.{:03}", since.div_euclid(1000), since.rem_euclid(1000));
        options = options.since(&since_text);
    }
    let engine = engine.clone();
    let feed = docker.events(Some(options.build())).filter_map(move |message| {
        let news = match message {
            Ok(message) => news(&finder, &message).map(Ok),
            Err(error) => Some(Err(lost(engine.host(), &error.to_string()))),
        };
        futures_util::future::ready(news)
    });
    Ok(feed.boxed())
}

fn news(finder: &Finder, message: &EventMessage) -> Option<News> {
    let action = message.action.as_deref()?;
    let actor = message.actor.as_ref()?;
    let attributes = actor.attributes.as_ref()?;
    let attribute = |name: &str| attributes.get(name).map(String::as_str);
    let number = |name: &str| attribute(name).and_then(|text| text.parse().ok());
    let event = match action {
        "start" => RuntimeEvent::Started,
        "die" => RuntimeEvent::Died { exit_code: number("exitCode") },
        "oom" => RuntimeEvent::Oom,
        "kill" => RuntimeEvent::Killed { signal: number("signal").unwrap_or(0) },
        "stop" => RuntimeEvent::Stopped,
        "pause" => RuntimeEvent::Paused,
        "unpause" => RuntimeEvent::Unpaused,
        "destroy" => RuntimeEvent::Destroyed,
        "rename" => RuntimeEvent::Renamed { to: attribute("name").unwrap_or_default().to_owned() },
        action => RuntimeEvent::Health(health(action.strip_prefix("health_status: ")?)),
    };
    let service = finder.of_event(actor.id.as_deref()?, attributes)?;
    // While Compose recreates a container the old one is renamed and removed; that is no news.
    let temporary = matches!(&event, RuntimeEvent::Renamed { to } if to.contains('_') && to.len() > 13
        && to[..12].bytes().all(|byte| byte.is_ascii_hexdigit()));
    if temporary || finder.is_own_name(&service, &event) {
        return None;
    }
    if event == RuntimeEvent::Destroyed {
        finder.forget(&service);
    }
    let wall_ms = message.time_nano.map(|nanos| nanos / 1_000_000);
    let wall_ms = wall_ms.or(message.time.map(|seconds| seconds * 1000))?;
    Some(News { service, wall_ms, event })
}

fn health(word: &str) -> Health {
    match word {
        "healthy" => Health::Healthy,
        "unhealthy" => Health::Unhealthy,
        "starting" => Health::Starting,
        _ => Health::None,
    }
}
