//! Does: `vigie status`: how the stack is, as the daemon sees it.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::args::StatusArgs;
use super::{Exit, Failure, Paint, table};
use crate::config::Config;
use crate::control::{Answer, Client, Request};
use crate::report::{Status, ago};
use crate::text::size;

pub(super) async fn run(path: &Path, args: &StatusArgs) -> Result<Exit, Failure> {
    let config = Config::read(path)?;
    let mut client = Client::connect(&config.socket()).await?;
    loop {
        let status = match client.ask(&Request::Status).await? {
            Answer::Status { status } => status,
            Answer::Done { text } | Answer::Refused { why: text } => {
                return Err(Failure::say(Exit::Finding, text));
            }
        };
        if args.json {
            println!("{}", serde_json::to_string_pretty(&status)?);
            return Ok(verdict(&status));
        }
        if args.live {
            // Home and clear below, so that the screen does not flicker.
            print!("\u{1b}[H\u{1b}[2J");
        }
        print(&status);
        if !args.live {
            return Ok(verdict(&status));
        }
        std::io::stdout().flush()?;
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Fine),
        }
        // The daemon ends a connection after a while; a live view goes on.
        client = Client::connect(&config.socket()).await?;
    }
}

const fn verdict(status: &Status) -> Exit {
    if status.incidents_open > 0 || status.degraded { Exit::Finding } else { Exit::Fine }
}

fn print(status: &Status) {
    let paint = Paint::for_stdout();
    let mode = format!("{:?}", status.mode).to_lowercase();
    println!("{}  mode {mode}", paint.bold(&status.stack));
    let rows: Vec<_> = status
        .services
        .iter()
        .map(|service| {
            let health = match service.health.as_str() {
                "healthy" => paint.good("healthy"),
                "unhealthy" if service.state == "stopped" => paint.dim("-"),
                "unhealthy" => paint.bad("unhealthy"),
                other => paint.warn(other),
            };
            let dash = || String::from("-");
            let players = match (service.players, service.max_players) {
                (Some(players), Some(max)) => format!("{players}/{max}"),
                _ => dash(),
            };
            let memory = match (service.mem_bytes, service.mem_limit_bytes) {
                (Some(used), Some(limit)) => format!("{} / {}", size(used), size(limit)),
                (Some(used), None) => size(used),
                _ => dash(),
            };
            vec![
                service.name.clone(),
                service.state.clone(),
                health,
                service.since.as_deref().map_or_else(dash, since),
                players,
                service.map.clone().unwrap_or_else(dash),
                service.latency_ms.map_or_else(dash, |ms| format!("{ms:.1} ms")),
                service.cpu_pct.map_or_else(dash, |pct| format!("{pct:.0} %")),
                memory,
                service.restarts.to_string(),
            ]
        })
        .collect();
    let head = [
        "SERVICE", "STATE", "HEALTH", "SINCE", "PLAYERS", "MAP", "LATENCY", "CPU", "MEMORY",
        "RESTARTS",
    ];
    table::print(&head, &rows);
    for service in &status.services {
        if let Some(error) = &service.last_error {
            println!("{}", paint.dim(&format!("{}: last error: {error}", service.name)));
        }
    }
    if status.degraded {
        println!("{}", paint.warn("degraded: the stack works without one of its services"));
    }
    if let Some(until) = &status.maintenance {
        println!("{}", paint.warn(&format!("maintenance until {until}")));
    }
    if !status.runtime_reachable {
        println!("{}", paint.bad("the runtime cannot be reached; what is shown of it is old"));
    }
    if status.journal_waiting > 0 {
        let text =
            format!("the journal cannot be written: {} records wait", status.journal_waiting);
        println!("{}", paint.bad(&text));
    }
    for channel in &status.channels {
        let name = &channel.name;
        match (&channel.stopped, channel.waiting) {
            (Some(why), _) => {
                let text = format!("{name} takes no messages: {why}; vigie notify test {name}");
                println!("{}", paint.bad(&text));
            }
            (None, 0) => {}
            (None, waiting) => {
                println!("{}", paint.dim(&format!("{name}: {waiting} messages wait")))
            }
        }
    }
    for (run, what) in &status.approvals {
        println!(
            "{}",
            paint.warn(&format!("run {run} waits for you: {what}; vigie runbook approve {run}"))
        );
    }
    match status.incidents_open {
        0 => println!("{}", paint.good("no open incident")),
        1 => println!("{}", paint.bad("1 open incident; vigie incident list")),
        n => println!("{}", paint.bad(&format!("{n} open incidents; vigie incident list"))),
    }
}

fn since(at: &str) -> String {
    let Ok(at) = at.parse::<jiff::Timestamp>() else { return String::from("-") };
    let gone = jiff::Timestamp::now().as_millisecond() - at.as_millisecond();
    ago(Duration::from_millis(u64::try_from(gone).unwrap_or(0)))
}
