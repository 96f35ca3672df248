//! Does: `vigie risk`: the risk matrix beside the real stack.

use std::path::Path;

use vigie_core::learn::risk::State;

use super::args::RiskArgs;
use super::{Exit, Failure, Paint};
use crate::config::{Config, Lang};
use crate::risk::{RiskRow, assess, collect};
use crate::store::Register;

pub(super) async fn run(path: &Path, args: &RiskArgs) -> Result<Exit, Failure> {
    let config = Config::read(path)?;
    let lang = config.file.stack.lang;
    let register = Register::open(&config.journal())?;
    let report = assess(&config, &collect(&config).await, &register, lang)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        report.risks.iter().for_each(|row| tell(row, lang));
        if !report.open.is_empty() {
            let missing = match lang {
                Lang::En => "a mitigation is missing against",
                Lang::Fr => "il manque une mesure contre",
            };
            println!("\n{missing} {}", report.open.join(", "));
        }
    }
    Ok(if report.open.is_empty() { Exit::Fine } else { Exit::Finding })
}

fn tell(row: &RiskRow, lang: Lang) {
    let paint = Paint::for_stdout();
    let gravity = paint.severity(row.gravity);
    let colon = if lang == Lang::Fr { " :" } else { ":" };
    println!("{:<3} {gravity} {}{colon} {}", row.id, paint.bold(&row.title), row.mitigation);
    for check in &row.checks {
        let mark = match check.state {
            State::Present => paint.good("✓"),
            State::Missing => paint.bad("✗"),
            State::Unknown => paint.warn("?"),
        };
        println!("     {mark} {:<22} {}", check.check, check.why);
    }
    let told = match (&row.came_true, lang) {
        (None, Lang::En) => String::from("no symptom shows whether it came true"),
        (None, Lang::Fr) => String::from("aucun symptôme ne montre s'il s'est réalisé"),
        (Some(seen), lang) => match (&seen.last, lang) {
            (None, Lang::En) => String::from("never came true"),
            (None, Lang::Fr) => String::from("jamais réalisé"),
            (Some(last), Lang::En) => {
                let times = match seen.times {
                    1 => String::from("once"),
                    times => format!("{times} times"),
                };
                format!("came true {times}, last {}", &last[..10])
            }
            (Some(last), Lang::Fr) => {
                format!("réalisé {} fois, la dernière le {}", seen.times, &last[..10])
            }
        },
    };
    println!("     · {}", paint.dim(&told));
}
