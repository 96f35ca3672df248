//! Debian's monit, every 5 s: the container's state by a program, A2S by a UDP test that fails three
//! times in a row.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use vigie_testkit::lab::Stack;

use super::{Fault, Watcher};
use crate::place::program;
use crate::setup;

pub(super) struct Monit<'a> {
    stack: &'a Stack,
    daemon: Child,
}

pub(super) fn install() -> Result<()> {
    if program(&["/usr/bin/monit", "monit"]).is_none() {
        setup::install(&["monit"])?;
    }
    Ok(())
}

/// Writes a script that talks to the stack's engine.
pub(super) fn script(stack: &Stack, name: &str, text: &str) -> Result<PathBuf> {
    let path = stack.dir().join(name);
    let docker = stack.docker().command();
    let client = docker.get_program().to_string_lossy().into_owned();
    let host = stack.docker().host();
    let head = format!(
        "#!/bin/sh\ncd {}\ndocker() {{ '{client}' --host '{host}' \"$@\"; }}\n",
        stack.dir().display()
    );
    fs::write(&path, head + text).with_context(|| format!("cannot write {path:?}"))?;
    fs::set_permissions(&path, Permissions::from_mode(0o755))?;
    Ok(path)
}

/// The first time noted in `noticed` after `fault`.
pub(super) fn latest(stack: &Stack, fault: i64) -> Result<Option<i64>> {
    let text = fs::read_to_string(stack.dir().join("noticed")).context("nothing was noted")?;
    let times = text.lines().filter_map(|line| line.trim().parse::<i64>().ok());
    Ok(times.filter(|at| *at >= fault).min())
}

pub(super) fn start(stack: &Stack) -> Result<Monit<'_>> {
    let (dir, name) = (stack.dir(), &stack.spec.game_container);
    let port = stack.spec.ports.game;
    let running = format!("[ \"$(docker inspect -f '{{{{.State.Running}}}}' {name})\" = true ]\n");
    let alive = script(stack, "alive.sh", &running)?;
    let start = format!("date +%s%3N >> noticed\ndocker start {name} > /dev/null\n");
    let start = script(stack, "start.sh", &start)?;
    let restart = format!(
        "docker inspect -f '{{{{.State.Running}}}}' {name} | grep -q true || exit 0\n\
         date +%s%3N >> noticed\ndocker restart --time 10 {name} > /dev/null\n"
    );
    let restart = script(stack, "restart.sh", &restart)?;
    fs::write(dir.join("noticed"), "").context("cannot write")?;
    let config = format!(
        "set daemon 5\nset log {dir}/monit.log\nset pidfile {dir}/monit.pid\n\
         set statefile {dir}/monit.state\nset idfile {dir}/monit.id\n\
         check program alive with path \"{alive}\" timeout 4 seconds\n\
           if status != 0 then exec \"{start}\" repeat every 1 cycles\n\
         check host game with address 127.0.0.1\n\
           if failed port {port} type udp\n\
             send \"\\0xff\\0xff\\0xff\\0xff\\0x54\\0x53\\0x6f\\0x75\\0x72\\0x63\\0x65\\0x20\\0x45\\0x6e\\0x67\\0x69\\0x6e\\0x65\\0x20\\0x51\\0x75\\0x65\\0x72\\0x79\\0x00\"\n\
             expect \"....[AI].*\"\n\
             with timeout 2 seconds\n\
             for 3 cycles then exec \"{restart}\" repeat every 3 cycles\n",
        dir = dir.display(),
        alive = alive.display(),
        start = start.display(),
        restart = restart.display(),
    );
    let path = dir.join("monitrc");
    fs::write(&path, config).context("cannot write monitrc")?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    let daemon = Command::new("monit")
        .args(["-I", "-c"])
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .context("cannot start monit")?;
    Ok(Monit { stack, daemon })
}

impl Watcher for Monit<'_> {
    fn name(&self) -> &'static str {
        "monit"
    }

    fn pid(&self) -> u32 {
        self.daemon.id()
    }

    fn noticed(&mut self, _: Fault, at: i64) -> Result<Option<i64>> {
        latest(self.stack, at)
    }
}

impl Drop for Monit<'_> {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}
