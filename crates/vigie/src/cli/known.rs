//! Does: `vigie incident import` and `vigie incident known`.

use std::path::Path;

use vigie_core::Record;
use vigie_core::incident::Actor;
use vigie_core::learn::Known;

use super::put::put;
use super::{Exit, Failure, Paint};
use crate::config::{Config, Lang};
use crate::control::Request;
use crate::knowledge::{TableError, read_table, sort_out};
use crate::report::{ago, millis};
use crate::respond::Redactor;
use crate::store::Register;
use crate::text::printable;

/// Bytes of one request; the daemon takes no longer ones.
const BATCH: usize = 32 * 1024;

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        Self::new(Exit::Usage, error)
    }
}

pub(super) async fn import(
    config: &Config,
    file: &Path,
    dry_run: bool,
    by: String,
) -> Result<Exit, Failure> {
    let mut read = read_table(file)?;
    let redactor = Redactor::of(config);
    read.iter_mut().for_each(|known| redactor.clean_known(known));
    let known = Register::open(&config.journal())?.known()?;
    let (new, told) = sort_out(&known, read);
    for title in &told {
        println!("known already: {title}");
    }
    for one in &new {
        println!(
            "{}: {} {} {}",
            if dry_run { "would learn" } else { "new" },
            one.id,
            one.severity.word(),
            one.title.en
        );
    }
    if !dry_run && !new.is_empty() {
        learn(config, &new, &by).await?;
        println!("{} learned", new.len());
    }
    Ok(Exit::Fine)
}

async fn learn(config: &Config, new: &[Known], by: &str) -> Result<(), Failure> {
    for batch in batches(new)? {
        let request = Request::Learn { known: batch.to_vec(), by: by.to_owned() };
        let record = |known: &Known| Record::KnownLearned {
            known: Box::new(known.clone()),
            by: Actor::Person(printable(by)),
        };
        // A connection each: the daemon takes only so much of one.
        put(config, &request, |_| Ok(batch.iter().map(record).collect())).await?;
    }
    Ok(())
}

/// What fits into one request each.
fn batches(new: &[Known]) -> Result<Vec<&[Known]>, Failure> {
    let (mut batches, mut start, mut size) = (Vec::new(), 0, 0);
    for (at, one) in new.iter().enumerate() {
        let length = serde_json::to_string(one)?.len();
        if size + length > BATCH && at > start {
            batches.push(&new[start..at]);
            (start, size) = (at, 0);
        }
        size += length;
    }
    batches.push(&new[start..]);
    Ok(batches)
}

pub(super) fn list(config: &Config, json: bool, lang: Lang) -> Result<Exit, Failure> {
    let known = Register::open(&config.journal())?.known()?;
    if json {
        let told: Vec<_> = known.iter().map(|one| shape(one, lang)).collect();
        println!("{}", serde_json::to_string_pretty(&told)?);
        return Ok(Exit::Fine);
    }
    let paint = Paint::for_stdout();
    let [cause, resolution, guard] = match lang {
        Lang::En => ["cause", "resolution", "guard"],
        Lang::Fr => ["cause", "résolution", "garde"],
    };
    for one in &known {
        let took = one.took.map_or_else(String::new, |took| format!(" ({})", ago(took)));
        let title = paint.bold(lang.of(&one.title));
        println!("{:<4} {} {title}{took}", one.id, paint.severity(one.severity));
        let told = [
            (cause, Some(&one.cause)),
            (resolution, Some(&one.resolution)),
            (guard, one.guard.as_ref()),
        ];
        for (word, text) in told {
            if let Some(text) = text.map(|text| lang.of(text)).filter(|text| !text.is_empty()) {
                println!("     {word:<11} {text}");
            }
        }
    }
    Ok(Exit::Fine)
}

fn shape(one: &Known, lang: Lang) -> serde_json::Value {
    serde_json::json!({
        "id": one.id,
        "severity": one.severity,
        "title": lang.of(&one.title),
        "cause": lang.of(&one.cause),
        "resolution": lang.of(&one.resolution),
        "took_ms": one.took.map(millis),
        "guard": one.guard.as_ref().map(|guard| lang.of(guard)),
        "matches": one.matches,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_shape() {
        let one = crate::knowledge::shipped().remove(0);
        insta::assert_json_snapshot!(shape(&one, Lang::En));
    }

    #[test]
    fn batches_are_whole_and_short() {
        let mut one = crate::knowledge::shipped().remove(0);
        one.cause.en = "x".repeat(10_000);
        let many = vec![one; 17];
        let told = batches(&many).unwrap();
        assert_eq!(told.iter().map(|batch| batch.len()).collect::<Vec<_>>(), [3, 3, 3, 3, 3, 2]);
        assert_eq!(batches(&many[..1]).unwrap().len(), 1);
    }
}
