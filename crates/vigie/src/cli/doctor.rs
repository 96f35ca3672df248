//! Does: `vigie doctor`: what is wrong with a compose project, and `--fix`.

use std::io::{IsTerminal, Write as _};
use std::path::Path;

use serde_json::json;
use vigie_core::doctor::{Finding, Level, diagnose};

use super::args::DoctorArgs;
use super::{Exit, Failure, Paint};
use crate::config::{Config, Lang};
use crate::doctor::{
    DoctorReport, FileChange, FindingRow, Looked, Masks, Plan, Shown, changes, is_project, look,
    plan, report, sarif, write,
};

/// `given` is whether a person named the configuration.
pub(super) async fn run(usual: &Path, given: bool, args: &DoctorArgs) -> Result<Exit, Failure> {
    let config = configuration(usual, args.path.as_deref());
    // A compose file that is here goes before what a configuration elsewhere names.
    let here = Path::new(".");
    let beside = usual.parent().is_none_or(|parent| parent == Path::new("") || parent == here);
    let named = config.as_ref().filter(|_| given || beside || !is_project(here));
    let named =
        named.and_then(|config| Some(config.directory().join(config.file.stack.compose.as_ref()?)));
    let path = args.path.clone().or(named).unwrap_or_else(|| here.to_owned());
    let lang = config.as_ref().map(|config| config.file.stack.lang);
    let lang = args.lang.or(lang).unwrap_or_default();
    let host = config.as_ref().and_then(|config| config.file.stack.docker_host.clone());
    let looked = look(&path, host.as_deref()).await?;
    let shown = Shown { level: args.level, rules: args.rule.clone() };
    if args.fix || args.dry_run {
        return fix(&looked, &shown, args, lang);
    }
    let diagnosis = diagnose(&looked.facts);
    let told = report(&looked, &diagnosis, &shown, lang)?;
    if args.sarif {
        println!("{}", serde_json::to_string_pretty(&sarif(&told, lang))?);
    } else if args.json {
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        tell(&told, lang);
    }
    Ok(exit(&told))
}

/// The configuration beside the project that was named, else the usual one. One that cannot be read is
/// left alone: the doctor needs none.
fn configuration(usual: &Path, project: Option<&Path>) -> Option<Config> {
    let directory = project.map(|path| if path.is_dir() { Some(path) } else { path.parent() });
    let found = match directory.flatten() {
        Some(directory) => directory.join("vigie.toml"),
        None => usual.to_owned(),
    };
    if found.is_file() { Config::read(&found).ok() } else { None }
}

const fn exit(told: &DoctorReport) -> Exit {
    if told.findings.is_empty() { Exit::Fine } else { Exit::Finding }
}

fn tell(told: &DoctorReport, lang: Lang) {
    let paint = Paint::for_stdout();
    for row in &told.findings {
        one(row, paint, lang);
    }
    let count = |level: Level| told.findings.iter().filter(|row| row.level == level).count();
    let (errors, warnings, notes) =
        (count(Level::Error), count(Level::Warning), count(Level::Note));
    let fixable = told.findings.iter().filter(|row| row.fixable).count();
    let files = told.files.join(", ");
    match lang {
        Lang::En if told.findings.is_empty() => println!("{files}: nothing found"),
        Lang::Fr if told.findings.is_empty() => println!("{files} : rien trouvé"),
        Lang::En => println!(
            "{files}: {}, {}, {}",
            counted(errors, "error", lang),
            counted(warnings, "warning", lang),
            counted(notes, "note", lang)
        ),
        Lang::Fr => println!(
            "{files} : {}, {}, {}",
            counted(errors, "erreur", lang),
            counted(warnings, "avertissement", lang),
            counted(notes, "remarque", lang)
        ),
    }
    match (told.silenced, lang) {
        (0, _) => {}
        (count, Lang::En) => println!("{count} more are silenced by comments"),
        (count, Lang::Fr) => println!("{count} de plus sont tues par des commentaires"),
    }
    if let Some(why) = &told.engine {
        match lang {
            Lang::En => println!("{}", paint.dim(&format!("the images were not looked at: {why}"))),
            Lang::Fr => {
                println!("{}", paint.dim(&format!("les images n'ont pas été regardées : {why}")));
            }
        }
    }
    match (fixable, lang) {
        (0, _) => {}
        (count, Lang::En) => {
            println!("{count} of them end with vigie doctor --fix (see it first: --dry-run)");
        }
        (count, Lang::Fr) => {
            println!("vigie doctor --fix en corrige {count} (à voir d'abord avec --dry-run)");
        }
    }
}

/// A number and its word; in French nothing is singular.
fn counted(count: usize, word: &str, lang: Lang) -> String {
    let plural = count > 1 || (count == 0 && lang == Lang::En);
    format!("{count} {word}{}", if plural { "s" } else { "" })
}

fn one(row: &FindingRow, paint: Paint, lang: Lang) {
    let level = match (row.level, lang) {
        (Level::Error, Lang::En) => paint.bad("error"),
        (Level::Warning, Lang::En) => paint.warn("warning"),
        (Level::Note, Lang::En) => paint.dim("note"),
        (Level::Error, Lang::Fr) => paint.bad("erreur"),
        (Level::Warning, Lang::Fr) => paint.warn("avertissement"),
        (Level::Note, Lang::Fr) => paint.dim("remarque"),
    };
    let place = format!("{}:{}:{}", row.file, row.line, row.column);
    let colon = if lang == Lang::Fr { " :" } else { ":" };
    println!("{}: {level} [{}] {}", paint.bold(&place), row.rule, row.what);
    let [why, remedy, left] = match lang {
        Lang::En => ["why", "do", "by hand"],
        Lang::Fr => ["pourquoi", "faire", "à la main"],
    };
    println!("    {why}{colon} {} ({})", row.why, row.risks.join(", "));
    let fix = match (row.fixable, row.patch.is_some(), lang) {
        (true, _, _) => " (--fix)",
        (false, true, Lang::En) => " (a change to look at first: --json)",
        (false, true, Lang::Fr) => " (un changement à relire d'abord : --json)",
        (false, false, _) => "",
    };
    println!("    {remedy}{colon} {}{}", row.remedy, paint.dim(fix));
    if let Some(refused) = &row.refused {
        println!("    {left}{colon} {refused}");
    }
}

fn fix(looked: &Looked, shown: &Shown, args: &DoctorArgs, lang: Lang) -> Result<Exit, Failure> {
    let plan = plan(looked, |finding| shown.has(finding))?;
    let files = changes(looked, &plan.before, &plan.after);
    let left = diagnose(&plan.left);
    let masks = Masks::of(&[&looked.facts, &plan.left]);
    if !args.json {
        announce(&plan, &files, &masks, lang);
    }
    let ends = args.dry_run || files.is_empty();
    if !ends && !args.yes && std::io::stdin().is_terminal() && !yes(lang)? {
        return Err(Failure::say(
            Exit::Refused,
            match lang {
                Lang::En => "nothing was written",
                Lang::Fr => "rien n'a été écrit",
            },
        ));
    }
    let written = if ends { Vec::new() } else { write(looked, &files, &stamp())? };
    let rest = Looked { facts: plan.left.clone(), ..looked.clone() };
    let told = report(&rest, &left, shown, lang)?;
    if args.json {
        let diff: String = files.iter().map(|file| file.diff(&masks)).collect();
        let fixed: Vec<_> = plan.ended.iter().map(place).collect();
        let told = json!({ "fixed": fixed, "patch": diff, "written": written, "left": told });
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        close(&told, &written, args.dry_run, lang);
    }
    Ok(exit(&told))
}

fn place(finding: &Finding) -> serde_json::Value {
    json!({
        "rule": finding.rule.about().word,
        "file": finding.file,
        "line": finding.place.line,
        "column": finding.place.column,
        "service": finding.service,
    })
}

fn announce(plan: &Plan, files: &[FileChange], masks: &Masks, lang: Lang) {
    let paint = Paint::for_stdout();
    for file in files {
        file.diff(masks).lines().for_each(|line| println!("{}", paint.diff(line)));
    }
    for finding in &plan.ended {
        println!("{} [{}] {}", paint.good("✓"), finding.rule.about().word, lang.of(&finding.what));
    }
    for (finding, refusal) in &plan.refused {
        let told = format!("{}: {refusal}", finding.file);
        println!("{} [{}] {told}", paint.warn("!"), finding.rule.about().word);
    }
}

fn close(told: &DoctorReport, written: &[String], dry: bool, lang: Lang) {
    match (written.is_empty(), dry, lang) {
        (true, true, Lang::En) => println!("nothing was written (--dry-run)"),
        (true, true, Lang::Fr) => println!("rien n'a été écrit (--dry-run)"),
        (true, false, Lang::En) => println!("there is nothing to write"),
        (true, false, Lang::Fr) => println!("il n'y a rien à écrire"),
        (false, _, _) => {
            let [wrote, next] = match lang {
                Lang::En => ["wrote", "look at it with git diff, then: docker compose up -d"],
                Lang::Fr => ["écrit :", "à relire avec git diff, puis : docker compose up -d"],
            };
            println!("{wrote} {}\n{next}", written.join(", "));
        }
    }
    match (told.findings.len(), lang) {
        (0, _) => {}
        (count, Lang::En) => println!("{count} findings are left; vigie doctor lists them"),
        (count, Lang::Fr) => println!("il reste {count} points ; vigie doctor les liste"),
    }
}

fn yes(lang: Lang) -> Result<bool, Failure> {
    let question = match lang {
        Lang::En => "write this? [y/N] ",
        Lang::Fr => "écrire cela ? [o/N] ",
    };
    eprint!("{question}");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "o" | "oui"))
}

/// The time of a run, as it stands in the names of its copies.
fn stamp() -> String {
    jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string()
}
