//! Does: `vigie journal …`, the development journal. Reading needs no daemon; what is written goes
//! through it where one runs.

use std::io::Read;
use std::path::Path;

use vigie_core::Record;
use vigie_core::incident::{Actor, IncidentId};
use vigie_core::learn::Entry;
use vigie_core::respond::Commit;

use super::args::{JournalAdd, JournalCommand, JournalShow};
use super::incident::unknown;
use super::put::put;
use super::{Exit, Failure, Paint};
use crate::config::Config;
use crate::control::Request;
use crate::report::{Lang, about, entry_json, entry_markdown, rfc3339, say};
use crate::respond::{CommitError, Redactor, commit};
use crate::store::{EntryRow, IncidentRow, JournalError, Register};
use crate::text::{printable, printable_lines};

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        Self::new(Exit::Usage, error)
    }
}

pub(super) async fn run(path: &Path, command: JournalCommand) -> Result<Exit, Failure> {
    let config = Config::read(path)?;
    match command {
        JournalCommand::Add(args) => add(&config, args).await,
        JournalCommand::Show(args) => show(&config, &args),
    }
}

async fn add(config: &Config, args: JournalAdd) -> Result<Exit, Failure> {
    let text = Redactor::of(config).clean(&printable_lines(&text(&args.text)?));
    let incidents: Vec<_> = args.incident.into_iter().map(IncidentId).collect();
    let entry = Entry::new(text, &incidents, commits(config, &args.commit).await?);
    let lang = config.file.stack.lang;
    let register = Register::open(&config.journal())?;
    if args.deed.dry_run {
        let there = present(&register, &entry)?;
        let exists = |id| there.iter().any(|row| row.incident.id == id);
        entry.check(exists).map_err(|why| Failure::say(Exit::Usage, say(&why, lang)))?;
        println!("{}", ["would write", "écrirait"][usize::from(lang == Lang::Fr)]);
        print_body(&entry, &there, lang);
        return Ok(Exit::Fine);
    }
    let by = printable(&args.deed.who.name());
    let request = Request::Journal { entry: entry.clone(), by: by.clone() };
    let mut number = None;
    let told = put(config, &request, |state| {
        let record = entry.written(state, Actor::Person(by))?;
        if let Record::Journaled { entry, .. } = &record {
            number = Some(entry.number);
        }
        Ok(vec![record])
    });
    let told = told.await?.or_else(|| number.map(|number| format!("entry {number} written")));
    println!("{}", say(&told.unwrap_or_default(), lang));
    Ok(Exit::Fine)
}

/// The words given, or standard input for `-`.
fn text(words: &[String]) -> Result<String, Failure> {
    if words != ["-"] {
        return Ok(words.join(" "));
    }
    // One more than fits is enough to see that it does not fit; its last character may be cut in two.
    let most = Entry::LONGEST as u64 + 4;
    let mut bytes = Vec::new();
    std::io::stdin().take(most).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

async fn commits(config: &Config, revisions: &[String]) -> Result<Vec<Commit>, Failure> {
    let mut found: Vec<Commit> = Vec::new();
    for revision in revisions {
        let one = commit(&config.directory(), revision).await?;
        if !found.contains(&one) {
            found.push(one);
        }
    }
    Ok(found)
}

/// The incidents that an entry is about, as the register has them.
fn present(register: &Register, entry: &Entry) -> Result<Vec<IncidentRow>, JournalError> {
    let rows = entry.incidents.iter().map(|id| register.get(*id));
    rows.filter_map(Result::transpose).collect()
}

fn show(config: &Config, args: &JournalShow) -> Result<Exit, Failure> {
    let register = Register::open(&config.journal())?;
    let about = args.incident.map(IncidentId);
    if let Some(id) = about
        && register.get(id)?.is_none()
    {
        return Err(unknown(id.0));
    }
    let since = args.since.and_then(|since| since.at(jiff::Timestamp::now().as_millisecond()));
    let rows = register.entries(since, about)?;
    let lang = config.file.stack.lang;
    if args.json {
        let rows: Vec<_> = rows.iter().map(entry_json).collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(Exit::Fine);
    }
    if rows.is_empty() {
        let any = since.is_some() || about.is_some();
        let none = match lang {
            Lang::En => ["the journal is empty", "no such entry"],
            Lang::Fr => ["le journal est vide", "aucune entrée de cette sorte"],
        };
        println!("{}", none[usize::from(any)]);
        return Ok(Exit::Fine);
    }
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            println!();
        }
        let incidents = present(&register, &row.entry)?;
        if args.markdown {
            print!("{}", entry_markdown(row, &incidents, lang));
        } else {
            print(row, &incidents, lang);
        }
    }
    Ok(Exit::Fine)
}

/// One entry with what it links to.
pub(super) fn print(row: &EntryRow, incidents: &[IncidentRow], lang: Lang) {
    let paint = Paint::for_stdout();
    let word = if lang == Lang::Fr { "entrée" } else { "entry" };
    let number = paint.bold(&format!("{word} {}", row.entry.number));
    let at = rfc3339(row.wall)[..19].replace('T', " ");
    println!("{number}  {}  {}", paint.dim(&at), row.by);
    print_body(&row.entry, incidents, lang);
}

fn print_body(entry: &Entry, incidents: &[IncidentRow], lang: Lang) {
    for line in entry.text.lines() {
        println!("    {line}");
    }
    for row in incidents {
        println!("    · incident {}", about(row, lang));
    }
    for commit in &entry.commits {
        println!("    · commit {} {}", commit.hash, commit.subject);
    }
}
