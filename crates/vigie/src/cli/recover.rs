//! Does: `vigie recover`: says what would come back, asks, and shows how it goes. Secrets are asked for on
//! the terminal without being shown, and are never among the arguments.

mod words;

use std::io::{BufRead as _, BufReader, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use vigie_backup::Meter;
use vigie_core::binlog::Target;

use super::args::RecoverArgs;
use super::backup::{utc, when};
use super::bar::{Bar, Silent};
use super::{Exit, Failure, Paint, table};
use crate::backup::Tell;
use crate::backup::recover::{Plan, RecoverError, Report, Source, Wish, plan, recover};
use crate::config::Lang;
use crate::report::{ago, rfc3339};
use crate::text::size;

impl From<RecoverError> for Failure {
    fn from(error: RecoverError) -> Self {
        let exit = error.class().into();
        Self::new(exit, error)
    }
}

pub(super) async fn run(config: Option<&Path>, args: &RecoverArgs) -> Result<Exit, Failure> {
    let until = args.at.as_deref().map(when::until).transpose();
    let until = until.map_err(|why| Failure::say(Exit::Usage, why))?;
    let second = match args.at.as_deref().map(when::target) {
        Some(Ok(Target::Moment(second))) => Some(second),
        _ => None,
    };
    let source = source(config, &args.from)?;
    let to = match &args.to {
        Some(to) => std::path::absolute(to)?,
        None => std::env::current_dir()?,
    };
    let (tell, meter): (Arc<dyn Tell>, Arc<dyn Meter>) = if args.json {
        (Arc::new(Silent), Arc::new(Silent))
    } else {
        let bar = Arc::new(Bar::new());
        (bar.clone(), bar)
    };
    let wish = Wish { source, to: to.clone(), until, second, dump_only: args.dump_only };
    let planned = plan(wish, &asked_secretly, meter).await?;
    if !args.json {
        show(&planned, &to);
    } else if args.dry_run {
        println!("{}", serde_json::to_string_pretty(&shape(&planned))?);
    }
    if args.dry_run {
        return Ok(Exit::Fine);
    }
    if !args.yes && !asked(planned.lang)? {
        return Err(Failure::say(Exit::Refused, words::no_yes(planned.lang)));
    }
    let report = recover(&planned, &*tell).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        told(&report, &to, planned.lang);
    }
    Ok(Exit::Fine)
}

/// The site that is meant: a word by itself, or a name in a file.
fn source(config: Option<&Path>, from: &str) -> Result<Source, Failure> {
    let is_name = from.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let source = match config {
        Some(file) if is_name => Source::read(from, file),
        _ => Source::parse(from),
    };
    Ok(source.map_err(RecoverError::from)?)
}

fn shape(planned: &Plan) -> serde_json::Value {
    let backups = planned.backups().into_iter().map(|(asset, at, bytes)| {
        serde_json::json!({ "asset": asset, "at": rfc3339(at), "bytes": bytes })
    });
    serde_json::json!({
        "stack": planned.stack(),
        "resumes": planned.resumes(),
        "backups": backups.collect::<Vec<_>>(),
        "steps": planned.left(),
        "notes": planned.notes,
    })
}

fn show(planned: &Plan, to: &Path) {
    let lang = planned.lang;
    println!(
        "{}",
        words::intention(planned.stack(), &to.display().to_string(), planned.resumes(), lang)
    );
    let now = jiff::Timestamp::now().as_millisecond();
    let rows: Vec<Vec<String>> = planned
        .backups()
        .into_iter()
        .map(|(asset, at, bytes)| {
            let age = u64::try_from(now.saturating_sub(at)).unwrap_or(0);
            let age = ago(Duration::from_millis(age));
            vec![asset, utc(at), age, size(bytes)]
        })
        .collect();
    table::print(&words::heads(lang).0, &rows);
    for note in &planned.notes {
        println!("{}", words::note(note, lang));
    }
    println!("{}", words::steps(&planned.left(), lang));
}

fn told(report: &Report, to: &Path, lang: Lang) {
    println!();
    let (_, steps, assets) = words::heads(lang);
    let rows: Vec<Vec<String>> = report
        .steps
        .iter()
        .map(|one| {
            let took = ago(Duration::from_millis(one.took_ms));
            vec![one.step.clone(), took, one.says.clone()]
        })
        .collect();
    table::print(&steps, &rows);
    println!();
    let rows: Vec<Vec<String>> = report
        .assets
        .iter()
        .map(|one| {
            let age = ago(Duration::from_millis(one.age_ms));
            vec![one.asset.clone(), utc(one.at), age]
        })
        .collect();
    table::print(&assets, &rows);
    let (rto, rpo) =
        (ago(Duration::from_millis(report.rto_ms)), ago(Duration::from_millis(report.rpo_ms)));
    let line = words::done(&report.stack, &rto, &rpo, report.resumed, lang);
    println!("\n{}", Paint::for_stdout().good(&line));
    println!("{}", words::next(&to.display().to_string(), lang));
}

fn asked(lang: Lang) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    print!("{}", words::question(lang));
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "o" | "O" | "oui"))
}

/// Asks for a secret, which the terminal does not show.
fn asked_secretly(what: &str, _: &str) -> Option<String> {
    let mut terminal = std::fs::File::options().read(true).write(true).open("/dev/tty").ok()?;
    let before = tcgetattr(&terminal).ok()?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&terminal, OptionalActions::Flush, &silent).ok()?;
    let mut ask = || {
        write!(terminal, "secret of {what}: ").ok()?;
        let mut line = String::new();
        BufReader::new(&terminal).read_line(&mut line).ok()?;
        Some(line.trim_end_matches(['\r', '\n']).to_owned())
    };
    let answer = ask();
    // Whatever was answered, the terminal shows again what is typed.
    let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
    let _ = writeln!(terminal);
    answer
}
