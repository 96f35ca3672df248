//! Restore points without images, from the repository beside a stack to a site and into a directory: nothing
//! that was kept once is lost by a later backup.

use std::path::Path;
use std::sync::Mutex;

use vigie_backup::Repository;
use vigie_core::backup::{Asset, Kind};
use vigie_core::snapshot::{Point, TreePart};

use super::record::Record;
use super::{begin, beside, label};
use crate::backup::keep::Keeper;
use crate::backup::restore::Bringer;
use crate::backup::{BackupError, Catalog, Manifest, Tell};
use crate::config::Config;
use crate::snapshot::Shelf;

struct Heard(Mutex<Vec<String>>);

impl Tell for Heard {
    fn step(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

struct World {
    directory: tempfile::TempDir,
    config: Config,
    site: Repository,
    heard: Heard,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let text = "[stack]\nname = \"x\"\n[service.a]\nrole = \"other\"\n";
        let config = Config::parse(&directory.path().join("vigie.toml"), text).unwrap();
        let site = Repository::create(&directory.path().join("site"), "p").unwrap();
        std::fs::create_dir(directory.path().join("data")).unwrap();
        begin(&config, &site).unwrap();
        Self { directory, config, site, heard: Heard(Mutex::default()) }
    }

    fn data(&self) -> std::path::PathBuf {
        self.directory.path().join("data")
    }

    /// A point with one volume, as it is now.
    fn make(&self, name: &str, made: i64) {
        let shelf = Shelf::open(&self.config).unwrap();
        let stored =
            shelf.repository().unwrap().put_tree("volume:data", name, &self.data()).unwrap();
        let mut point = Point::new(name.parse().unwrap(), made);
        point.volumes.push(TreePart {
            name: String::from("data"),
            mounted: Vec::new(),
            snapshot: stored.id,
            root: Some((0o750, 0, 0)),
            files: stored.files,
            size: stored.bytes,
            added: stored.added,
        });
        shelf.keep(&point).unwrap();
    }

    fn keep(&self) -> Result<Manifest, BackupError> {
        let catalog = Catalog::open(&self.config).unwrap();
        let keeper = Keeper {
            config: &self.config,
            docker: None,
            catalog: &catalog,
            repository: self.site.clone(),
            site: "near",
            tell: &self.heard,
        };
        let asset = Asset { kind: Kind::Points, service: None, what: String::new() };
        runtime().block_on(keeper.keep(&asset))
    }

    fn bring(
        &self,
        manifest: &Manifest,
        point: Option<&str>,
        to: &Path,
    ) -> Result<(), BackupError> {
        let bringer = Bringer {
            config: &self.config,
            docker: None,
            repository: self.site.clone(),
            site: "near",
            tell: &self.heard,
            catalog: None,
            point,
        };
        let id = Catalog::snapshot(&self.site, "near", &manifest.asset, manifest.at).unwrap();
        runtime().block_on(bringer.points_into(&id, to))
    }

    fn parts(&self) -> Vec<String> {
        let all = self.site.snapshots().unwrap().into_iter().map(|(_, label, _)| label);
        let mut parts: Vec<String> = all.filter(|label| super::is_part(label)).collect();
        parts.sort();
        parts
    }

    fn heard(&self) -> String {
        std::mem::take(&mut *self.heard.0.lock().unwrap()).join("; ")
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u8::try_from(state >> 56).unwrap()
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

#[test]
fn what_points_share_is_kept_once_and_each_comes_back_alone() {
    let world = World::new();
    std::fs::write(world.data().join("noise"), noise(3 << 20)).unwrap();
    world.make("v1.0-a", 1);
    world.make("v1.1-same", 2);
    let first = world.keep().unwrap();
    assert!(first.added > 3 << 20, "{}", first.added);
    assert_eq!(
        first.points.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["v1.0-a", "v1.1-same"]
    );
    assert_eq!(world.parts(), [label(&first.parts[0])], "two points of the same content");
    std::fs::write(world.data().join("word"), "b").unwrap();
    world.make("v1.2-b", 3);
    let second = world.keep().unwrap();
    assert!(second.added < 100_000, "{}", second.added);
    assert_eq!((second.parts.len(), world.parts().len()), (2, 2));
    // What a volume has is not sent for its own backup again: both cut in the same places.
    let direct = world.site.put_tree("volume:data", "at-1", &world.data()).unwrap();
    assert!(direct.added < 100_000, "{}", direct.added);

    let to = world.directory.path().join("all");
    world.bring(&second, None, &to).unwrap();
    assert!(
        to.join("v1.0-a/volume-data/noise").exists()
            && !to.join("v1.0-a/volume-data/word").exists()
    );
    assert_eq!(std::fs::read_to_string(to.join("v1.2-b/volume-data/word")).unwrap(), "b");
    assert!(to.join("v1.1-same/point.json").exists());
    let one = world.directory.path().join("one");
    world.bring(&second, Some("v1.2-b"), &one).unwrap();
    assert_eq!(std::fs::read_dir(&one).unwrap().count(), 1);
    let why = world.bring(&second, Some("v9.9-no"), &one).unwrap_err().to_string();
    assert!(why.contains("v9.9-no") && why.contains("v1.0-a"), "{why}");
}

#[test]
fn what_is_lost_beside_the_stack_stays_in_its_backup() {
    let world = World::new();
    std::fs::write(world.data().join("word"), "a").unwrap();
    world.make("v1.0-a", 1);
    let first = world.keep().unwrap();
    std::fs::remove_dir_all(Shelf::place(&world.config).join("repository")).unwrap();
    let second = world.keep().unwrap();
    assert_eq!(second.parts, first.parts);
    let heard = world.heard();
    assert!(
        heard.contains("has lost volume:data here") && heard.contains("points:v1.0-a"),
        "{heard}"
    );
    world.bring(&second, None, &world.directory.path().join("back")).unwrap();
    // What was never kept and is lost is no silent success, and keeps no other from being kept.
    assert!(beside(&world.config).unwrap().is_none());
    world.make("v1.1-b", 2);
    std::fs::remove_dir_all(Shelf::place(&world.config).join("repository")).unwrap();
    let third = world.keep().unwrap();
    assert_eq!((third.points.len(), &third.parts), (1, &first.parts));
    let [(name, why)] = &third.troubles[..] else { panic!("{:?}", third.troubles) };
    assert!(name == "points:v1.1-b" && why.contains("prune v1.1-b"), "{name}: {why}");
    // Another point of the same name is not the one that was kept.
    let shelf = Shelf::open(&world.config).unwrap();
    shelf.forget(&"v1.1-b".parse().unwrap()).unwrap();
    let point = shelf.point(&"v1.0-a".parse().unwrap()).unwrap();
    shelf.keep(&Point { made: 9, ..point.clone() }).unwrap();
    drop(shelf);
    let why = world.keep().unwrap_err().to_string();
    assert!(why.contains("points:v1.0-a") && why.contains("does not have that"), "{why}");
    // One that is gone is named; when all are, nothing is kept in their place.
    world.make("v1.2-c", 3);
    let shelf = Shelf::open(&world.config).unwrap();
    shelf.forget(&point.name).unwrap();
    drop(shelf);
    world.heard();
    world.keep().unwrap();
    let heard = world.heard();
    assert!(
        heard.contains("v1.0-a is not here any more") && heard.contains("points:v1.0-a@"),
        "{heard}"
    );
    Shelf::open(&world.config).unwrap().forget(&"v1.2-c".parse().unwrap()).unwrap();
    let why = world.keep().unwrap_err().to_string();
    assert!(why.contains("the last backup has v1.2-c") && why.contains("exclude"), "{why}");
}

#[test]
fn a_part_that_went_from_the_site_is_kept_again() {
    let world = World::new();
    std::fs::write(world.data().join("word"), "a").unwrap();
    world.make("v1.0-a", 1);
    world.keep().unwrap();
    let part =
        world.site.snapshots().unwrap().into_iter().find(|(_, label, _)| super::is_part(label));
    world.site.forget(&[part.unwrap().0]).unwrap();
    assert!(world.parts().is_empty());
    let again = world.keep().unwrap();
    assert_eq!(world.parts().len(), 1);
    let id = Catalog::snapshot(&world.site, "near", &again.asset, again.at).unwrap();
    let record = Record::read(&world.site, &id).unwrap();
    assert_eq!(record.points[0].contents().collect::<Vec<_>>(), [again.parts[0].as_str()]);
}

#[test]
fn a_broken_point_keeps_no_other_from_being_kept() {
    let world = World::new();
    let packs = || {
        let at = Shelf::place(&world.config).join("repository/data");
        let shelves = std::fs::read_dir(at).unwrap().map(|one| one.unwrap().path());
        let packs = shelves.flat_map(|one| std::fs::read_dir(one).unwrap());
        packs.map(|one| one.unwrap().path()).collect::<std::collections::BTreeSet<_>>()
    };
    std::fs::write(world.data().join("word"), "a").unwrap();
    world.make("v1.0-a", 1);
    let before = packs();
    std::fs::write(world.data().join("noise"), noise(100_000)).unwrap();
    world.make("v1.1-b", 2);
    std::fs::write(world.data().join("word"), "c").unwrap();
    world.make("v1.2-c", 3);
    for pack in packs().difference(&before).filter(|pack| pack.metadata().unwrap().len() > 90_000) {
        let mut bytes = std::fs::read(pack).unwrap();
        bytes[50_000] ^= 1;
        std::fs::write(pack, bytes).unwrap();
    }
    std::fs::write(Shelf::place(&world.config).join("v1.3-d.json"), "{").unwrap();
    let kept = world.keep().unwrap();
    assert_eq!(kept.points.iter().map(ToString::to_string).collect::<Vec<_>>(), ["v1.0-a"]);
    let mut troubles = kept.troubles.clone();
    troubles.sort();
    let names: Vec<_> = troubles.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["points:v1.1-b", "points:v1.2-c", "points:v1.3-d"]);
    assert!(troubles[0].1.contains("restore points --in-place"), "{troubles:?}");
    assert!(troubles[2].1.contains("is no restore point's description"), "{troubles:?}");
    assert!(super::is_gone(&world.config, "points:v9.9-x"));
    assert!(!super::is_gone(&world.config, "points:v1.3-d"));
    world.site.check().unwrap();
    // What was kept before it did not read any more stays in the backup.
    std::fs::write(Shelf::place(&world.config).join("v1.0-a.json"), "{").unwrap();
    world.heard();
    let again = world.keep().unwrap();
    assert_eq!((&again.points, &again.parts), (&kept.points, &kept.parts));
    assert!(again.troubles.iter().all(|(name, _)| name != "points:v1.0-a"), "{:?}", again.troubles);
    let heard = world.heard();
    assert!(
        heard.contains("v1.0-a has lost its description") && heard.contains("points:v1.0-a"),
        "{heard}"
    );
}
