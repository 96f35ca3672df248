//! Measures how people are told: from the record of an incident to the first byte at a channel's server,
//! how many notices a second, and what a kill with a thousand of them waiting costs. `cargo xtask bench
//! notify` runs it; the other side is a server in this process.
#![expect(clippy::disallowed_methods, reason = "an example measures, and starts what it measures")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to its caller")]

mod server;
mod watch;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use server::Server;
use vigie_core::Record;
use vigie_testkit::chat::Discord;
use watch::{Watch, Way, config};

/// Incidents one by one. The pause between them keeps a webhook's limit of ten a second out of it.
const ONE_BY_ONE: usize = 300;
const PAUSE: Duration = Duration::from_millis(130);
/// Incidents at once.
const AT_ONCE: usize = 1_000;
/// Incidents that wait when vigie is killed.
const WAITING: usize = 1_000;
const ROUNDS: usize = 5;
/// What a watch that is killed, or started again, is called with.
const HOLD: &str = "--hold";
const RESUME: &str = "--resume";
const DRAIN: &str = "--drain";

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let done = runtime.map_err(Into::into).and_then(|runtime| match words.as_slice() {
        [] => runtime.block_on(measure()),
        [HOLD, directory, url] => runtime.block_on(hold(Path::new(directory), url)),
        [RESUME, directory, url] => runtime.block_on(resume(Path::new(directory), url, Way::Real)),
        [DRAIN, directory, url] => {
            runtime.block_on(resume(Path::new(directory), url, Way::Unlimited))
        }
        _ => Err("usage: notify_speed".into()),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure() -> Result<()> {
    first_byte().await?;
    without_limits().await?;
    within_limits().await?;
    after_a_kill().await
}

async fn first_byte() -> Result<()> {
    let (directory, server) = (tempfile::tempdir()?, Server::start().await?);
    let watch = Watch::start(&config(directory.path(), "webhook", &server.url)?, Way::Real, || ())?;
    let mut told = watch.handle.listen();
    let mut written = Vec::new();
    let listener = tokio::spawn(async move {
        while written.len() < ONE_BY_ONE {
            let Ok(one) = told.recv().await else { break };
            if matches!(one.record, Record::IncidentOpened { .. }) {
                written.push(Instant::now());
            }
        }
        written
    });
    let mut ordered = Vec::new();
    for number in 1..=ONE_BY_ONE {
        ordered.push(Instant::now());
        // None that starts a run.
        watch.open(number * 10 + 1).await?;
        server.wait(number, Duration::from_secs(10)).await?;
        tokio::time::sleep(PAUSE).await;
    }
    let written = listener.await?;
    watch.stop().await;
    let came = server.came();
    let since = |from: &[Instant]| -> Vec<f64> {
        let both = from.iter().zip(&came);
        both.map(|(from, (_, at))| millis(at.saturating_duration_since(*from))).collect()
    };
    shown("ordered -> first byte", since(&ordered));
    shown("written -> first byte", since(&written));
    Ok(())
}

async fn without_limits() -> Result<()> {
    let (mut written, mut sent) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (directory, server) = (tempfile::tempdir()?, Server::start().await?);
        let config = config(directory.path(), "webhook", &server.url)?;
        let watch = Watch::start(&config, Way::Unlimited, || ())?;
        let began = Instant::now();
        for number in 1..=AT_ONCE {
            watch.open(number * 10 + 1).await?;
        }
        written.push(rate(AT_ONCE, began.elapsed()));
        server.wait(AT_ONCE, Duration::from_secs(120)).await?;
        sent.push(rate(AT_ONCE, began.elapsed()));
        watch.stop().await;
    }
    println!(
        "without limits         {} written/s, {} written and sent/s",
        middle(written),
        middle(sent)
    );
    Ok(())
}

/// From the first of them on until a minute after the last was written.
async fn within_limits() -> Result<()> {
    let minute = Duration::from_secs(60);
    let (directory, server) = (tempfile::tempdir()?, Server::start().await?);
    let watch = Watch::start(&config(directory.path(), "webhook", &server.url)?, Way::Real, || ())?;
    for number in 1..=AT_ONCE {
        watch.open(number * 10 + 1).await?;
    }
    tokio::time::sleep(minute).await;
    println!("webhook, over a minute {} notices", server.came().len());
    watch.stop().await;
    let (directory, discord) = (tempfile::tempdir()?, Discord::start().await?);
    let watch =
        Watch::start(&config(directory.path(), "discord", &discord.url())?, Way::Real, || ())?;
    for number in 1..=AT_ONCE {
        watch.open(number * 10 + 1).await?;
    }
    tokio::time::sleep(minute).await;
    let seen = discord.seen();
    let refused = seen.iter().filter(|one| one.status >= 300).count();
    println!("discord, over a minute {} notices, {refused} refused", seen.len() - refused);
    watch.stop().await;
    Ok(())
}

async fn after_a_kill() -> Result<()> {
    let (mut lanes, mut first, mut lost) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let directory = tempfile::tempdir()?;
        // Nobody listens there: everything waits.
        let nowhere = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut held = child(HOLD, directory.path(), &format!("http://{nowhere}/hook"))?;
        line(&mut held)?;
        held.kill()?;
        held.wait()?;
        let server = Server::start().await?;
        let began = Instant::now();
        let mut resumed = child(RESUME, directory.path(), &server.url)?;
        line(&mut resumed)?;
        lanes.push(millis(began.elapsed()));
        server.wait(1, Duration::from_secs(30)).await?;
        first.push(millis(server.came()[0].1.saturating_duration_since(began)));
        resumed.kill()?;
        resumed.wait()?;
        let mut drained = child(DRAIN, directory.path(), &server.url)?;
        // One may come twice: it was sent, and not yet written down as told.
        let came = || server.came().into_iter().map(|(id, _)| id).collect::<BTreeSet<_>>();
        let end = Instant::now() + Duration::from_secs(60);
        while came().len() < WAITING && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        lost += WAITING - came().len();
        drop(drained.stdin.take());
        drained.wait()?;
    }
    shown("start -> all in lanes", lanes);
    shown("start -> first byte", first);
    println!("lost                   {lost} of {}", WAITING * ROUNDS);
    Ok(())
}

/// The watch that will be killed: says when everything is written.
async fn hold(directory: &Path, url: &str) -> Result<()> {
    let watch = Watch::start(&config(directory, "webhook", url)?, Way::Real, || ())?;
    for number in 1..=WAITING {
        watch.open(number * 10 + 1).await?;
    }
    println!("ready");
    std::future::pending().await
}

/// The watch after it: says when everything is in its lane.
async fn resume(directory: &Path, url: &str, way: Way) -> Result<()> {
    let watch = Watch::start(&config(directory, "webhook", url)?, way, || println!("lanes"))?;
    let input = || std::io::stdin().read_to_end(&mut Vec::new()).map_err(|why| why.to_string());
    tokio::task::spawn_blocking(input).await??;
    watch.stop().await;
    Ok(())
}

fn child(how: &str, directory: &Path, url: &str) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(how).arg(directory).arg(url).stdin(Stdio::piped()).stdout(Stdio::piped());
    Ok(command.spawn()?)
}

fn line(child: &mut Child) -> Result<()> {
    let output = child.stdout.take().ok_or("no output")?;
    let read = BufReader::new(output).read_line(&mut String::new())?;
    if read == 0 { Err("the watch has ended".into()) } else { Ok(()) }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

fn middle(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let (least, most) = (values[0], values[values.len() - 1]);
    format!("{:.0} ({least:.0} to {most:.0})", values[values.len() / 2])
}

/// Median, 95th percentile by the nearest rank, and the worst.
fn shown(name: &str, mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let (last, p95) = (values.len() - 1, (values.len() * 95).div_ceil(100) - 1);
    println!(
        "{name:22} median {:.2} ms, p95 {:.2} ms, at most {:.2} ms (n = {})",
        values[values.len() / 2],
        values[p95],
        values[last],
        values.len()
    );
}
