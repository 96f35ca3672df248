//! The fake keeps the contract too, or what is tested with it proves nothing.

use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use futures_util::StreamExt as _;
use vigie::runtime::{Runtime, RuntimeError, Usage};
use vigie_core::observe::{RuntimeEvent, RuntimeState};
use vigie_testkit::conformance::runtime::{RuntimeSubject, all};
use vigie_testkit::fake::{Call, FakeRuntime, Fate};

struct Subject(FakeRuntime);

#[async_trait]
impl RuntimeSubject for Subject {
    fn runtime(&self) -> &dyn Runtime {
        &self.0
    }

    fn service(&self) -> &str {
        "gmod"
    }

    fn memory_limit(&self) -> Option<u64> {
        None
    }

    async fn ready(&self) -> Result<()> {
        Ok(())
    }

    async fn exit(&self, code: i32) -> Result<()> {
        self.0.crash("gmod", code);
        Ok(())
    }

    async fn kill_from_outside(&self) -> Result<()> {
        self.0.crash("gmod", 137);
        Ok(())
    }

    async fn print(&self, lines: &[String]) -> Result<()> {
        for line in lines {
            self.0.print("gmod", line);
        }
        Ok(())
    }

    async fn deafen(&self) -> Result<()> {
        self.0.deafen("gmod");
        Ok(())
    }

    async fn busy(&self) -> Result<()> {
        let usage = Usage { cpu_pct: Some(100.0), mem_bytes: 1 << 20, mem_limit: None };
        self.0.set_usage("gmod", usage);
        Ok(())
    }

    async fn exhaust(&self) -> Result<bool> {
        self.0.oom("gmod");
        Ok(true)
    }

    async fn lose(&self) -> Result<bool> {
        self.0.lose();
        Ok(true)
    }

    async fn restore(&self) -> Result<()> {
        self.0.restore();
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn the_fake_keeps_the_contract() -> Result<()> {
    all(&Subject(FakeRuntime::new(["gmod", "mysql"]))).await
}

#[tokio::test(start_paused = true)]
async fn a_thousand_services_fall_at_once() -> Result<()> {
    let names: Vec<_> = (0..1000).map(|number| format!("server-{number}")).collect();
    let fake = FakeRuntime::new(names.clone()).running();
    let mut feed = fake.events(None).await?;
    for name in &names {
        fake.crash(name, 139);
    }
    for name in &names {
        let news = feed.next().await.unwrap()?;
        assert_eq!(
            (&news.service, news.event),
            (name, RuntimeEvent::Died { exit_code: Some(139) })
        );
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_delayed_and_failed() -> Result<()> {
    let fake = FakeRuntime::new(["gmod"]);
    let why = RuntimeError::Refused { what: "starting", service: "gmod".into(), why: "no".into() };
    fake.fail(Call::Up, why.clone());
    fake.delay(Call::Up, Duration::from_secs(5));
    let begun = tokio::time::Instant::now();
    assert_eq!(fake.up("gmod", false).await, Err(why));
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
    fake.up("gmod", false).await?;
    assert_eq!(fake.count(Call::Up), 2);
    assert_eq!(fake.calls(), vec![(Call::Up, String::from("gmod")); 2]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn fates_and_restart_policies_take_their_time() -> Result<()> {
    let fake = FakeRuntime::new(["gmod"]);
    fake.set_fate("gmod", Fate::Dies { after: Duration::from_secs(3), code: 1 });
    fake.set_restarts_itself("gmod", true);
    fake.up("gmod", false).await?;
    let mut feed = fake.events(None).await?;
    let begun = tokio::time::Instant::now();
    for event in [RuntimeEvent::Died { exit_code: Some(1) }, RuntimeEvent::Started] {
        assert_eq!(feed.next().await.unwrap()?.event, event);
    }
    assert_eq!(begun.elapsed().as_millis() / 100, 31);
    assert_eq!(fake.inspect("gmod").await?.restarts, 1);
    fake.operator_stop("gmod");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(fake.inspect("gmod").await?.state, RuntimeState::Exited);
    Ok(())
}
