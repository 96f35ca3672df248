//! Does: `vigie incident postmortem`: writes the draft once, opens it in the editor, commits it.

use std::path::Path;

use vigie_core::incident::{IncidentId, Severity};

use super::args::PostmortemArgs;
use super::incident::unknown;
use super::{Exit, Failure};
use crate::config::{Config, Lang};
use crate::postmortem::{self, CommitError, FolderError, TemplateError, actions, papers};
use crate::runner;
use crate::store::{IncidentRow, Register};

impl From<TemplateError> for Failure {
    fn from(error: TemplateError) -> Self {
        Self::new(Exit::Usage, error)
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        Self::new(Exit::Finding, error)
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        Self::new(Exit::Finding, error)
    }
}

pub(super) async fn run(config: &Config, args: &PostmortemArgs) -> Result<Exit, Failure> {
    let lang = args.lang.unwrap_or(config.file.stack.lang);
    if args.template {
        print!("{}", postmortem::shipped(lang));
        return Ok(Exit::Fine);
    }
    let id = args
        .id
        .ok_or_else(|| Failure::say(Exit::Usage, "which incident? try: vigie incident list"))?;
    let register = Register::open(&config.journal())?;
    let row = register.get(IncidentId(id))?.ok_or_else(|| unknown(id))?;
    if args.json {
        // Programs read one language, unless they ask for another.
        let facts = postmortem::facts(config, &register, &row, args.lang.unwrap_or_default())?;
        println!("{}", serde_json::to_string_pretty(&facts)?);
        return Ok(Exit::Fine);
    }
    if row.incident.state.is_active() {
        let state = row.incident.state.word();
        let why =
            format!("incident #{id} is {state}; resolve it first: vigie incident resolve {id}");
        return Err(Failure::say(Exit::Refused, why));
    }
    if args.dry_run {
        let facts = postmortem::facts(config, &register, &row, lang)?;
        print!("{}", postmortem::draft(config, &facts, lang)?);
        return Ok(Exit::Fine);
    }
    let path = match postmortem::find(config, row.incident.id)? {
        Some(paper) => {
            if !args.edit {
                println!("{}", there_already(lang, &paper.path, id));
            }
            paper.path
        }
        None => write(config, &register, &row, lang)?,
    };
    if args.edit {
        edit(&path).await?;
        tell_actions(config, id, lang)?;
    }
    if args.commit || config.file.postmortem.commit {
        commit(&path, &row, lang).await?;
    }
    Ok(Exit::Fine)
}

/// What comes with filing a P1 or P2: the draft, where there is none yet.
pub(super) async fn on_close(config: &Config, id: u64) -> Result<Exit, Failure> {
    let register = Register::open(&config.journal())?;
    let Some(row) = register.get(IncidentId(id))? else { return Ok(Exit::Fine) };
    let wanted = row.incident.severity <= Severity::P2;
    if !wanted || postmortem::find(config, row.incident.id)?.is_some() {
        return Ok(Exit::Fine);
    }
    let lang = config.file.stack.lang;
    let path = write(config, &register, &row, lang)?;
    if config.file.postmortem.commit {
        commit(&path, &row, lang).await?;
    }
    Ok(Exit::Fine)
}

fn write(
    config: &Config,
    register: &Register,
    row: &IncidentRow,
    lang: Lang,
) -> Result<std::path::PathBuf, Failure> {
    let facts = postmortem::facts(config, register, row, lang)?;
    let text = postmortem::draft(config, &facts, lang)?;
    let path = postmortem::place(config, row);
    postmortem::write_new(&path, &text)?;
    let todo = text.matches("TODO").count();
    let (shown, id) = (path.display(), row.incident.id.0);
    println!(
        "{}",
        match lang {
            Lang::En => format!(
                "post-mortem written: {shown}; {todo} places are yours to fill in: vigie incident postmortem {id} --edit"
            ),
            Lang::Fr => format!(
                "post-mortem écrit : {shown} ; {todo} endroits sont à remplir : vigie incident postmortem {id} --edit"
            ),
        }
    );
    Ok(path)
}

fn there_already(lang: Lang, path: &Path, id: u64) -> String {
    let shown = path.display();
    match lang {
        Lang::En => format!(
            "{shown} is there already and stays as it is; open it with: vigie incident postmortem {id} --edit"
        ),
        Lang::Fr => format!(
            "{shown} existe déjà et reste tel quel ; l'ouvrir : vigie incident postmortem {id} --edit"
        ),
    }
}

/// Opens the person's editor on it and waits for its end.
async fn edit(path: &Path) -> Result<(), Failure> {
    let named = |name| std::env::var(name).ok().filter(|value: &String| !value.trim().is_empty());
    let editor = named("VISUAL").or_else(|| named("EDITOR"));
    let candidates = editor
        .map_or_else(|| ["editor", "nano", "vi"].map(String::from).to_vec(), |editor| vec![editor]);
    for candidate in &candidates {
        let mut words = candidate.split_whitespace();
        let Some(program) = words.next() else { continue };
        let mut command = runner::program(program);
        command.args(words).arg(path);
        match runner::attended(&mut command).await {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => {
                let why =
                    format!("`{candidate}` ended with {status}; the file is {}", path.display());
                return Err(Failure::say(Exit::Finding, why));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(Failure::say(
                    Exit::Finding,
                    format!("`{candidate}` cannot be run: {error}"),
                ));
            }
        }
    }
    let why = format!(
        "no editor found ({}); set EDITOR, or open {} yourself",
        candidates.join(", "),
        path.display()
    );
    Err(Failure::say(Exit::Usage, why))
}

/// What the person left to be done.
fn tell_actions(config: &Config, id: u64, lang: Lang) -> Result<(), Failure> {
    let papers = papers(&postmortem::directory(config))?;
    let all: Vec<_> = papers.iter().filter(|one| one.incident == id).flat_map(actions).collect();
    let open = all.iter().filter(|one| !one.done).count();
    let vague = all.iter().filter(|one| !one.done && (one.owner.is_none() || one.due.is_none()));
    let vague = vague.count();
    println!(
        "{}",
        match lang {
            Lang::En => format!(
                "actions open: {open}, without an owner or a day: {vague}; vigie action list"
            ),
            Lang::Fr => {
                format!(
                    "actions ouvertes : {open}, sans responsable ou sans date : {vague} ; vigie action list"
                )
            }
        }
    );
    Ok(())
}

async fn commit(path: &Path, row: &IncidentRow, lang: Lang) -> Result<(), Failure> {
    let (id, title) = (row.incident.id, &row.incident.title);
    let subject = match lang {
        Lang::En => format!("Post-mortem of incident {id}: {title}"),
        Lang::Fr => {
            let title = crate::report::title(row.incident.group, title, lang);
            format!("Post-mortem de l'incident {id} : {title}")
        }
    };
    let told = match (postmortem::commit(path, &subject).await?, lang) {
        (true, Lang::En) => "committed",
        (true, Lang::Fr) => "commité",
        (false, Lang::En) => "git has it already",
        (false, Lang::Fr) => "git l'a déjà",
    };
    println!("{told}: {subject}");
    Ok(())
}
