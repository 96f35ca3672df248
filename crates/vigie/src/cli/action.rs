//! Does: `vigie action …`: the corrective actions of all post-mortems, read from their files.

use std::path::Path;

use jiff::civil::Date;

use super::args::ActionCommand;
use super::{Exit, Failure, Paint, table};
use crate::config::{Config, Lang};
use crate::postmortem::{
    self, Action, Paper, actions, directory, papers, replace, ticked, today, with_action,
};
use crate::text::cut;

pub(super) fn run(path: &Path, command: ActionCommand) -> Result<Exit, Failure> {
    let config = Config::read(path)?;
    match command {
        ActionCommand::List { all, json } => list(&config, all, json),
        ActionCommand::Done { id, dry_run } => done(&config, &id, dry_run),
        ActionCommand::Add { incident, text, owner, due, dry_run } => {
            add(&config, incident, &text.join(" "), owner.as_deref(), due, dry_run)
        }
    }
}

fn list(config: &Config, all: bool, json: bool) -> Result<Exit, Failure> {
    let papers = papers(&directory(config))?;
    let found =
        papers.iter().flat_map(|paper| actions(paper).into_iter().map(move |one| (paper, one)));
    let mut found: Vec<_> = found.filter(|(_, one)| all || !one.done).collect();
    found.sort_by_key(|(_, one)| (one.done, one.due.is_none(), one.due));
    let today = today();
    if json {
        let shapes: Vec<_> =
            found.iter().map(|(paper, one)| shape(config, paper, one, today)).collect();
        println!("{}", serde_json::to_string_pretty(&shapes)?);
        return Ok(Exit::Fine);
    }
    let french = config.file.stack.lang == Lang::Fr;
    if found.is_empty() {
        println!(
            "{}",
            match (all, french) {
                (false, false) => "no corrective action is open",
                (false, true) => "aucune action corrective ouverte",
                (true, false) => "no corrective action in any post-mortem",
                (true, true) => "aucune action corrective dans aucun post-mortem",
            }
        );
        return Ok(Exit::Fine);
    }
    let paint = Paint::for_stdout();
    let rows: Vec<_> = found.iter().map(|(_, one)| cells(one, today, paint, french)).collect();
    let head = if french {
        ["ID", "ÉCHÉANCE", "RESPONSABLE", "ACTION"]
    } else {
        ["ID", "DUE", "OWNER", "ACTION"]
    };
    table::print(&head, &rows);
    Ok(Exit::Fine)
}

fn cells(one: &Action, today: Date, paint: Paint, french: bool) -> Vec<String> {
    let due = one.due.map_or_else(|| String::from("?"), |due| due.to_string());
    let late = if french { "en retard" } else { "late" };
    let due = match (one.done, one.is_late(today)) {
        (true, _) => paint.good(if french { "fait" } else { "done" }),
        (false, true) => paint.bad(&format!("{due} {late}")),
        (false, false) => due,
    };
    let owner = one.owner.clone().unwrap_or_else(|| paint.warn("?"));
    vec![one.id(), due, owner, cut(&one.text, 100)]
}

fn shape(config: &Config, paper: &Paper, one: &Action, today: Date) -> serde_json::Value {
    let file = paper.path.strip_prefix(config.directory()).unwrap_or(&paper.path);
    serde_json::json!({
        "id": one.id(),
        "incident": one.incident,
        "text": one.text,
        "owner": one.owner,
        "due": one.due.map(|due| due.to_string()),
        "done": one.done,
        "late": one.is_late(today),
        "file": file.display().to_string(),
    })
}

fn done(config: &Config, id: &str, dry_run: bool) -> Result<Exit, Failure> {
    let papers = papers(&directory(config))?;
    let found: Vec<_> = papers
        .iter()
        .filter_map(|paper| Some((paper, actions(paper).into_iter().find(|one| one.id() == id)?)))
        .collect();
    if let [(one, _), (other, _), ..] = &found[..] {
        let (one, other) = (one.path.display(), other.path.display());
        let why = format!(
            "{id} is in {one} and in {other}; tick it there yourself, or keep one file an incident"
        );
        return Err(Failure::say(Exit::Usage, why));
    }
    let Some((paper, one)) = found.into_iter().next() else {
        return Err(Failure::say(
            Exit::Usage,
            format!("there is no action {id}; try: vigie action list"),
        ));
    };
    let french = config.file.stack.lang == Lang::Fr;
    if one.done {
        println!(
            "{}",
            if french { format!("{id} : déjà faite") } else { format!("{id}: done already") }
        );
        return Ok(Exit::Fine);
    }
    if dry_run {
        let (would, file) =
            (if french { "cocherait, dans" } else { "would tick in" }, paper.path.display());
        println!("{would} {file}{} {id} {}", colon(french), one.text);
        return Ok(Exit::Fine);
    }
    replace(&paper.path, &ticked(&paper.text, &one))?;
    println!("{}{} {id} {}", if french { "faite" } else { "done" }, colon(french), one.text);
    Ok(Exit::Fine)
}

const fn colon(french: bool) -> &'static str {
    if french { " :" } else { ":" }
}

fn add(
    config: &Config,
    incident: u64,
    text: &str,
    owner: Option<&str>,
    due: Option<Date>,
    dry_run: bool,
) -> Result<Exit, Failure> {
    if text.trim().is_empty() {
        return Err(Failure::say(Exit::Usage, "what is to be done? try: vigie action add --help"));
    }
    let found = papers(&directory(config))?;
    let Some(paper) = found.iter().find(|paper| paper.incident == incident) else {
        let why = format!(
            "incident {incident} has no post-mortem yet; write it first: vigie incident postmortem {incident}"
        );
        return Err(Failure::say(Exit::Usage, why));
    };
    let due = due.unwrap_or_else(|| postmortem::due(config)).to_string();
    let french = paper.text.contains("échéance :");
    let more = with_action(&paper.text, text, owner, &due, french);
    let paper = Paper { text: more, ..paper.clone() };
    // It stands behind all others.
    let id = actions(&paper).last().map_or_else(|| incident.to_string(), Action::id);
    let file = paper.path.display();
    if !dry_run {
        replace(&paper.path, &paper.text)?;
    }
    match (config.file.stack.lang, dry_run) {
        (Lang::En, true) => println!("would add {id} to {file}: {text}"),
        (Lang::En, false) => println!("added {id} to {file}: {text}"),
        (Lang::Fr, true) => println!("ajouterait {id} à {file} : {text}"),
        (Lang::Fr, false) => println!("ajoutée : {id} dans {file} : {text}"),
    }
    Ok(Exit::Fine)
}
