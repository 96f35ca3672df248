//! `cargo xtask bench backup`: a tree and an image, kept for the first time, kept again when one file in
//! twenty is another, and brought back: vigie beside restic, borg, `tar | zstd -3` and `docker save | gzip`,
//! all in one run on one stack, first in turns.

mod content;
mod options;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use vigie_testkit::lab::{Docker, Lab, StackSpec, run};

use super::cost::{Series, measured, shown, used};
use super::figures::machine;
use super::player::Player;
use super::words::{Images, on_lab};
use crate::place::{Place, program};
use crate::setup;
use content::Content;
use options::Options;
use tools::{Tool, Tools, What};

/// Where the image has its content, which no volume covers.
const CONTENT: &str = "/content";
/// A server that takes longer does not come.
const LIMIT: Duration = Duration::from_secs(180);

pub(super) fn run(place: &Place, words: &[String]) -> Result<()> {
    let Some(options) = Options::read(words)? else { return Ok(()) };
    for (package, name) in [("borgbackup", "borg"), ("zstd", "zstd")] {
        if program(&[name]).is_none() {
            setup::install(&[package])?;
        }
    }
    on_lab(place, options.vigie.as_ref(), |lab, vigie| measure(lab, &options, vigie))
}

fn measure(lab: &Lab, options: &Options, vigie: PathBuf) -> Result<()> {
    let room = tempfile::Builder::new().prefix("vigie-bench-").tempdir()?;
    let restic = lab.facts().restic_new.clone().unwrap_or_else(|| PathBuf::from("restic"));
    println!("   {} MiB of tree and {} MiB of image", options.tree_mib, options.image_mib);
    let mut image = Content::new(&room.path().join("image"), options.image_mib);
    let docker = lab.docker();
    let repository = format!("vigie-bench/{}", std::process::id());
    let _images = Images { docker, repository: &repository };
    let (base, name) = (lab.practice_image()?, format!("{repository}:bench"));
    docker.text(["tag", base, &name])?;
    let stack = lab.start(StackSpec::private("bench-backup", &name)?.boot("1s"))?;
    Player::of(&stack).wait(LIMIT).context("the server never answered")?;
    let volume = format!("{}_gmod-server-data", stack.spec.project);
    let tree = docker.text(["volume", "inspect", "--format", "{{.Mountpoint}}", &volume])?;
    let mut tools =
        Tools { vigie, restic, stack: &stack, tree: tree.trim().into(), config: String::new() };
    run::quiet(&mut tools.own(["init"]))?;
    tools.config = fs::read_to_string(stack.dir().join("vigie.toml"))?;
    let restic = run::text(Command::new(&tools.restic).arg("version"))?;
    let borg = run::text(Command::new("borg").arg("--version"))?;
    println!("   {}; {borg}", restic.split(" compiled").next().unwrap_or_default());
    if options.tree_mib > 0 {
        let mut content = Content::new(&tools.tree.join("maps"), options.tree_mib);
        let all = rounds(&tools, options, room.path(), What::Tree, |begin| match begin {
            true => content.fill(),
            false => content.change().map(drop),
        })?;
        print(options, What::Tree, &all);
        fs::remove_dir_all(content.directory())?;
    }
    if options.image_mib > 0 {
        let all = rounds(&tools, options, room.path(), What::Image, |begin| {
            if begin {
                image.fill()?;
                let container = docker.text(["create", base])?;
                let made = layer(docker, &container, image.directory(), &name);
                docker.text(["rm", &container])?;
                made?;
            } else {
                let changed = room.path().join("changed");
                for file in image.change()? {
                    let to = changed.join(&file);
                    fs::create_dir_all(to.parent().unwrap_or(&changed))?;
                    fs::copy(image.directory().join(&file), to)?;
                }
                layer(docker, &stack.spec.game_container, &changed, &name)?;
                fs::remove_dir_all(&changed)?;
            }
            stack.up()
        })?;
        print(options, What::Image, &all);
    }
    Ok(())
}

/// Makes the files of `from` a layer more.
fn layer(docker: &Docker, container: &str, from: &Path, name: &str) -> Result<()> {
    let inside = format!("{}/.", from.display());
    docker.text(["cp", &inside, &format!("{container}:{CONTENT}")])?;
    docker.text(["commit", container, name]).map(drop)
}

/// Every program in every round; `change(true)` makes what is kept as it was in the beginning.
fn rounds(
    tools: &Tools<'_>,
    options: &Options,
    room: &Path,
    what: What,
    mut change: impl FnMut(bool) -> Result<()>,
) -> Result<[Series; 4]> {
    let mut all: [Series; 4] = std::array::from_fn(|_| Series::default());
    for round in 0..options.rounds {
        let order = (0..all.len()).map(|place| (place + round as usize) % 4).collect::<Vec<_>>();
        let at = |index: usize| room.join(format!("{what:?}-{index}"));
        change(true)?;
        let mut sizes = [0.0; 4];
        for turn in [1, 2] {
            if turn == 2 {
                change(false)?;
            }
            for index in order.iter().copied() {
                let (tool, room) = (Tool::of(what)[index], at(index));
                if turn == 1 {
                    tools.begin(tool, &room)?;
                }
                if tool == Tool::Vigie {
                    point(tools, &room)?;
                }
                run::quiet(&mut Command::new("sync"))?;
                let cost = measured(&mut tools.keep(tool, what, &room, turn))?;
                let size = used(&room.join("repo"))?;
                let series = &mut all[index];
                if turn == 1 {
                    series.first.push(cost);
                    sizes[index] = size;
                } else {
                    series.second.push(cost);
                    series.sizes.push((sizes[index], size));
                }
                println!("   {} {turn}: {:.2} s, {size:.0} MiB", tool.name(what), cost.wall);
            }
        }
        for index in order {
            let (tool, room) = (Tool::of(what)[index], at(index));
            let back = room.join("back");
            if what == What::Image {
                let file = room.join("archive");
                run::quiet(&mut Command::new("sync"))?;
                let cost = measured(&mut tools.archive(tool, &room, 2, &file))?;
                all[index].archive.push(cost);
                println!("   {} into a file: {:.2} s", tool.name(what), cost.wall);
                fs::remove_dir_all(&file)?;
                gone(tools)?;
            }
            run::quiet(&mut Command::new("sync"))?;
            let cost = measured(&mut tools.restore(tool, what, &room, 2, &back))?;
            all[index].restore.push(cost);
            println!("   {} back: {:.2} s", tool.name(what), cost.wall);
            if what == What::Image {
                tools.stack.up().context("the image that came back does not start")?;
            }
            fs::remove_dir_all(&room)?;
        }
    }
    Ok(all)
}

/// vigie has one configuration; its repository is in this room.
fn point(tools: &Tools<'_>, room: &Path) -> Result<()> {
    let config = fs::read_to_string(tools.stack.dir().join("vigie.toml"))?;
    let here = config.contains(&format!("{:?}", room.join("repo")));
    if here { Ok(()) } else { bail!("vigie.toml names another repository") }
}

/// Takes the image out of the engine with all of its content, as on a host that was lost.
fn gone(tools: &Tools<'_>) -> Result<()> {
    let (docker, stack) = (tools.stack.docker(), tools.stack);
    docker.text(["rm", "-f", &stack.spec.game_container])?;
    docker.text(["rmi", "-f", &stack.spec.game_image]).map(drop)
}

fn print(options: &Options, what: What, all: &[Series; 4]) {
    let mib = if what == What::Tree { options.tree_mib } else { options.image_mib };
    let thing = if what == What::Tree { "tree" } else { "image" };
    println!("\n{}\n", machine());
    println!(
        "{mib} MiB {thing}, {} rounds; wall s / CPU s / memory MiB, medians\n",
        options.rounds
    );
    println!("| | first | second, 5 % changed | restore | repository, first and second MiB |");
    println!("| --- | --- | --- | --- | --- |");
    for (tool, series) in Tool::of(what).into_iter().zip(all) {
        println!("{}", series.row(tool.name(what)));
    }
    if what == What::Image {
        println!("\n| | into a file |\n| --- | --- |");
        for (tool, series) in Tool::of(what).into_iter().zip(all) {
            println!("| {} | {} |", tool.name(what), shown(&series.archive));
        }
    }
}
