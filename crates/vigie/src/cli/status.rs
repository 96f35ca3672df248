//! Does: `vigie status`: how the stack is, as the daemon sees it.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::args::StatusArgs;
use super::{Exit, Failure, Paint, table};
use crate::backup::glance;
use crate::config::Config;
use crate::control::{Answer, Client, Request};
use crate::report::{
    ApprovalStatus, HeartbeatStatus, Lang, Status, ago, last_error, minute, say, word,
};
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
            Answer::Rehearsed { .. } => {
                return Err(Failure::say(Exit::Finding, "the watch answered something else"));
            }
        };
        if args.json {
            let mut shape = serde_json::to_value(&status)?;
            if let (Some(object), Some(glance)) = (shape.as_object_mut(), glance(&config)) {
                object.insert(String::from("backup"), serde_json::to_value(glance)?);
            }
            println!("{}", serde_json::to_string_pretty(&shape)?);
            return Ok(verdict(&status));
        }
        if args.live {
            // Home and clear below, so that the screen does not flicker.
            print!("\u{1b}[H\u{1b}[2J");
        }
        print(&status, config.file.stack.lang);
        backups(&config);
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

/// The backups in one line.
fn backups(config: &Config) {
    let Some(glance) = glance(config) else { return };
    let lang = config.file.stack.lang;
    let since = |at: Option<i64>| match (at, lang) {
        (Some(at), _) => {
            let gone = jiff::Timestamp::now().as_millisecond().saturating_sub(at);
            ago(Duration::from_millis(u64::try_from(gone).unwrap_or(0)))
        }
        (None, Lang::En) => String::from("never"),
        (None, Lang::Fr) => String::from("jamais"),
    };
    let sites = glance.sites.iter().map(|site| {
        let trouble = site.trouble.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
        format!("{} {}{trouble}", site.site, since(site.oldest))
    });
    let sites = sites.collect::<Vec<_>>().join(", ");
    let drilled = since(glance.drilled);
    match lang {
        Lang::En => println!("backups  oldest by site: {sites}; last drill {drilled}"),
        Lang::Fr => println!(
            "sauvegardes  la plus ancienne par site : {sites} ; dernier exercice {drilled}"
        ),
    }
}

const fn verdict(status: &Status) -> Exit {
    if status.incidents_open > 0 || status.degraded { Exit::Finding } else { Exit::Fine }
}

fn print(status: &Status, lang: Lang) {
    let paint = Paint::for_stdout();
    let mode = format!("{:?}", status.mode).to_lowercase();
    println!("{}  mode {mode}", paint.bold(&status.stack));
    let rows: Vec<_> = status
        .services
        .iter()
        .map(|service| {
            let health = match service.health.as_str() {
                "healthy" => paint.good(word("healthy", lang)),
                "unhealthy" if service.state == "stopped" => paint.dim("-"),
                "unhealthy" => paint.bad(word("unhealthy", lang)),
                other => paint.warn(word(other, lang)),
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
                word(&service.state, lang).to_owned(),
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
    let head = match lang {
        Lang::En => [
            "SERVICE", "STATE", "HEALTH", "SINCE", "PLAYERS", "MAP", "LATENCY", "CPU", "MEMORY",
            "RESTARTS",
        ],
        Lang::Fr => [
            "SERVICE", "ÉTAT", "SANTÉ", "DEPUIS", "JOUEURS", "CARTE", "LATENCE", "CPU", "MÉMOIRE",
            "RELANCES",
        ],
    };
    table::print(&head, &rows);
    print_remarks(status, lang, paint);
}

/// What stands below the table.
fn print_remarks(status: &Status, lang: Lang, paint: Paint) {
    // English, French.
    let both = |texts: [&str; 2]| texts[usize::from(lang == Lang::Fr)].to_owned();
    for service in &status.services {
        if let Some(error) = &service.last_error {
            let (name, error) = (&service.name, last_error(error, lang));
            let line = match lang {
                Lang::En => format!("{name}: last error: {error}"),
                Lang::Fr => format!("{name} : dernière erreur : {error}"),
            };
            println!("{}", paint.dim(&line));
        }
    }
    if status.degraded {
        let text = both([
            "degraded: the stack works without one of its services",
            "mode dégradé : la stack fonctionne sans l'un de ses services",
        ]);
        println!("{}", paint.warn(&text));
    }
    if let Some(until) = &status.maintenance {
        let text = both(["maintenance until", "maintenance jusqu'à"]);
        println!("{}", paint.warn(&format!("{text} {until}")));
    }
    if !status.runtime_reachable {
        let text = both([
            "the runtime cannot be reached; what is shown of it is old",
            "le moteur d'exécution est injoignable ; ce qui en est montré est ancien",
        ]);
        println!("{}", paint.bad(&text));
    }
    if status.journal_waiting > 0 {
        let count = status.journal_waiting;
        let text = match lang {
            Lang::En => format!("the journal cannot be written: {count} records wait"),
            Lang::Fr => format!("le journal ne peut pas être écrit ; entrées en attente : {count}"),
        };
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
    if let Some(heartbeat) = &status.heartbeat {
        print_heartbeat(heartbeat, lang, paint);
    }
    for approval in &status.approvals {
        println!("{}", paint.warn(&waits(approval, lang)));
    }
    let text = match (status.incidents_open, lang) {
        (0, _) => both(["no open incident", "aucun incident ouvert"]),
        (1, _) => both([
            "1 open incident; vigie incident list",
            "1 incident ouvert ; vigie incident list",
        ]),
        (n, Lang::En) => format!("{n} open incidents; vigie incident list"),
        (n, Lang::Fr) => format!("{n} incidents ouverts ; vigie incident list"),
    };
    let fine = status.incidents_open == 0;
    println!("{}", if fine { paint.good(&text) } else { paint.bad(&text) });
}

/// A run that waits for a person, and what happens when nobody answers.
fn waits(approval: &ApprovalStatus, lang: Lang) -> String {
    let (run, what) = (approval.run, say(&approval.what, lang));
    let until = approval.until.parse::<jiff::Timestamp>();
    let until = until.map_or_else(|_| String::from("?"), |at| minute(at.as_millisecond()));
    let no = approval.default.is_no();
    match lang {
        Lang::En => {
            let then = if no { "it is left" } else { "it is done" };
            format!(
                "run {run} waits for you: {what}; vigie runbook approve {run}, or refuse {run}; \
                 without an answer by {until} {then}"
            )
        }
        Lang::Fr => {
            let then = if no { "rien n'est fait" } else { "c'est fait" };
            format!(
                "la procédure {run} vous attend : {what} ; vigie runbook approve {run}, ou refuse {run} ; \
                 sans réponse d'ici {until}, {then}"
            )
        }
    }
}

fn print_heartbeat(heartbeat: &HeartbeatStatus, lang: Lang, paint: Paint) {
    if let Some(failing) = &heartbeat.failing_since {
        let why = say(heartbeat.why.as_deref().unwrap_or_default(), lang);
        let text = match lang {
            Lang::En => format!("the heartbeat has not arrived for {}: {why}", since(failing)),
            Lang::Fr => format!("le signal de vie n'arrive plus depuis {} : {why}", since(failing)),
        };
        println!("{}", paint.bad(&text));
    } else if let Some(last) = &heartbeat.last {
        let text = match lang {
            Lang::En => format!("heartbeat: {} ago", since(last)),
            Lang::Fr => format!("signal de vie : il y a {}", since(last)),
        };
        println!("{}", paint.dim(&text));
    }
}

fn since(at: &str) -> String {
    let Ok(at) = at.parse::<jiff::Timestamp>() else { return String::from("-") };
    let gone = jiff::Timestamp::now().as_millisecond() - at.as_millisecond();
    ago(Duration::from_millis(u64::try_from(gone).unwrap_or(0)))
}
