//! Does: the same findings as SARIF 2.1.0, which forges show beside the lines.

use serde_json::{Value, json};
use vigie_core::doctor::Rule;

use super::DoctorReport;
use crate::config::Lang;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// `report` as SARIF.
#[must_use]
pub fn sarif(report: &DoctorReport, lang: Lang) -> Value {
    let rules: Vec<Value> = Rule::ALL.into_iter().map(|rule| descriptor(rule, lang)).collect();
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|row| {
            let index = Rule::ALL.iter().position(|rule| rule.about().word == row.rule);
            json!({
                "ruleId": row.rule,
                "ruleIndex": index,
                "level": row.level.word(),
                "message": { "text": format!("{}; {}", row.what, row.remedy) },
                "locations": [{
                    "physicalLocation": {
                        "artifactLocation": { "uri": uri(&row.file) },
                        "region": { "startLine": row.line, "startColumn": row.column },
                    },
                }],
            })
        })
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "vigie doctor",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn descriptor(rule: Rule, lang: Lang) -> Value {
    let about = rule.about();
    let of = |both: &[&'static str; 2]| if lang == Lang::Fr { both[1] } else { both[0] };
    json!({
        "id": about.word,
        "shortDescription": { "text": of(&about.why) },
        "help": { "text": of(&about.remedy) },
        "defaultConfiguration": { "level": about.level.word() },
        "properties": { "tags": about.risks },
    })
}

/// A path as a relative reference: what is no sign of one is escaped.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte))
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
