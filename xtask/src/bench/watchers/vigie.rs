//! vigie with the configuration that `vigie init` writes, but for the budget and the crash loop:
//! twenty faults in a quarter of an hour would rightly end with a person.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use vigie_testkit::lab::{Stack, run};

use super::{Fault, Watcher};

pub(super) struct Vigie<'a> {
    program: PathBuf,
    stack: &'a Stack,
    watch: Child,
}

pub(super) fn start<'a>(program: &Path, stack: &'a Stack) -> Result<Vigie<'a>> {
    let command = || {
        let mut command = Command::new(program);
        stack.docker().point(&mut command);
        command.current_dir(stack.dir()).stdin(Stdio::null());
        command
    };
    run::text(command().arg("init"))?;
    let path = stack.dir().join("vigie.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path:?}"))?;
    let patient = [
        ("[budget]\n", "restarts = 1000\nbackoff = \"0s\"\n"),
        ("[service.gmod]\n", "limits = { exits = 1000, exits_window = \"1s\" }\n"),
    ];
    let text = patient
        .iter()
        .fold(text, |text, (section, keys)| text.replacen(section, &format!("{section}{keys}"), 1));
    fs::write(&path, text).with_context(|| format!("cannot write {path:?}"))?;
    let log = fs::File::create(stack.dir().join("watch.log")).context("cannot make the log")?;
    let watch = command().arg("watch").stdout(log.try_clone()?).stderr(log).spawn()?;
    Ok(Vigie { program: program.to_owned(), stack, watch })
}

impl Vigie<'_> {
    fn ask(&self, words: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        self.stack.docker().point(&mut command);
        run::text(command.current_dir(self.stack.dir()).args(words))
    }

    fn newest(&self) -> Result<Value> {
        let all: Value = serde_json::from_str(&self.ask(&["incident", "list", "--json"])?)?;
        all.get(0).cloned().context("no incident was opened")
    }
}

impl Watcher for Vigie<'_> {
    fn name(&self) -> &'static str {
        "vigie"
    }

    fn pid(&self) -> u32 {
        self.watch.id()
    }

    fn noticed(&mut self, _: Fault, fault: i64) -> Result<Option<i64>> {
        let incident = self.newest()?;
        let at = incident["detected"].as_str().context("no time of detection")?;
        let at = run::text(Command::new("date").args(["--date", at, "+%s%3N"]))?;
        let at: i64 = at.trim().parse()?;
        ensure!(at >= fault - 1, "the newest incident is older than the fault: {incident:#}");
        Ok(Some(at))
    }

    /// A fault of the same kind within ten minutes would be a relapse of the same incident.
    fn reset(&mut self) -> Result<()> {
        std::thread::sleep(std::time::Duration::from_secs(3));
        let id = self.newest()?["id"].to_string();
        self.ask(&["incident", "resolve", &id]).map(drop)
    }
}

impl Drop for Vigie<'_> {
    fn drop(&mut self) {
        let _ = self.watch.kill();
        let _ = self.watch.wait();
    }
}
