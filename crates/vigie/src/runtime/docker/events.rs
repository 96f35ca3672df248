//! Does: the engine's events as news of the stack's services. Events of health checks' own commands
//! and of other containers are left out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::time::Instant;
use vigie_core::observe::{Health, RuntimeEvent};

use super::engine::{Engine, lost};
use super::find::Finder;
use super::order::Order;
use crate::runtime::{Feed, News, RuntimeError};

const SECOND: i128 = 1_000_000_000;
/// How long a stop waits for the death that belongs before it.
const HOLD: Duration = Duration::from_millis(500);

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
    // "From now on" is a time too: the engine is asked only when the feed is first read, and what
    // happens until then must not be lost. Engine and vigie share the host's clock.
    let now = || jiff::Timestamp::now().as_nanosecond();
    let since = since.map_or_else(now, |since| i128::from(since) * 1_000_000);
    let since = format!("{}.{:09}", since.div_euclid(SECOND), since.rem_euclid(SECOND));
    let options = EventsOptionsBuilder::new().filters(&filters).since(&since).build();
    let follower = Follower {
        messages: docker.events(Some(options)).boxed(),
        finder,
        host: engine.host().to_owned(),
        order: Order::default(),
        hold_until: None,
        end: None,
        over: false,
    };
    Ok(futures_util::stream::unfold(follower, Follower::next).boxed())
}

struct Follower {
    messages: BoxStream<'static, Result<EventMessage, Error>>,
    finder: Arc<Finder>,
    host: String,
    order: Order,
    hold_until: Option<Instant>,
    // What the feed ends with, and whether nothing more is read.
    end: Option<RuntimeError>,
    over: bool,
}

impl Follower {
    async fn next(mut self) -> Option<(Result<News, RuntimeError>, Self)> {
        loop {
            if let Some(news) = self.order.next() {
                return Some((Ok(news), self));
            }
            if self.over {
                let end = self.end.take()?;
                return Some((Err(end), self));
            }
            match self.message().await {
                Some(Some(Ok(message))) => {
                    if let Some(news) = news(&self.finder, &message) {
                        self.order.take(news);
                    }
                }
                Some(Some(Err(error))) => self.finish(&error.to_string()),
                // An engine that stops closes its answer properly, and yet events have no end.
                Some(None) => self.finish("it has stopped telling"),
                None => self.order.wait_no_longer(),
            }
        }
    }

    /// The next message; nothing when a stop has waited long enough for its death.
    async fn message(&mut self) -> Option<Option<Result<EventMessage, Error>>> {
        if !self.order.waits() {
            self.hold_until = None;
            return Some(self.messages.next().await);
        }
        let until = *self.hold_until.get_or_insert_with(|| Instant::now() + HOLD);
        tokio::time::timeout_at(until, self.messages.next()).await.ok()
    }

    fn finish(&mut self, why: &str) {
        self.order.wait_no_longer();
        self.end = Some(lost(&self.host, why));
        self.over = true;
    }
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
    let id = actor.id.as_deref()?;
    let service = finder.of_event(id, attributes)?;
    // While Compose recreates a container the old one is renamed and removed; that is no news.
    let temporary = matches!(&event, RuntimeEvent::Renamed { to } if to.contains('_') && to.len() > 13
        && to[..12].bytes().all(|byte| byte.is_ascii_hexdigit()));
    if temporary || finder.is_own_name(&service, &event) {
        return None;
    }
    match event {
        RuntimeEvent::Started => finder.learn(&service, id),
        // Compose v1 removes the old container when the new one runs already.
        RuntimeEvent::Destroyed if !finder.forget_container(&service, id) => return None,
        _ => {}
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
