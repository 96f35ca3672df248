//! Does: `vigie init`.

use std::path::Path;

use super::args::InitArgs;
use super::{Exit, Failure, Paint, table};
use crate::config::{BUILT_IN, Config, init};
use crate::whole::{self, Access};

pub(super) fn run(args: &InitArgs) -> Result<Exit, Failure> {
    let draft = init::draft(&args.directory)?;
    let path = args.directory.join("vigie.toml");
    let runbooks = args.directory.join("runbooks");
    let paint = Paint::for_stdout();
    if args.dry_run {
        print!("{}", draft.text);
        eprintln!(
            "would write {} and {}/; nothing was written",
            path.display(),
            runbooks.display()
        );
        return Ok(Exit::Fine);
    }
    if path.exists() && !args.force {
        let text = format!(
            "{} exists; look at it, or replace it with --force (the old one is kept as vigie.toml.bak)",
            path.display()
        );
        return Err(Failure::say(Exit::Refused, text));
    }
    if path.exists() {
        std::fs::copy(&path, args.directory.join("vigie.toml.bak"))?;
    }
    whole::put(&path, draft.text.as_bytes(), Access::Kept(0o644))?;
    write_runbooks(&runbooks)?;
    // What was written must be what the watch can read.
    Config::read(&path)?;
    println!("read {}", draft.compose.display());
    println!("wrote {} and {}/\n", path.display(), runbooks.display());
    let rows: Vec<_> = draft
        .found
        .iter()
        .map(|(name, role, why)| {
            vec![name.clone(), role.clone(), paint.dim(&format!("guessed: {why}"))]
        })
        .collect();
    table::print(&["SERVICE", "ROLE", "WHY"], &rows);
    for todo in &draft.todo {
        println!("{} {todo}", paint.warn("to do:"));
    }
    println!(
        "\nnext: {}   then, in another terminal: {}",
        paint.bold("vigie watch"),
        paint.bold("vigie status")
    );
    Ok(Exit::Fine)
}

/// Writes the built-in runbooks, to be read and changed; those that exist stay as they are.
fn write_runbooks(directory: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(directory)?;
    for (name, text) in BUILT_IN {
        let path = directory.join(format!("{name}.toml"));
        if !path.exists() {
            whole::put_new(&path, text.as_bytes(), Access::Kept(0o644))?;
        }
    }
    Ok(())
}
