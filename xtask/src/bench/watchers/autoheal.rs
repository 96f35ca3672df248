//! Docker's own means: `restart: always` for crashes, and for freezes a health check that asks over
//! A2S (every 5 s, 3 failures) with a loop that restarts what is unhealthy every 5 s, as autoheal
//! does. The health check is kinder than most: the usual one only looks for a listening port.

use std::fs;
use std::process::{Child, Command};

use anyhow::{Context as _, Result};
use vigie_testkit::lab::Stack;

use super::monit::{latest, script};
use super::{Fault, Watcher};

pub(super) struct Autoheal<'a> {
    stack: &'a Stack,
    shell: Child,
}

pub(super) fn start(stack: &Stack) -> Result<Autoheal<'_>> {
    let name = &stack.spec.game_container;
    let text = format!(
        "while true; do\n\
           for one in $(docker ps --quiet --filter health=unhealthy --filter name={name}); do\n\
             date +%s%3N >> noticed\n\
             docker restart --time 10 \"$one\" > /dev/null\n\
           done\n\
           sleep 5\n\
         done\n"
    );
    script(stack, "autoheal.sh", &text)?;
    fs::write(stack.dir().join("noticed"), "").context("cannot write")?;
    let mut command = Command::new(stack.dir().join("autoheal.sh"));
    let shell = command.current_dir(stack.dir()).spawn().context("cannot start the loop")?;
    Ok(Autoheal { stack, shell })
}

impl Watcher for Autoheal<'_> {
    fn name(&self) -> &'static str {
        "restart policy, health check and autoheal loop"
    }

    fn pid(&self) -> u32 {
        self.shell.id()
    }

    fn noticed(&mut self, fault: Fault, at: i64) -> Result<Option<i64>> {
        // A crash is the restart policy's, which tells nobody.
        if fault == Fault::Crash { Ok(None) } else { latest(self.stack, at) }
    }
}

impl Drop for Autoheal<'_> {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
