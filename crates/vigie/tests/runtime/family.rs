//! Plain processes beyond the contract: what one has started ends with it, its console stays within
//! bounds, and its use is counted.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use vigie::runtime::Runtime as _;
use vigie::runtime::process::{Process, ProcessConfig, ProcessService};
use vigie_core::observe::RuntimeEvent as Event;
use vigie_testkit::conformance::runtime::Watch;
use vigie_testkit::lab::is_alive;

const NAME: &str = "gmod";

/// A start script whose child is the server: `$child` runs in the background, the script says its
/// number and goes on with `then`.
fn service(directory: &Path, child: &str, then: &str) -> Result<Process> {
    let script = format!("sh -c '{child}' & echo $! > child; {then}");
    let service = ProcessService {
        name: NAME.into(),
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        env: Vec::new(),
        directory: Some(directory.to_owned()),
        memory: None,
    };
    Ok(Process::new(ProcessConfig { state_dir: directory.join("state"), services: vec![service] })?)
}

/// The child's number, once it does what it is for.
async fn child(directory: &Path) -> Result<i32> {
    for _ in 0..500 {
        let text = std::fs::read_to_string(directory.join("child")).unwrap_or_default();
        if text.ends_with('\n') && directory.join("ready").exists() {
            return Ok(text.trim().parse()?);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    anyhow::bail!("the script has no child")
}

#[tokio::test]
async fn a_dead_script_leaves_no_server_behind() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let then = "while ! [ -e die ]; do sleep 0.02; done; exit 7";
    let runtime = service(directory.path(), ": > ready; exec sleep 300", then)?;
    let mut watch = Watch::open(&runtime, NAME, None).await?;
    runtime.up(NAME, false).await?;
    let child = child(directory.path()).await?;
    std::fs::write(directory.path().join("die"), "")?;
    watch.exactly(&[Event::Started, Event::Died { exit_code: Some(7) }]).await?;
    ensure!(!is_alive(child), "the death is told, and {child} goes on");
    Ok(())
}

#[tokio::test]
async fn a_stop_gives_all_of_it_its_time() -> Result<()> {
    let directory = tempfile::tempdir()?;
    // The script itself ends at once; its child saves the world first.
    let saves =
        "trap \"sleep 0.5; : > saved; exit 0\" TERM; : > ready; while :; do sleep 0.02; done";
    let runtime = service(directory.path(), saves, "wait")?;
    runtime.up(NAME, false).await?;
    let child = child(directory.path()).await?;
    runtime.stop(NAME).await?;
    ensure!(!is_alive(child), "it is stopped, and {child} goes on");
    ensure!(directory.path().join("saved").exists(), "the child was killed before it had saved");
    Ok(())
}

#[tokio::test]
async fn a_deaf_child_is_killed_in_the_end() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let deaf = "trap \"\" TERM; : > ready; while :; do sleep 0.02; done";
    let runtime = service(directory.path(), deaf, "wait")?;
    let mut watch = Watch::open(&runtime, NAME, None).await?;
    runtime.up(NAME, false).await?;
    let child = child(directory.path()).await?;
    let begun = Instant::now();
    // Its patience is two seconds, that of `stop` ten.
    runtime.shutdown().await;
    ensure!(!is_alive(child), "it is stopped, and {child} goes on");
    ensure!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
    let killed = [Event::Killed { signal: 15 }, Event::Killed { signal: 9 }];
    watch.exactly(&[&[Event::Started][..], &killed].concat()).await?;
    let died = watch.next().await.context("its death")?;
    ensure!(matches!(died, Event::Died { .. }), "{died:?}");
    watch.exactly(&[Event::Stopped]).await
}

#[tokio::test]
async fn a_console_is_bounded_while_its_service_runs() -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let directory = tempfile::tempdir()?;
    // 48 MiB, then it goes on living.
    let prints = "yes 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde | head -n 786432; : > ready; exec sleep 300";
    let runtime = service(directory.path(), prints, "wait")?;
    runtime.up(NAME, false).await?;
    child(directory.path()).await?;
    let file = directory.path().join("state").join("gmod.log");
    let begun = Instant::now();
    loop {
        let metadata = std::fs::metadata(&file)?;
        if metadata.len() == 786_432 * 64 && metadata.blocks() * 512 <= 16 << 20 {
            break;
        }
        ensure!(begun.elapsed() < Duration::from_secs(20), "{} blocks", metadata.blocks());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    ensure!(runtime.tail(NAME, 5).await?.len() == 5, "its end is there");
    runtime.shutdown().await;
    Ok(())
}

#[tokio::test]
async fn one_sample_says_nothing_of_the_cpu() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let runtime = service(directory.path(), ": > ready; exec sleep 300", "while :; do :; done")?;
    runtime.up(NAME, false).await?;
    child(directory.path()).await?;
    let first = runtime.usage(NAME).await?.context("it runs")?;
    ensure!(first.cpu_pct.is_none() && first.mem_bytes > 0, "{first:?}");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let second = runtime.usage(NAME).await?.context("it runs")?;
    ensure!(second.cpu_pct.is_some_and(|pct| pct > 20.0), "{second:?}");
    runtime.shutdown().await;
    Ok(())
}
