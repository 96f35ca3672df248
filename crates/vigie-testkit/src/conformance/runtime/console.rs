//! The console: every line once, in order.

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::StreamExt as _;
use vigie::runtime::{Feed, LogLine, LogPosition};
use vigie_core::observe::RuntimeState;

use super::{LONG, RuntimeSubject, running};

fn numbered(word: &str, range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| format!("{word} {number}")).collect()
}

async fn open(subject: &dyn RuntimeSubject, from: Option<LogPosition>) -> Result<Feed<LogLine>> {
    Ok(subject.runtime().logs(subject.service(), from).await?)
}

/// Reads exactly these lines and returns the position behind the last.
async fn expect(feed: &mut Feed<LogLine>, wanted: &[String]) -> Result<LogPosition> {
    let mut last = None;
    for (number, wanted) in wanted.iter().enumerate() {
        let next = tokio::time::timeout(LONG, feed.next()).await;
        let line = match next.with_context(|| format!("line {number} ({wanted:.40}) is missing"))? {
            Some(Ok(line)) => line,
            Some(Err(error)) => bail!("instead of line {number} ({wanted:.40}): {error}"),
            None => bail!("the feed ended before line {number} ({wanted:.40})"),
        };
        let text = String::from_utf8_lossy(&line.text);
        ensure!(text == wanted.as_str(), "line {number} is {text:.60}, wanted {wanted:.60}");
        ensure!(last.is_none_or(|last| line.next > last), "positions must grow: {:?}", line.next);
        last = Some(line.next);
    }
    last.context("nothing was asked for")
}

/// Without a position it begins with what comes after the call, and not before.
pub(super) async fn from_now_on(subject: &dyn RuntimeSubject) -> Result<()> {
    running(subject).await?;
    subject.print(&numbered("early", 0..20)).await?;
    // What a process prints takes a moment to reach the runtime's book.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let mut feed = open(subject, None).await?;
    let lines = numbered("now", 0..20);
    subject.print(&lines).await?;
    expect(&mut feed, &lines).await.map(drop)
}

/// A reader that was cut off goes on at its position: nothing lost, nothing twice.
pub(super) async fn across_a_cut(subject: &dyn RuntimeSubject) -> Result<()> {
    running(subject).await?;
    let mut feed = open(subject, None).await?;
    let lines = numbered("cut", 0..600);
    subject.print(&lines).await?;
    let mut from = expect(&mut feed, &lines[..1]).await?;
    for (start, end) in [(1, 2), (2, 200), (200, 201), (201, 600)] {
        drop(feed);
        feed = open(subject, Some(from)).await?;
        from = expect(&mut feed, &lines[start..end]).await?;
    }
    let more = numbered("more", 0..50);
    subject.print(&more[..25]).await?;
    from = expect(&mut feed, &more[..25]).await?;
    drop(feed);
    subject.print(&more[25..]).await?;
    expect(&mut open(subject, Some(from)).await?, &more[25..]).await.map(drop)
}

/// Also over the service's own restart, in which the feed may end or go on.
pub(super) async fn across_a_restart(subject: &dyn RuntimeSubject) -> Result<()> {
    running(subject).await?;
    let mut feed = open(subject, None).await?;
    subject.print(&numbered("old", 0..3)).await?;
    let mut from = expect(&mut feed, &numbered("old", 0..2)).await?;
    subject.runtime().restart(subject.service(), false).await?;
    subject.ready().await?;
    subject.print(&numbered("new", 0..3)).await?;
    let mut wanted = numbered("old", 2..3);
    wanted.extend(numbered("new", 0..3));
    let mut seen = Vec::new();
    while seen.len() < wanted.len() {
        match tokio::time::timeout(LONG, feed.next()).await.context("lines are missing")? {
            Some(Ok(line)) => {
                from = line.next;
                let text = String::from_utf8_lossy(&line.text).into_owned();
                // The service may say more than it was told to when it starts.
                if text.starts_with("old ") || text.starts_with("new ") {
                    seen.push(text);
                }
            }
            Some(Err(error)) => bail!("{error}"),
            None => feed = open(subject, Some(from)).await?,
        }
    }
    ensure!(seen == wanted, "wanted {wanted:?}, saw {seen:?}");
    Ok(())
}

/// Long lines stay whole, and nothing is taken for a time stamp.
pub(super) async fn strange_lines(subject: &dyn RuntimeSubject) -> Result<()> {
    running(subject).await?;
    let mut feed = open(subject, None).await?;
    let lines = [
        "x".repeat(16 * 1024),
        "y".repeat(16 * 1024 + 1),
        "z".repeat(40_000),
        String::from("2026-03-02T10:00:00.000000001Z a line with a time of its own"),
        String::from("é ❌ \u{1b}[31mred\u{1b}[0m"),
        String::from("  spaces before and after  "),
        String::from("end"),
    ];
    subject.print(&lines).await?;
    let first = expect(&mut feed, &lines[..1]).await?;
    expect(&mut feed, &lines[1..]).await?;
    expect(&mut open(subject, Some(first)).await?, &lines[1..]).await.map(drop)
}

/// The last lines, also of a service that has ended.
pub(super) async fn tail(subject: &dyn RuntimeSubject) -> Result<()> {
    running(subject).await?;
    let lines = numbered("tail", 0..10);
    let mut feed = open(subject, None).await?;
    subject.print(&lines).await?;
    expect(&mut feed, &lines).await?;
    subject.exit(1).await?;
    while subject.runtime().inspect(subject.service()).await?.state == RuntimeState::Running {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let seen = subject.runtime().tail(subject.service(), 3).await?;
    let seen: Vec<_> = seen.iter().map(|line| String::from_utf8_lossy(line)).collect();
    ensure!(seen == lines[7..], "{seen:?}");
    ensure!(subject.runtime().tail(subject.service(), 0).await?.is_empty(), "none were asked for");
    Ok(())
}
