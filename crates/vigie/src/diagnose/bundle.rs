//! Does: everything in one archive to send to somebody who can help, secrets taken out of every
//! part. Written beside its place and moved there, so that no half archive is left.

use std::path::Path;

use super::{Diagnosis, render};
use crate::config::Config;
use crate::report::{Lang, incident_json};
use crate::respond::Redactor;
use crate::store::Register;
use crate::whole::{Access, Draft};

/// Incidents that go into the archive.
const INCIDENTS: usize = 20;

/// Writes the archive to `path`.
///
/// # Errors
/// When it cannot be written; nothing is left then.
pub fn write(path: &Path, config: &Config, diagnosis: &Diagnosis) -> std::io::Result<()> {
    let redactor = Redactor::of(config);
    let encoder = zstd::Encoder::new(Draft::of(path)?, 6)?;
    let mut archive = tar::Builder::new(encoder);
    let mut add = |name: &str, text: &str| -> std::io::Result<()> {
        let clean = redactor.clean(text);
        let mut header = tar::Header::new_gnu();
        header.set_size(clean.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0));
        header.set_cksum();
        archive.append_data(&mut header, format!("vigie-diagnosis/{name}"), clean.as_bytes())
    };
    // For whoever is asked for help, who need not read the stack's language.
    add("report.txt", &render(diagnosis, Lang::En))?;
    add("report.json", &serde_json::to_string_pretty(diagnosis)?)?;
    for (name, path) in [
        ("vigie.toml", Some(config.path.clone())),
        (
            "compose.yaml",
            config.file.stack.compose.as_ref().map(|file| config.directory().join(file)),
        ),
    ] {
        if let Some(text) = path.and_then(|path| std::fs::read_to_string(path).ok()) {
            add(name, &text)?;
        }
    }
    if let Ok(rows) =
        Register::open(&config.journal()).and_then(|register| register.list(INCIDENTS))
    {
        let rows: Vec<_> = rows.iter().map(incident_json).collect();
        add("incidents.json", &serde_json::to_string_pretty(&rows)?)?;
    }
    archive.into_inner()?.finish()?.put(Access::Private)
}
