//! The fake as the port that vigie sees.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::watch;
use vigie::runtime::{Feed, LogLine, LogPosition, News, Runtime, RuntimeError, Usage};
use vigie_core::observe::{Inspection, RuntimeEvent, RuntimeState};

use super::world::World;
use super::{Call, FakeRuntime, GRACE};

fn lost() -> RuntimeError {
    RuntimeError::Unreachable {
        runtime: "fake",
        why: String::from("the test took it away"),
        next: String::from("restore it"),
    }
}

/// One who reads a record from a place on.
struct Follower {
    fake: FakeRuntime,
    changes: watch::Receiver<u64>,
    losses: u64,
    at: u64,
    over: bool,
}

impl FakeRuntime {
    /// What every call goes through: it is counted, takes its time, and may fail.
    async fn called(&self, call: Call, service: &str) -> Result<(), RuntimeError> {
        let delay = self.change(|world| {
            world.calls.push((call, service.to_owned()));
            world.delays.get(&call).copied()
        });
        if let Some(delay) = delay {
            tokio::time::sleep(delay).await;
        }
        self.change(|world| {
            if world.lost {
                return Err(lost());
            }
            world.failures.get_mut(&call).and_then(|errors| errors.pop_front()).map_or(Ok(()), Err)
        })
    }

    fn follow<T: Send + 'static>(
        &self,
        at: u64,
        next: impl Fn(&World, u64) -> Option<(u64, T)> + Send + 'static,
    ) -> Feed<T> {
        let (fake, changes) = (self.clone(), self.changes.subscribe());
        let losses = self.lock().losses;
        let follower = Follower { fake, changes, losses, at, over: false };
        let state = (follower, next);
        futures_util::stream::unfold(state, |(mut follower, next)| async move {
            loop {
                if follower.over {
                    return None;
                }
                follower.changes.borrow_and_update();
                let (gone, found) = {
                    let world = follower.fake.lock();
                    (world.losses != follower.losses, next(&world, follower.at))
                };
                if gone {
                    follower.over = true;
                    return Some((Err(lost()), (follower, next)));
                }
                if let Some((number, item)) = found {
                    follower.at = number + 1;
                    return Some((Ok(item), (follower, next)));
                }
                if follower.changes.changed().await.is_err() {
                    return None;
                }
            }
        })
        .boxed()
    }

    fn start(&self, service: &str) -> Result<(), RuntimeError> {
        let later = self.change(|world| world.start(service))?;
        self.plan(later);
        Ok(())
    }

    /// Ends a service as the port does, with the events that go with it.
    async fn end(&self, service: &str, kill: bool) -> Result<(), RuntimeError> {
        let first = if kill { 9 } else { 15 };
        let deaf = self.change(|world| {
            let found = world.find(service)?;
            if !found.lives() {
                // Nothing that its restart policy planned happens any more.
                if found.state == RuntimeState::Restarting {
                    found.state = RuntimeState::Exited;
                }
                return Ok(None);
            }
            let deaf = found.deaf && !kill;
            world.tell(service, RuntimeEvent::Killed { signal: first });
            Ok(Some(deaf))
        })?;
        let Some(deaf) = deaf else { return Ok(()) };
        if deaf {
            tokio::time::sleep(GRACE).await;
        }
        self.change(|world| {
            if deaf {
                world.tell(service, RuntimeEvent::Killed { signal: 9 });
            }
            world.die(service, if kill || deaf { 137 } else { 0 });
            if !kill {
                world.tell(service, RuntimeEvent::Stopped);
            }
        });
        Ok(())
    }
}

#[async_trait]
impl Runtime for FakeRuntime {
    fn name(&self) -> &'static str {
        "fake"
    }

    async fn ping(&self) -> Result<String, RuntimeError> {
        self.called(Call::Ping, "").await?;
        Ok(String::from("1"))
    }

    async fn events(&self, since: Option<i64>) -> Result<Feed<News>, RuntimeError> {
        self.called(Call::Events, "").await?;
        let at = {
            let world = self.lock();
            let missed = |since| world.events.find(|news| news.wall_ms >= since);
            since.map_or_else(|| world.events.end(), missed)
        };
        Ok(self.follow(at, |world, at| world.events.from(at)))
    }

    async fn inspect(&self, service: &str) -> Result<Inspection, RuntimeError> {
        self.called(Call::Inspect, service).await?;
        let missing = || Inspection { state: RuntimeState::Missing, ..Inspection::default() };
        Ok(self.lock().look(service).map_or_else(missing, |found| found.inspection()))
    }

    async fn usage(&self, service: &str) -> Result<Option<Usage>, RuntimeError> {
        self.called(Call::Usage, service).await?;
        let mut world = self.lock();
        let found = world.find(service)?;
        Ok(found.lives().then_some(found.usage))
    }

    async fn logs(
        &self,
        service: &str,
        from: Option<LogPosition>,
    ) -> Result<Feed<LogLine>, RuntimeError> {
        self.called(Call::Logs, service).await?;
        let end = self.lock().find(service)?.console.end();
        let at = from.map_or(end, |from| u64::try_from(from.at).unwrap_or(0));
        let service = service.to_owned();
        Ok(self.follow(at, move |world, at| {
            let (number, text) = world.look(&service)?.console.from(at)?;
            let at = i64::try_from(number + 1).unwrap_or(i64::MAX);
            Some((number, LogLine { text, next: LogPosition { at, seen: 0 } }))
        }))
    }

    async fn tail(&self, service: &str, lines: usize) -> Result<Vec<Bytes>, RuntimeError> {
        self.called(Call::Tail, service).await?;
        Ok(self.lock().find(service)?.console.tail(lines))
    }

    async fn up(&self, service: &str, recreate: bool) -> Result<(), RuntimeError> {
        self.called(Call::Up, service).await?;
        if recreate {
            self.end(service, false).await?;
            self.change(|world| world.find(service).map(|found| found.drift.clear()))?;
        }
        self.start(service)
    }

    async fn down_up(&self) -> Result<(), RuntimeError> {
        self.called(Call::DownUp, "").await?;
        let names = self.lock().names();
        for name in &names {
            self.end(name, false).await?;
            self.change(|world| world.tell(name, RuntimeEvent::Destroyed));
        }
        for name in &names {
            self.change(|world| world.find(name).map(|found| found.drift.clear()))?;
            self.start(name)?;
        }
        Ok(())
    }

    async fn restart(&self, service: &str, kill: bool) -> Result<(), RuntimeError> {
        self.called(Call::Restart, service).await?;
        self.end(service, kill).await?;
        self.start(service)
    }

    async fn stop(&self, service: &str) -> Result<(), RuntimeError> {
        self.called(Call::Stop, service).await?;
        self.end(service, false).await
    }

    async fn drift(&self, service: &str) -> Result<Vec<String>, RuntimeError> {
        self.called(Call::Drift, service).await?;
        Ok(self.lock().find(service)?.drift.clone())
    }
}
