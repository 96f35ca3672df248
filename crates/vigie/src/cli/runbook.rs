//! Does: `vigie runbook …`: read, check, run (or only plan), approve.

use std::path::{Path, PathBuf};

use vigie_core::respond::Runbook;

use super::args::Deed;
use super::args::RunbookCommand;
use super::order::{ask, check_names};
use super::{Exit, Failure, Paint, table};
use crate::config::{self, BUILT_IN, Config};
use crate::control::{Answer, Client, Request};
use crate::diagnose;
use crate::report::{Lang, say};

pub(super) async fn run(path: &Path, command: RunbookCommand) -> Result<Exit, Failure> {
    match command {
        RunbookCommand::List { json } => list(&Config::read(path)?, json),
        RunbookCommand::Show { name, json } => show(&Config::read(path)?, &name, json),
        RunbookCommand::Check { files, json } => check(path, files, json),
        RunbookCommand::Run { name, service, dry_run: true, json, .. } => {
            plan(Config::read(path)?, &name, &service, json).await
        }
        RunbookCommand::Run { name, service, who, .. } => {
            let config = Config::read(path)?;
            let request = Request::RunRunbook { service, runbook: name, by: who.name() };
            ask(&config, &request, false).await
        }
        RunbookCommand::Approve { run, deed } => answer(path, run, true, &deed).await,
        RunbookCommand::Refuse { run, deed } => answer(path, run, false, &deed).await,
    }
}

async fn answer(path: &Path, run: u64, granted: bool, deed: &Deed) -> Result<Exit, Failure> {
    let request = Request::Approve { run, granted, by: deed.who.name() };
    ask(&Config::read(path)?, &request, deed.dry_run).await
}

fn list(config: &Config, json: bool) -> Result<Exit, Failure> {
    if json {
        println!("{}", serde_json::to_string_pretty(&config.stack.runbooks)?);
        return Ok(Exit::Fine);
    }
    let lang = config.file.stack.lang;
    let words = |runbook: &Runbook| {
        let words: Vec<_> = runbook.on.iter().map(|kind| kind.word()).collect();
        words.join(" ")
    };
    let row = |runbook: &Runbook| {
        let cases: Vec<_> = runbook.cases.iter().map(|case| case.id.as_str()).collect();
        vec![
            runbook.name.clone(),
            cases.join(" "),
            words(runbook),
            lang.of(&runbook.title).to_owned(),
        ]
    };
    let rows: Vec<_> = config.stack.runbooks.iter().map(row).collect();
    let head = match lang {
        Lang::En => ["RUNBOOK", "CASES", "ANSWERS", "TITLE"],
        Lang::Fr => ["RUNBOOK", "CAS", "RÉPOND À", "TITRE"],
    };
    table::print(&head, &rows);
    Ok(Exit::Fine)
}

fn show(config: &Config, name: &str, json: bool) -> Result<Exit, Failure> {
    let known = config.stack.runbooks.iter().find(|book| book.name == name);
    if let (true, Some(book)) = (json, known) {
        println!("{}", serde_json::to_string_pretty(book)?);
        return Ok(Exit::Fine);
    }
    let directory = config.directory().join(&config.file.stack.runbooks);
    let file = directory.join(format!("{name}.toml"));
    let own = std::fs::read_to_string(&file).ok();
    let built_in = BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
    match (own, built_in) {
        (Some(text), _) => print!("# {}\n{text}", file.display()),
        (None, Some(text)) => print!("# built in; {} would replace it\n{text}", file.display()),
        (None, None) => {
            let text = format!("there is no runbook `{name}`; try: vigie runbook list");
            return Err(Failure::say(Exit::Usage, text));
        }
    }
    Ok(Exit::Fine)
}

/// Checks files one by one, so that every faulty one is named.
fn check(path: &Path, files: Vec<PathBuf>, json: bool) -> Result<Exit, Failure> {
    let files = if files.is_empty() {
        // As a person would write it: relative to where the configuration was named from.
        let beside = path.parent().unwrap_or(Path::new(""));
        let directory = Config::read(path)
            .map(|config| beside.join(&config.file.stack.runbooks))
            .unwrap_or_else(|_| beside.join("runbooks"));
        let entries = std::fs::read_dir(&directory).map_err(|error| {
            let text = format!("{} cannot be read: {error}", directory.display());
            Failure::say(Exit::Usage, text)
        })?;
        let mut files: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
            .collect();
        files.sort();
        files
    } else {
        files
    };
    let paint = Paint::for_stdout();
    let mut exit = Exit::Fine;
    let mut checked = Vec::new();
    for file in files {
        let read = std::fs::read_to_string(&file);
        let read = read.map_err(|error| {
            config::ConfigError::whole(&file, format!("cannot be read: {error}"), None)
        });
        let read = read.and_then(|text| config::parse_runbook(&file, &text));
        if json {
            exit = if read.is_err() { Exit::Usage } else { exit };
            checked.push(checked_json(&file, read.as_ref()));
            continue;
        }
        match read {
            Ok(runbook) => {
                let cases = match runbook.cases.len() {
                    1 => String::from("1 case"),
                    count => format!("{count} cases"),
                };
                println!("{} {}: {cases}", paint.good("ok"), file.display());
            }
            Err(error) => {
                println!("{} {error}", paint.bad("error"));
                exit = Exit::Usage;
            }
        }
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&checked)?);
    }
    Ok(exit)
}

/// What `runbook check --json` says of one file.
fn checked_json(file: &Path, read: Result<&Runbook, &config::ConfigError>) -> serde_json::Value {
    let file = file.display().to_string();
    match read {
        Ok(book) => serde_json::json!({ "file": file, "ok": true, "cases": book.cases.len() }),
        Err(error) => serde_json::json!({
            "file": file,
            "ok": false,
            "line": error.at.0,
            "column": error.at.1,
            "what": error.what,
            "hint": error.hint,
        }),
    }
}

/// Collects evidence and says what would be done, without the daemon and without changing anything.
async fn plan(config: Config, name: &str, service: &str, json: bool) -> Result<Exit, Failure> {
    let lang = config.file.stack.lang;
    check_names(&config, service, Some(name))?;
    let request = Request::Rehearse { service: service.to_owned(), runbook: name.to_owned() };
    let answer = match Client::connect(&config.socket()).await {
        Ok(mut client) => Some(client.ask(&request).await?),
        Err(_) => None,
    };
    let plan = match answer {
        Some(Answer::Refused { why }) => {
            return Err(Failure::say(Exit::Refused, say(&why, lang)));
        }
        Some(Answer::Rehearsed { records }) => diagnose::told(&config, name, service, &records),
        _ => None,
    };
    let plan = match plan {
        Some(plan) => plan,
        None => diagnose::plan(config, name, service)
            .await
            .map_err(|why| Failure::say(Exit::Usage, why))?,
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&plan)?);
        return Ok(Exit::Fine);
    }
    tell(&plan, name, service, lang);
    Ok(Exit::Fine)
}

fn tell(plan: &diagnose::Plan, name: &str, service: &str, lang: Lang) {
    let paint = Paint::for_stdout();
    let title = match lang {
        Lang::En => format!("{name} on {service} (dry run: nothing is changed)"),
        Lang::Fr => format!("{name} sur {service} (à blanc : rien n'est changé)"),
    };
    let [evidence, not, case, would, then, colon] = match lang {
        Lang::En => ["evidence", "not", "case", "would", "then", ":"],
        Lang::Fr => ["preuve", "pas", "cas", "à faire :", "puis", " :"],
    };
    println!("{}", paint.bold(&title));
    for fact in &plan.evidence {
        println!("  {evidence}  {}", say(fact, lang));
    }
    for rejected in &plan.rejected {
        let why = say(&rejected.why, lang);
        println!("  {}", paint.dim(&format!("{not} {}{colon} {why}", rejected.case)));
    }
    match &plan.case {
        Some(chosen) => {
            println!("  {case} {}{colon} {}", paint.bold(&chosen.id), lang.of(&chosen.title));
            for step in &plan.steps {
                println!("    {would} {}", say(step, lang));
            }
            println!("    {then} {}", say(&plan.verify, lang));
        }
        None => {
            let text = match lang {
                Lang::En => "no case matches: it would be handed to a person",
                Lang::Fr => "aucun cas ne convient : ce serait remis à une personne",
            };
            println!("  {}", paint.warn(text));
        }
    }
    match &plan.then {
        Some(lines) => lines.iter().for_each(|line| println!("  {}", paint.warn(&say(line, lang)))),
        None => {
            let text = match lang {
                Lang::En => {
                    "the watch does not run: its budget, its guard and past exits are not counted"
                }
                Lang::Fr => {
                    "la veille ne tourne pas : ni budget, ni garde-fou, ni arrêts passés ne comptent"
                }
            };
            println!("  {}", paint.dim(text));
        }
    }
}
