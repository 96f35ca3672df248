//! `cargo xtask bench snapshot`: a second restore point after a change of one percent, against what is done
//! without vigie (`docker commit`, then `docker save | gzip`), and the way back until players get an
//! answer. All in one run, on one stack, in turns.

mod content;
mod options;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use vigie_testkit::lab::{Docker, Lab, Stack, StackSpec, run};

use super::figures::{machine, percentile};
use super::player::Player;
use super::words::{Images, on_lab};
use crate::place::Place;
use content::Files;
use options::Options;

/// Where the image has its content, which no volume covers: both ways then have to keep it.
const CONTENT: &str = "/content";
/// A server that takes longer does not come.
const LIMIT: Duration = Duration::from_secs(180);

/// Seconds and bytes of every round.
#[derive(Debug, Default)]
struct Series {
    seconds: Vec<f64>,
    bytes: Vec<f64>,
}

/// What is measured on.
struct Bench<'a> {
    vigie: PathBuf,
    stack: &'a Stack,
    repository: &'a str,
    /// Directories in which either way may leave something.
    grows: Vec<PathBuf>,
    /// A room for the archives of the present way.
    room: &'a Path,
}

pub(super) fn run(place: &Place, words: &[String]) -> Result<()> {
    let Some(options) = Options::read(words)? else { return Ok(()) };
    on_lab(place, options.vigie.as_ref(), |lab, vigie| measure(lab, &options, vigie))
}

fn measure(lab: &Lab, options: &Options, vigie: PathBuf) -> Result<()> {
    let room = tempfile::Builder::new().prefix("vigie-bench-").tempdir()?;
    let image = Files::new(&room.path().join("image"), options.image_mib);
    println!("   {} MiB of image and {} MiB of volume", options.image_mib, options.volume_mib);
    image.fill()?;
    let repository = format!("vigie-bench/{}", std::process::id());
    let docker = lab.docker();
    let _images = Images { docker, repository: &repository };
    let first = format!("{repository}:v0.1-bench");
    with_content(docker, lab.practice_image()?, &first, image.directory())?;
    let spec = StackSpec::private("bench-snapshot", &first)?.boot(&options.boot);
    let stack = lab.start(spec)?;
    let root = docker.text(["info", "--format", "{{.DockerRootDir}}"])?;
    let state = stack.dir().join(".vigie");
    let bench = Bench {
        vigie,
        stack: &stack,
        repository: &repository,
        grows: vec![PathBuf::from(root.trim()), state.clone(), room.path().to_owned()],
        room: room.path(),
    };
    std::fs::create_dir_all(&state).with_context(|| format!("cannot make {state:?}"))?;
    bench.go(options, &image)
}

/// The practice server's image with the files of `from` in it.
fn with_content(docker: &Docker, base: &str, name: &str, from: &Path) -> Result<()> {
    let container = docker.text(["create", base])?;
    let target = format!("{container}:{CONTENT}");
    let made = docker
        .text(["cp", &from.to_string_lossy(), &target])
        .and_then(|_| docker.text(["commit", &container, name]));
    docker.text(["rm", &container])?;
    made.map(drop)
}

impl Bench<'_> {
    fn go(&self, options: &Options, image: &Files) -> Result<()> {
        let name = format!("{}_gmod-server-data", self.stack.spec.project);
        let inspected = ["volume", "inspect", "--format", "{{.Mountpoint}}", &name];
        let volume = PathBuf::from(self.stack.docker().text(inspected)?.trim());
        let volume = Files::new(&volume.join("maps"), options.volume_mib);
        volume.fill()?;
        let player = Player::of(self.stack);
        player.wait(LIMIT).context("the server never answered")?;
        self.vigie(&["init"])?;
        let begun = Instant::now();
        self.vigie(&["snapshot", "create", "v1.0-base"])?;
        println!("   the first point: {:.1} s", begun.elapsed().as_secs_f64());

        let (mut ours, mut theirs) = (Series::default(), Series::default());
        for round in 1..=options.rounds {
            // Each is first in turns.
            for ours_now in [round % 2 == 1, round % 2 == 0] {
                let (series, name) =
                    if ours_now { (&mut ours, "vigie") } else { (&mut theirs, "save | gzip") };
                // A second commit of the same change would be the first one's layer, and cost nothing.
                self.change(image, &volume)?;
                let before = self.used()?;
                let begun = Instant::now();
                if ours_now {
                    self.vigie(&["snapshot", "create", &format!("v1.{round}-bench")])?;
                } else {
                    self.save(round)?;
                }
                let seconds = begun.elapsed().as_secs_f64();
                let bytes = self.used()? - before;
                println!("   {name} {round}: {seconds:.2} s, {:.1} MiB", bytes / MIB);
                series.seconds.push(seconds);
                series.bytes.push(bytes);
            }
        }
        let (mut back, mut boots) = (Vec::new(), Vec::new());
        for round in 1..=options.rounds {
            let to = format!("v1.{}-bench", options.rounds - round + 1);
            let begun = Instant::now();
            self.vigie(&["snapshot", "rollback", &to, "--yes"])?;
            player.wait(LIMIT)?;
            back.push(begun.elapsed().as_secs_f64());
            boots.push(self.boot(&player)?);
            println!("   back to {to}: {:.2} s", back[back.len() - 1]);
        }
        print(options, [&ours, &theirs], &back, &boots);
        Ok(())
    }

    fn vigie(&self, words: &[&str]) -> Result<()> {
        let mut command = Command::new(&self.vigie);
        self.stack.docker().point(&mut command);
        run::quiet(command.current_dir(self.stack.dir()).args(words))
    }

    /// One percent of either is another.
    fn change(&self, image: &Files, volume: &Files) -> Result<()> {
        let container = format!("{}:{CONTENT}/", self.stack.spec.game_container);
        for file in image.change()? {
            self.stack.docker().text(["cp", &file.to_string_lossy(), &container])?;
        }
        volume.change()?;
        run::quiet(&mut Command::new("sync"))
    }

    /// What is done without vigie. It leaves the volume out.
    fn save(&self, round: u32) -> Result<()> {
        let docker = self.stack.docker();
        let image = format!("{}:saved-{round}", self.repository);
        docker.text(["commit", "--pause=false", &self.stack.spec.game_container, &image])?;
        let archive = self.room.join(format!("saved-{round}.tar.gz"));
        let mut shell = Command::new("bash");
        docker.point(&mut shell);
        let script = "set -o pipefail; docker save \"$1\" | gzip > \"$2\"";
        run::quiet(shell.args(["-c", script, "save", &image]).arg(archive))
    }

    /// Bytes on the disk, wherever either way leaves some.
    fn used(&self) -> Result<f64> {
        run::quiet(&mut Command::new("sync"))?;
        let mut du = Command::new("du");
        du.args(["--summarize", "--one-file-system", "--block-size=1"]).args(&self.grows);
        let text = run::text(&mut du)?;
        let bytes = text.lines().filter_map(|line| line.split_once('\t')?.0.parse::<f64>().ok());
        Ok(bytes.sum())
    }

    /// Seconds from a start of the server to a player's answer.
    fn boot(&self, player: &Player) -> Result<f64> {
        let (docker, name) = (self.stack.docker(), &self.stack.spec.game_container);
        docker.text(["stop", name])?;
        let begun = Instant::now();
        docker.text(["start", name])?;
        player.wait(LIMIT)?;
        Ok(begun.elapsed().as_secs_f64())
    }
}

const MIB: f64 = 1_048_576.0;

/// Median, and least to most.
fn spread(values: &[f64], unit: &str) -> String {
    let at = |part| percentile(values, part);
    format!("{:.1} {unit} ({:.1} to {:.1})", at(0.5), at(0.0), at(1.0))
}

fn print(options: &Options, [ours, theirs]: [&Series; 2], back: &[f64], boots: &[f64]) {
    println!("\nmachine: {}", machine());
    println!(
        "{} MiB of image, {} MiB of volume, half of either incompressible; 1 % of either changed before \
         each; {} of each kind, median (least to most)",
        options.image_mib, options.volume_mib, options.rounds
    );
    println!("| the second point | time | on the disk |");
    println!("| --- | --- | --- |");
    for (name, series) in [
        ("vigie snapshot create", ours),
        ("docker commit, docker save \\| gzip, without the volume", theirs),
    ] {
        let mebibytes: Vec<_> = series.bytes.iter().map(|bytes| bytes / MIB).collect();
        println!("| {name} | {} | {} |", spread(&series.seconds, "s"), spread(&mebibytes, "MiB"));
    }
    println!("\n| the way back | time |");
    println!("| --- | --- |");
    println!("| vigie snapshot rollback, until verified | {} |", spread(back, "s"));
    println!("| the server's boot | {} |", spread(boots, "s"));
    let more = percentile(back, 0.5) - percentile(boots, 0.5);
    println!("beyond the boot: {more:.1} s (the goal is 10 s)");
}
