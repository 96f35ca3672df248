//! Scenarios: every file of `fixtures/scenarios` is one story that happens to a small world, and
//! what the engine made of it is a snapshot for people to read. A new story needs its file only;
//! its words are in `story.rs`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers of a test fail by panicking"
)]

mod console;
mod happening;
mod service;
mod story;
mod timeline;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use story::Story;
use world::World;

fn files() -> Vec<PathBuf> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/scenarios");
    let entries = std::fs::read_dir(place).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    files.sort();
    files
}

fn play(path: &Path) {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let story = Story::read(&std::fs::read_to_string(path).unwrap());
    let mut world = World::new(&story.header);
    world.play(&story);
    let text = world.timeline.finish(&story.header, world.engine.state());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// All of them are played, so that one run tells of every story that changed.
#[test]
fn every_story_goes_as_it_is_told() {
    let files = files();
    assert!(!files.is_empty(), "there are no scenarios");
    let failed = files.iter().filter(|path| catch_unwind(AssertUnwindSafe(|| play(path))).is_err());
    let failed: Vec<_> = failed.filter_map(|path| path.file_name()).collect();
    assert!(failed.is_empty(), "other than told: {failed:?}");
}
