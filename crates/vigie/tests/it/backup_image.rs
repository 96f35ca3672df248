//! Backups of images on real engines, old and new: read from the engine's directories, and split out of
//! its stream where these cannot be read. What comes back has the same digest and the same files; what is
//! kept is not read again, what was tampered with is not kept, and what nobody needs goes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::XattrFlags;
use vigie_backup::Repository;
use vigie_testkit::lab::{Docker, Restart, Stack, StackSpec, docker_or_skip, skip};

use crate::snapshot::Images;
use crate::survival::ready;
use crate::watch::vigie;

const PASSWORD: &str = "correct horse battery staple";
/// What programs may do that have it, as the kernel writes it down.
const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// A layer that is seen in what a repository grows by.
const LARGE: usize = 6 << 20;

/// How vigie sees the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sees {
    /// With its directories.
    Directories,
    /// Without: something else is mounted over them.
    Stream,
}

struct World<'a> {
    stack: &'a Stack,
    image: String,
    sees: Sees,
    engine: PathBuf,
}

impl<'a> World<'a> {
    /// A stack that is configured and has one site.
    fn new(stack: &'a Stack, sees: Sees) -> Self {
        ready(stack);
        let root = stack.docker().text(["info", "--format", "{{.DockerRootDir}}"]).unwrap();
        let engine = PathBuf::from(root.trim());
        let world = Self { stack, image: stack.spec.game_image.clone(), sees, engine };
        world.fine(&["init"]);
        let directory = stack.dir();
        fs::write(directory.join("password"), PASSWORD).unwrap();
        let config = directory.join("vigie.toml");
        let text = fs::read_to_string(&config).unwrap();
        let password = directory.join("password");
        let backup = format!(
            "{text}\n[backup]\npassword = {{ file = {password:?} }}\n[backup.site.disk]\nlocal = \"repo\"\n\
             [backup.keep]\nhourly = 0\ndaily = 0\nmonthly = 0\n"
        );
        fs::write(&config, backup).unwrap();
        world.fine(&["backup", "init"]);
        world
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let own = vigie();
        let mut command = match self.sees {
            Sees::Directories => vigie(),
            Sees::Stream => {
                let hide = "mount -t tmpfs none \"$1\" && shift && exec \"$@\"";
                let mut command = Command::new("unshare");
                command.args(["--mount", "sh", "-c", hide, "sh"]).arg(self.engine.join("image"));
                command.arg(own.get_program()).env("NO_COLOR", "1");
                command
            }
        };
        self.stack.docker().point(&mut command);
        let output = command.args(arguments).current_dir(self.stack.dir()).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    }

    fn fine(&self, arguments: &[&str]) -> String {
        let (code, text) = self.run(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {text}");
        text
    }

    fn docker(&self, arguments: &[&str]) -> String {
        self.stack.docker().text(arguments).unwrap().trim().to_owned()
    }

    /// The newest backup, as `vigie backup list` tells it.
    fn newest(&self) -> serde_json::Value {
        let all: serde_json::Value =
            serde_json::from_str(&self.fine(&["backup", "list", "image", "--json"])).unwrap();
        all[0].clone()
    }

    /// The layers that the repository has anything of.
    fn kept_layers(&self) -> BTreeSet<String> {
        let repository = Repository::open(&self.stack.dir().join("repo"), PASSWORD).unwrap();
        let all = repository.snapshots().unwrap();
        all.iter()
            .filter_map(|(_, label, _)| label.strip_prefix("layer:").map(Into::into))
            .collect()
    }

    fn layers(&self) -> BTreeSet<String> {
        let format = "{{range .RootFS.Layers}}{{println .}}{{end}}";
        let told = self.docker(&["image", "inspect", "--format", format, &self.image]);
        told.split_whitespace().map(Into::into).collect()
    }

    fn id(&self) -> String {
        self.docker(&["image", "inspect", "--format", "{{.Id}}", &self.image])
    }

    /// Where the engine has the highest layer of the image.
    fn top(&self) -> PathBuf {
        let format = "{{.GraphDriver.Data.UpperDir}}";
        self.docker(&["image", "inspect", "--format", format, &self.image]).into()
    }

    /// What the game's container sees, from outside.
    fn srv(&self) -> PathBuf {
        format!("/proc/{}/root/srv", self.stack.game_pid().unwrap()).into()
    }

    /// Makes what the container is now into the image, and the container anew from it.
    fn commit(&self) {
        self.docker(&["commit", &self.stack.spec.game_container, &self.image]);
        self.again();
    }

    fn again(&self) {
        self.stack.up().unwrap();
        ready(self.stack);
    }

    /// A layer with all that a file system can have.
    fn first_layer(&self) {
        let srv = self.srv();
        fs::create_dir_all(srv.join("old/deep")).unwrap();
        fs::write(srv.join("old/deep/file"), "old").unwrap();
        fs::write(srv.join("large"), noise(1, LARGE)).unwrap();
        fs::write(srv.join("removed"), "here for a while").unwrap();
        fs::write(srv.join("program"), "#!/bin/sh\n").unwrap();
        rustix::fs::setxattr(
            srv.join("program"),
            "security.capability",
            &CAPABILITY,
            XattrFlags::empty(),
        )
        .unwrap();
        fs::hard_link(srv.join("program"), srv.join("same")).unwrap();
        std::os::unix::fs::symlink("old/deep", srv.join("link")).unwrap();
        fs::write(srv.join("é ø"), "name").unwrap();
        fs::write(srv.join("empty"), "").unwrap();
        // Two tests that made the same within one second would have one layer, and one of them tampers.
        fs::write(srv.join("whose"), &self.image).unwrap();
        for number in 0..300_usize {
            fs::write(srv.join(format!("small-{number}")), noise(number, number)).unwrap();
        }
        self.commit();
    }

    /// A layer that takes away.
    fn second_layer(&self) {
        let srv = self.srv();
        fs::remove_file(srv.join("removed")).unwrap();
        fs::remove_dir_all(srv.join("old")).unwrap();
        fs::create_dir(srv.join("old")).unwrap();
        fs::write(srv.join("old/new"), noise(3, 50_000)).unwrap();
        self.commit();
        let top = self.top().join("srv");
        let hidden = fs::symlink_metadata(top.join("removed")).unwrap();
        assert!(hidden.file_type().is_char_device(), "the engine made a whiteout of it");
        let mut opaque = [0; 8];
        let told = rustix::fs::getxattr(top.join("old"), "trusted.overlay.opaque", &mut opaque[..]);
        assert_eq!(told, Ok(1), "the engine made an opaque directory of it");
    }

    /// Takes the container and the image out of the engine.
    fn remove(&self, id: &str) {
        self.docker(&["rm", "-f", &self.stack.spec.game_container]);
        self.docker(&["rmi", "-f", &self.image]);
        assert!(!self.stack.docker().has_image(id), "it is gone");
    }
}

/// One bit of a file is another, until this is dropped.
struct Tampering {
    at: PathBuf,
    sound: Vec<u8>,
    modified: std::time::SystemTime,
}

impl Tampering {
    fn of(at: &Path) -> Self {
        let sound = fs::read(at).unwrap();
        let modified = fs::metadata(at).unwrap().modified().unwrap();
        let mut flipped = sound.clone();
        flipped[7] ^= 1;
        fs::write(at, flipped).unwrap();
        Self { at: at.to_owned(), sound, modified }
    }
}

impl Drop for Tampering {
    fn drop(&mut self) {
        fs::write(&self.at, &self.sound).unwrap();
        fs::File::options()
            .write(true)
            .open(&self.at)
            .unwrap()
            .set_modified(self.modified)
            .unwrap();
    }
}

fn noise(seed: usize, size: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64 ^ ((seed as u64) << 20);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..size).map(|_| next()).collect()
}

/// Everything about the files below a directory.
fn told(at: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, at: &Path, out: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            let mut capability = [0; 64];
            let link = fs::read_link(&path).ok();
            let capability = match link {
                Some(_) => Ok(0),
                None => rustix::fs::getxattr(&path, "security.capability", &mut capability[..]),
            };
            let capability = capability.unwrap_or(0);
            let content = meta.is_file().then(|| fs::read(&path).unwrap());
            let content = content.map(|bytes| {
                let sum = bytes
                    .iter()
                    .fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
                (bytes.len(), sum)
            });
            let links = if meta.is_dir() { 0 } else { meta.nlink() };
            let line = format!(
                "{:o} {}:{} {links} {} {link:?} {capability} {content:?}",
                meta.mode(),
                meta.uid(),
                meta.gid(),
                meta.mtime(),
            );
            out.insert(name, line);
            if meta.is_dir() {
                walk(root, &path, out);
            }
        }
    }
    let mut out = BTreeMap::new();
    walk(at, at, &mut out);
    out
}

/// Fails with what differs.
fn same(now: &BTreeMap<String, String>, before: &BTreeMap<String, String>) {
    let all: BTreeSet<_> = now.keys().chain(before.keys()).collect();
    let differing: Vec<_> = all
        .into_iter()
        .filter(|name| now.get(*name) != before.get(*name))
        .map(|name| (name, before.get(name), now.get(name)))
        .collect();
    assert!(differing.is_empty(), "{differing:#?}");
}

/// A game whose image is its own.
fn own(docker: &Docker, base: &str, name: &str) -> (StackSpec, Images) {
    let mut spec =
        StackSpec::private(name, base).unwrap().boot("1s").restart(Restart::UnlessStopped);
    let repository = format!("vigie-it/{}", spec.project);
    let image = format!("{repository}:v0.9-lab");
    Images::like(docker, base, &image);
    docker.text(["tag", &image, &base_of(&repository)]).unwrap();
    spec.game_image = image;
    (spec, Images { docker: docker.clone(), repository })
}

/// What the image of a test began as.
fn base_of(repository: &str) -> String {
    format!("{repository}:base")
}

fn whole_story(world: &World<'_>) {
    let base = &base_of(world.image.rsplit_once(':').unwrap().0);
    world.first_layer();
    world.fine(&["backup", "run", "image"]);
    let first = world.newest();
    let first_id = world.id();
    assert_eq!(first["image"], first_id.as_str());
    assert!(first["added"].as_u64().unwrap() > LARGE as u64, "{first}");
    let old_layer = world.top().join("srv/small-299");
    world.second_layer();
    let tampered = world.sees == Sees::Directories;
    // Whoever read it again would refuse it.
    let tampering = tampered.then(|| Tampering::of(&old_layer));
    let repository = world.image.rsplit_once(':').unwrap().0;
    let (stable, old) = (format!("{repository}:stable"), format!("{repository}:old"));
    world.docker(&["tag", &world.image, &stable]);
    world.docker(&["tag", &world.image, &old]);
    world.fine(&["backup", "run", "image"]);
    drop(tampering);
    let (second, id) = (world.newest(), world.id());
    assert_eq!(second["image"], id.as_str());
    assert!(second["bytes"].as_u64() > first["bytes"].as_u64(), "{second}");
    assert!(second["added"].as_u64().unwrap() < 500_000, "only the new layer: {second}");
    assert_eq!(world.kept_layers(), world.layers());
    let nothing_new = world.fine(&["backup", "run", "image"]);
    assert!(world.newest()["added"].as_u64().unwrap() < 20_000, "{nothing_new}");
    world.fine(&["backup", "verify", "--read-data", "100%"]);

    let (files, layers) = (told(&world.srv()), world.layers());
    assert!(files.len() > 300 && !files.contains_key("removed"), "{files:?}");
    world.docker(&["rmi", &old]);
    world.docker(&["tag", base, &stable]);
    world.remove(&id);
    let text = world.fine(&["backup", "restore", "image", "--in-place", "--yes"]);
    assert_eq!(world.id(), id, "the same digest under the same name");
    let called =
        |name: &str| world.docker(&["image", "inspect", "-f", "{{.Id}}", name]).trim().to_owned();
    assert_eq!(called(&old), id, "a name that nobody has is back");
    assert_eq!(called(&stable), called(base), "one that names another image stays there");
    assert!(text.contains(&format!("{stable} names another image by now")), "{text}");
    world.docker(&["rmi", &old]);
    assert_eq!(world.layers(), layers);
    world.again();
    same(&told(&world.srv()), &files);

    // An archive that the engine takes by itself.
    world.remove(&id);
    world.fine(&["backup", "restore", "image", "--to", "out"]);
    let archive = world.stack.dir().join("out/image.tar");
    world.docker(&["load", "-q", "-i", archive.to_str().unwrap()]);
    assert_eq!(world.id(), id);
    world.again();
    same(&told(&world.srv()), &files);
    forgotten(world, base, &layers);
}

/// What no backup needs goes, what one needs stays.
fn forgotten(world: &World<'_>, base: &str, before: &BTreeSet<String>) {
    world.docker(&["tag", base, &world.image]);
    world.again();
    world.fine(&["backup", "run", "image"]);
    assert_eq!(&world.kept_layers(), before, "all of them before it");
    world.fine(&["backup", "prune"]);
    let left = world.layers();
    assert!(left.len() < before.len());
    assert_eq!(world.kept_layers(), left, "only those of the last image");
    world.fine(&["backup", "verify", "--read-data", "100%"]);
    world.fine(&["backup", "restore", "image", "--to", "base"]);
    let archive = world.stack.dir().join("base/image.tar");
    let loaded = world.docker(&["load", "-i", archive.to_str().unwrap()]);
    assert!(loaded.contains(&world.image), "{loaded}");
}

#[test]
fn an_image_comes_back_with_its_digest() {
    let Some(lab) = docker_or_skip("backups of images") else { return };
    let base = lab.practice_image().unwrap();
    let (spec, _images) = own(lab.docker(), base, "it-image");
    let stack = lab.start(spec).unwrap();
    whole_story(&World::new(&stack, Sees::Directories));
}

#[test]
fn an_image_comes_back_from_an_engine_whose_directories_cannot_be_read() {
    let Some(lab) = docker_or_skip("backups of images as streams") else { return };
    let base = lab.practice_image().unwrap();
    let (spec, _images) = own(lab.docker(), base, "it-save");
    let stack = lab.start(spec).unwrap();
    whole_story(&World::new(&stack, Sees::Stream));
}

#[test]
fn an_image_comes_back_from_a_newer_engine_in_both_ways() {
    let Some(lab) = docker_or_skip("backups of images of a newer engine") else { return };
    let Some(program) = lab.facts().dockerd_new.clone() else {
        return skip("a newer engine", "backups of its images", "it was not made ready");
    };
    let base = lab.practice_image().unwrap();
    let engine = lab.engine_of(program, &[base], &[]).unwrap();
    for (sees, name) in [(Sees::Directories, "it-new"), (Sees::Stream, "it-new-save")] {
        let (spec, _images) = own(engine.docker(), base, name);
        let stack = lab.start_on(engine.docker(), spec).unwrap();
        whole_story(&World::new(&stack, sees));
    }
}

#[test]
fn a_layer_that_was_tampered_with_is_not_kept() {
    let Some(lab) = docker_or_skip("a tampered layer") else { return };
    let base = lab.practice_image().unwrap();
    let (spec, _images) = own(lab.docker(), base, "it-tampered");
    let stack = lab.start(spec).unwrap();
    let world = World::new(&stack, Sees::Directories);
    world.first_layer();
    let victim = world.top().join("srv/small-299");
    let tampering = Tampering::of(&victim);
    let (code, text) = world.run(&["backup", "run", "image"]);
    drop(tampering);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("are not those of the layer sha256:"), "{text}");
    assert_eq!(world.newest(), serde_json::Value::Null, "it does not count");
    let format = "{{index .RootFS.Layers 0}}";
    let lowest = world.docker(&["image", "inspect", "--format", format, base]);
    assert!(!world.kept_layers().is_superset(&world.layers()), "{lowest} may be, the other is not");
    world.fine(&["backup", "run", "image"]);
    assert_eq!(world.kept_layers(), world.layers());
}

#[test]
fn a_layer_whose_archive_the_engine_forgot_comes_back_with_the_same_files() {
    let Some(lab) = docker_or_skip("a layer without tar-split") else { return };
    let base = lab.practice_image().unwrap();
    let (spec, _images) = own(lab.docker(), base, "it-bare");
    let stack = lab.start(spec).unwrap();
    let world = World::new(&stack, Sees::Directories);
    world.first_layer();
    world.second_layer();
    let files = told(&world.srv());
    let id = world.id();
    // What the engine remembers of its highest layer, by the place of its files.
    let place = world.top().parent().unwrap().file_name().unwrap().to_owned();
    let layers = world.engine.join("image/overlay2/layerdb/sha256");
    let known = fs::read_dir(layers).unwrap().map(|entry| entry.unwrap().path());
    let mut known = known.filter(|at| {
        fs::read_to_string(at.join("cache-id")).is_ok_and(|text| text.trim() == place.as_os_str())
    });
    let split = known.next().unwrap().join("tar-split.json.gz");
    let aside = stack.dir().join("split");
    fs::copy(&split, &aside).unwrap();
    fs::remove_file(&split).unwrap();
    let kept = world.fine(&["backup", "run", "image"]);
    let again = world.fine(&["backup", "run", "image"]);
    fs::copy(&aside, &split).unwrap();
    assert!(kept.contains("under another digest"), "{kept}");
    assert!(world.newest()["added"].as_u64().unwrap() < 20_000, "{again}");
    let anew = world.newest()["image"].as_str().unwrap().to_owned();
    assert_ne!(anew, id);
    world.remove(&id);
    world.fine(&["backup", "restore", "image", "--in-place", "--yes"]);
    assert_eq!(world.id(), anew);
    world.again();
    same(&told(&world.srv()), &files);
}
