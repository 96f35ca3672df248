//! Does: `vigie demo`: the tour on the terminal.

use std::time::Instant;

use tokio::signal::unix::{Signal, SignalKind, signal};
use vigie_core::Record;

use super::args::DemoArgs;
use super::{Exit, Failure, Paint, table, watch};
use crate::config::Lang;
use crate::demo::{Outcome, SCENARIOS, Scenario, Stage, StageError};
use crate::engine::Told;
use crate::report::ago;

impl From<StageError> for Failure {
    fn from(error: StageError) -> Self {
        Self::new(Exit::Finding, error)
    }
}

pub(super) async fn run(args: &DemoArgs) -> Result<Exit, Failure> {
    let scenarios = chosen(&args.scenario)?;
    let paint = Paint::for_stdout();
    let began = Instant::now();
    let mut outcomes = Vec::new();
    let count = scenarios.len();
    let mut interrupted = Interrupted::new()?;
    for (index, scenario) in scenarios.into_iter().enumerate() {
        if !args.json {
            let head = format!("[{}/{count}] {}", index + 1, scenario.name());
            println!("\n{}  {}", paint.bold(&head), scenario.story());
        }
        outcomes.push(play(scenario, args.json, paint, &mut interrupted).await?);
    }
    if args.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&serde_json::json!({ "scenarios": outcomes }))?
        );
    } else {
        summary(&outcomes, paint);
        println!("\nthe tour took {}", ago(began.elapsed()));
    }
    if args.hold {
        hold(args.json, paint, &mut interrupted).await?;
    }
    let as_told = outcomes.iter().all(|outcome| outcome.as_told.is_ok());
    Ok(if as_told { Exit::Fine } else { Exit::Finding })
}

fn chosen(names: &[String]) -> Result<Vec<Scenario>, Failure> {
    if names.is_empty() {
        return Ok(SCENARIOS.to_vec());
    }
    let find = |name: &String| {
        SCENARIOS.into_iter().find(|scenario| scenario.name() == name).ok_or_else(|| {
            let known: Vec<_> = SCENARIOS.iter().map(|scenario| scenario.name()).collect();
            let text = format!("there is no scenario `{name}`; there are: {}", known.join(", "));
            Failure::say(Exit::Usage, text)
        })
    };
    names.iter().map(find).collect()
}

/// Ctrl-C and SIGTERM: the server on the stage is in a process group of its own and hears of neither.
struct Interrupted {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupted {
    fn new() -> std::io::Result<Self> {
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Self { interrupt: signal(interrupt)?, terminate: signal(terminate)? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

async fn play(
    scenario: Scenario,
    json: bool,
    paint: Paint,
    interrupted: &mut Interrupted,
) -> Result<Outcome, Failure> {
    let stage = Stage::set(interrupted.wait()).await?;
    let narrator = narrate(&stage, json, paint);
    let outcome = tokio::select! {
        outcome = scenario.play(&stage) => Some(outcome),
        () = interrupted.wait() => None,
    };
    stage.strike().await;
    let _ = narrator.await;
    let outcome = outcome.unwrap_or(Err(StageError::Interrupted))?;
    if !json {
        match &outcome.as_told {
            Ok(()) => println!("  {}", paint.good("as told")),
            Err(why) => println!("  {}", paint.bad(&format!("NOT as told: {why}"))),
        }
    }
    Ok(outcome)
}

/// Prints every record as it is appended, until the stage is struck.
fn narrate(stage: &Stage, json: bool, paint: Paint) -> tokio::task::JoinHandle<()> {
    let mut told = stage.app.handle().listen();
    tokio::spawn(async move {
        while let Ok(record) = told.recv().await {
            if !json {
                println!("{}", narrated(&record, paint));
            }
        }
    })
}

/// A record as the tour tells it: the cases that were not chosen get a line each.
fn narrated(told: &Told, paint: Paint) -> String {
    let Record::CaseChosen { run, evidence, case, rejected } = &told.record else {
        return format!("  {}", watch::line(told, Lang::En, paint));
    };
    let chosen = Record::CaseChosen {
        run: *run,
        evidence: evidence.clone(),
        case: case.clone(),
        rejected: Vec::new(),
    };
    let chosen = Told { record: chosen, ..told.clone() };
    let mut text = format!("  {}", watch::line(&chosen, Lang::En, paint));
    for one in rejected {
        text += &paint.dim(&format!("\n                        not {}: {}", one.case, one.why));
    }
    text
}

fn summary(outcomes: &[Outcome], paint: Paint) {
    println!();
    let ms = |ms: Option<u64>| {
        ms.map_or_else(|| String::from("-"), |ms| ago(std::time::Duration::from_millis(ms)))
    };
    let rows: Vec<_> = outcomes
        .iter()
        .map(|outcome| {
            vec![
                outcome.name.to_owned(),
                outcome.severity.unwrap_or("-").to_owned(),
                outcome.case.clone().unwrap_or_else(|| String::from("-")),
                ms(outcome.detected_ms),
                ms(outcome.restored_ms),
                if outcome.verified { paint.good("yes") } else { paint.bad("NO") },
            ]
        })
        .collect();
    table::print(&["SCENARIO", "SEVERITY", "CASE", "DETECTED", "RESTORED", "VERIFIED"], &rows);
}

async fn hold(json: bool, paint: Paint, interrupted: &mut Interrupted) -> Result<(), Failure> {
    let stage = Stage::set(interrupted.wait()).await?;
    let narrator = narrate(&stage, json, paint);
    let file = stage.directory().join("vigie.toml");
    eprintln!("\nthe stack is yours; Ctrl-C ends it. In another terminal:");
    for command in ["status --live", "incident list", "stop gmod", "start gmod"] {
        eprintln!("  vigie --config {} {command}", file.display());
    }
    eprintln!(
        "the server listens on {} (RCON password: practice-only); break it with",
        stage.address()
    );
    eprintln!("  `practice help` over RCON");
    interrupted.wait().await;
    stage.strike().await;
    narrator.abort();
    Ok(())
}
