//! Kills in the middle of backups of restore points, and of their way back: the sites stay sound, no backup
//! that counted is lost, and whatever point is listed is whole.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use vigie_backup::Repository;
use vigie_testkit::lab::{Stack, docker_or_skip};

use super::judge::write;
use super::{Begun, PASSWORD, moment, near_and_far, nothing_is_left};
use crate::backup::{fine, json};
use crate::snapshot::{Images, game_alone};

/// Rounds of each of the two.
const ROUNDS: u32 = 10;
/// Points that there are in the end.
const POINTS: u32 = 3;

/// Kills a command, or the worker of each second one. Whether it was killed in the middle.
fn killed(stack: &Stack, words: &[&str], round: u32, took: Duration) -> bool {
    let mut begun = Begun::new(stack, words);
    begun.wait_until(moment(round + 1, took.mul_f64(0.95)));
    if round.is_multiple_of(2) { begun.kill() } else { begun.kill_worker() }
}

/// The points that are there, each with everything that it names.
fn whole_points(stack: &Stack) -> usize {
    let at = stack.dir().join(".vigie/points");
    let entries = fs::read_dir(&at).into_iter().flatten().flatten();
    let descriptions = entries.map(|entry| entry.path());
    let descriptions: Vec<_> =
        descriptions.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    if descriptions.is_empty() {
        return 0;
    }
    let key = fs::read_to_string(at.join("key")).unwrap();
    let shelf = Repository::open(&at.join("repository"), key.trim()).unwrap();
    let contents = shelf.contents().unwrap();
    for path in &descriptions {
        let point: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let trees = ["volumes", "binds"].iter().flat_map(|kind| point[kind].as_array().unwrap());
        for tree in trees.chain([&point["project"]]) {
            let snapshot = tree["snapshot"].as_str().unwrap();
            assert!(contents.contains_key(snapshot), "{} of {}", tree["name"], path.display());
        }
        for image in point["images"].as_array().unwrap() {
            let id = image["id"].as_str().unwrap();
            stack.docker().text(["image", "inspect", "-f", "{{.Id}}", id]).unwrap();
        }
    }
    descriptions.len()
}

/// What is beside the stack is gone: the points, and their images.
fn lose(stack: &Stack, images: &Images) {
    let _ = fs::remove_dir_all(stack.dir().join(".vigie/points"));
    let listed = stack.docker().text(["images", "--format", "{{.Tag}}", &images.repository]);
    for tag in listed.unwrap().lines().filter(|tag| tag.starts_with("v1.")) {
        stack.docker().text(["rmi", "-f", &format!("{}:{tag}", images.repository)]).unwrap();
    }
}

fn sound(site: &Path) -> Vec<String> {
    let repository = Repository::open(site, PASSWORD).unwrap();
    repository.check().unwrap();
    let mut kept: Vec<String> = repository
        .snapshots()
        .unwrap()
        .into_iter()
        .filter(|(_, label, tags)| label == "points" && tags.iter().any(|tag| tag == "manifest"))
        .map(|(_, _, tags)| tags.join(","))
        .collect();
    kept.sort();
    kept
}

#[test]
fn restore_points_are_whole_at_both_ends_whoever_is_killed() {
    let Some(lab) = docker_or_skip("kill -9 of backups of restore points") else { return };
    let (stack, images) = game_alone(&lab, "it-killed-points");
    stack.compose(["stop", "-t", "1"]).unwrap();
    near_and_far(&stack);
    let (near, far) = (stack.dir().join("sites/near"), stack.dir().join("sites/far"));
    fine(&stack, &["backup", "init"]);
    let run = ["backup", "run", "points"];
    let (mut took, mut interrupted) = (Duration::ZERO, 0);
    let mut kept: [Vec<String>; 2] = Default::default();
    for round in 0..ROUNDS {
        write(&stack.dir().join("addons"), u64::from(round));
        if round < POINTS {
            fine(&stack, &["snapshot", "create", &format!("v1.{round}-kill")]);
        }
        if round == 0 {
            let began = Instant::now();
            fine(&stack, &run);
            took = began.elapsed();
        } else {
            interrupted += u32::from(killed(&stack, &run, round, took));
        }
        for (site, kept) in [&near, &far].into_iter().zip(&mut kept) {
            let now = sound(site);
            assert!(kept.iter().all(|one| now.contains(one)), "{kept:?} and then {now:?}");
            *kept = now;
        }
        assert_eq!(whole_points(&stack), round.min(POINTS - 1) as usize + 1);
    }
    assert!(interrupted >= 3, "{interrupted}");
    fine(&stack, &run);
    fine(&stack, &["backup", "drill", "points"]);

    let restore = ["backup", "restore", "points", "--in-place", "--yes", "--site", "far"];
    let (mut took, mut interrupted) = (Duration::ZERO, 0);
    for round in 0..ROUNDS {
        // Each second one goes on where the one before was killed.
        if round.is_multiple_of(2) {
            lose(&stack, &images);
        }
        if round == 0 {
            let began = Instant::now();
            fine(&stack, &restore);
            took = began.elapsed();
        } else {
            interrupted += u32::from(killed(&stack, &restore, round, took));
        }
        assert!(whole_points(&stack) <= POINTS as usize);
    }
    assert!(interrupted >= 3, "{interrupted}");
    fine(&stack, &restore);
    assert_eq!(whole_points(&stack), POINTS as usize);
    assert_eq!(json(&stack, &["snapshot", "list", "--json"]).as_array().unwrap().len(), 3);
    // Nothing that was killed is in anybody's way, or takes room for ever.
    fine(&stack, &["snapshot", "create", "v1.9-after"]);
    let at = stack.dir().join(".vigie/points");
    assert!(!at.join("making").exists());
    fine(&stack, &["backup", "prune"]);
    fine(&stack, &run);
    fine(&stack, &["backup", "verify"]);
    nothing_is_left(stack.dir());
}
