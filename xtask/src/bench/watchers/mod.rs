//! `cargo xtask bench watchers`: three watchers, each over a stack of its own on the same engine, all
//! in one run: the server's process is killed or frozen, and the clock stops when a player gets an
//! answer again. The server, its boot and the moments of the faults are the same for all.

mod autoheal;
mod monit;
mod vigie;

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow, bail};
use vigie_testkit::lab::{Lab, Restart, Stack, StackSpec};

use super::figures::{Rest, at_rest, machine, shown};
use super::player::Player;
use crate::place::{Place, is_root};
use crate::setup;
use crate::stage::Stages;

/// Rounds of each fault.
const ROUNDS: u32 = 20;
/// Boot time of the server.
const BOOT: &str = "1s";
/// How long the watchers are looked at before the first fault.
const REST: Duration = Duration::from_secs(60);
/// A repair that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(180);

/// What is done to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Crash,
    Freeze,
}

/// A watcher that runs over its stack.
trait Watcher: Send {
    /// How the table calls it.
    fn name(&self) -> &'static str;

    /// Its process.
    fn pid(&self) -> u32;

    /// When it noticed the fault that was made at `at`, in milliseconds since 1970; `None` when it
    /// leaves this fault to somebody else.
    fn noticed(&mut self, fault: Fault, at: i64) -> Result<Option<i64>>;

    /// After a round: what it needs so that the next one is like the first.
    fn reset(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The measurements of one watcher, in seconds.
#[derive(Debug)]
struct Figures {
    name: &'static str,
    rest: Rest,
    detected: [Vec<f64>; 2],
    restored: [Vec<f64>; 2],
}

pub(super) fn run(place: &Place) -> Result<()> {
    if !is_root() {
        bail!("this needs the lab's engine, and signals into containers: run it as root");
    }
    let mut stages = Stages::default();
    let ready = setup::run(place, &mut stages);
    let lab = Lab::connect(ready.facts.clone())?;
    let result = measure(place, &lab);
    if ready.started_engine {
        setup::stop_lab_engine(place, &ready.facts)?;
    }
    print(&result?);
    Ok(())
}

fn measure(place: &Place, lab: &Lab) -> Result<Vec<Figures>> {
    let vigie = super::vigie(place)?;
    monit::install()?;
    let image = lab.practice_image()?;
    let spec = |name: &str| Ok::<_, anyhow::Error>(StackSpec::private(name, image)?.boot(BOOT));
    let stacks = [
        lab.start(spec("bench-vigie")?.restart(Restart::No))?,
        lab.start(spec("bench-monit")?.restart(Restart::No))?,
        lab.start(
            spec("bench-autoheal")?
                .restart(Restart::Always)
                .game_healthcheck(&["/vigie-practice", "--healthcheck"])
                .health_rhythm("5s", 3),
        )?,
    ];
    thread::scope(|scope| {
        let [first, second, third] = &stacks;
        let runs = [
            scope.spawn(|| vigie::start(&vigie, first).and_then(|watcher| rounds(watcher, first))),
            scope.spawn(|| monit::start(second).and_then(|watcher| rounds(watcher, second))),
            scope.spawn(|| autoheal::start(third).and_then(|watcher| rounds(watcher, third))),
        ];
        let ended = runs.into_iter().map(|run| {
            run.join().map_err(|_| anyhow!("a watcher's rounds have panicked")).and_then(|it| it)
        });
        ended.collect()
    })
}

fn rounds(mut watcher: impl Watcher, stack: &Stack) -> Result<Figures> {
    let player = Player::of(stack);
    player.wait(LIMIT).context("the server never answered")?;
    let rest = at_rest(watcher.pid(), REST)?;
    let mut figures = Figures {
        name: watcher.name(),
        rest,
        detected: [Vec::new(), Vec::new()],
        restored: [Vec::new(), Vec::new()],
    };
    for round in 0..ROUNDS {
        for fault in [Fault::Crash, Fault::Freeze] {
            // At another moment of everybody's polls each time.
            thread::sleep(Duration::from_millis(6_000 + u64::from(round * 1_370 % 5_000)));
            let begun = now_ms()?;
            match fault {
                Fault::Crash => stack.crash_game()?,
                Fault::Freeze => stack.freeze_game()?,
            }
            let name = watcher.name();
            player.wait(LIMIT).with_context(|| format!("{name}: {fault:?} was not repaired"))?;
            let restored = now_ms()?;
            let seconds = |at: i64| (at - begun) as f64 / 1000.0;
            figures.restored[fault as usize].push(seconds(restored));
            if let Some(noticed) = watcher.noticed(fault, begun)? {
                figures.detected[fault as usize].push(seconds(noticed));
            }
            println!("   {name}: {fault:?} {}: {:.2} s", round + 1, seconds(restored));
            watcher.reset()?;
        }
    }
    Ok(figures)
}

fn print(all: &[Figures]) {
    println!("\nmachine: {}", machine());
    println!(
        "{ROUNDS} crashes and {ROUNDS} freezes each; the server boots in {BOOT}; median / p95"
    );
    println!(
        "| watcher | crash detected | crash restored | freeze detected | freeze restored | RSS | CPU at rest |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for one in all {
        let [crash, freeze] = &one.detected;
        let [crash_over, freeze_over] = &one.restored;
        println!(
            "| {} | {} | {} | {} | {} | {:.1} MiB | {:.2} % |",
            one.name,
            shown(crash),
            shown(crash_over),
            shown(freeze),
            shown(freeze_over),
            one.rest.rss,
            one.rest.cpu
        );
    }
}

fn now_ms() -> Result<i64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(i64::try_from(now.as_millis())?)
}
