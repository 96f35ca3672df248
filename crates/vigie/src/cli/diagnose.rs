//! Does: `vigie diagnose`.

use std::path::Path;

use super::args::DiagnoseArgs;
use super::{Exit, Failure, Paint};
use crate::config::Config;
use crate::diagnose::{diagnose, render, write_bundle};
use crate::report::Lang;

pub(super) async fn run(path: &Path, args: &DiagnoseArgs) -> Result<Exit, Failure> {
    let config = Config::read(path)?;
    let runtime = crate::app::runtime(&config)?;
    let diagnosis = diagnose(&config, &runtime).await;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&diagnosis)?);
    } else {
        let lang = config.file.stack.lang;
        print!("{}", coloured(&render(&diagnosis, lang), Paint::for_stdout()));
    }
    if let Some(bundle) = &args.bundle {
        write_bundle(bundle, &config, &diagnosis)?;
        let file = bundle.display();
        match config.file.stack.lang {
            Lang::En => {
                eprintln!("written to {file}; secrets were taken out, look before you send it");
            }
            Lang::Fr => {
                eprintln!("écrit dans {file} ; les secrets en sont ôtés, relisez avant d'envoyer");
            }
        }
    }
    if diagnosis.runtime.error.is_some() {
        return Ok(Exit::Unreachable);
    }
    Ok(if diagnosis.findings.is_empty() { Exit::Fine } else { Exit::Finding })
}

fn coloured(text: &str, paint: Paint) -> String {
    let colour = |line: &str| {
        if line.trim_start().starts_with('!') || line.contains(" FAIL ") {
            paint.bad(line)
        } else if line.trim_start().starts_with('|') {
            paint.dim(line)
        } else {
            line.to_owned()
        }
    };
    text.lines().map(|line| colour(line) + "\n").collect()
}
