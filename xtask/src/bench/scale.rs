//! `cargo xtask bench scale`: memory and CPU of the watch with 2, 100 and 1,000 services, all of them
//! well, on the runtime in memory; each is asked over A2S every five seconds, as by default.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use vigie_testkit::lab::run;

use super::figures::{at_rest, machine};
use crate::place::Place;

const WARM_UP: Duration = Duration::from_secs(15);
const TIME: Duration = Duration::from_secs(60);

pub(super) fn run(place: &Place) -> Result<()> {
    let mut cargo = place.cargo();
    cargo.args(["build", "--release", "--quiet", "--package", "vigie"]);
    run::streamed(cargo.args(["--example", "many_services"]))?;
    let program = place.target().join("release/examples/many_services");
    println!("machine: {}", machine());
    println!("{:>8}  {:>10}  {:>14}", "services", "RSS", "CPU (one core)");
    for count in [2, 100, 1000] {
        let mut watch = Command::new(&program)
            .arg(count.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {program:?}"))?;
        let mut line = String::new();
        let output = watch.stdout.take().context("no output")?;
        BufReader::new(output).read_line(&mut line)?;
        ensure!(line.trim() == "ready", "the watch did not start");
        std::thread::sleep(WARM_UP);
        let rest = at_rest(watch.id(), TIME);
        // Its end of the pipe: the watch stops and takes its server along.
        drop(watch.stdin.take());
        watch.wait()?;
        let rest = rest?;
        println!("{count:8}  {:6.1} MiB  {:12.2} %", rest.rss, rest.cpu);
    }
    Ok(())
}
