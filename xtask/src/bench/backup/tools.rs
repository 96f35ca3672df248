//! The programs that are compared, each with what people would type: how it begins, keeps and brings back
//! a tree and an image.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use vigie_testkit::lab::{Stack, run};

/// The password of every repository.
const PASSWORD: &str = "benchmark";

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A directory.
    Tree,
    /// An image of the engine.
    Image,
}

/// What keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Vigie,
    Restic,
    Borg,
    /// `tar | zstd -3`, for trees.
    Zstd,
    /// `docker save | gzip`, for images.
    Gzip,
}

impl Tool {
    /// Those that keep such a thing.
    pub(super) const fn of(what: What) -> [Self; 4] {
        match what {
            What::Tree => [Self::Vigie, Self::Restic, Self::Borg, Self::Zstd],
            What::Image => [Self::Vigie, Self::Restic, Self::Borg, Self::Gzip],
        }
    }

    pub(super) const fn name(self, what: What) -> &'static str {
        match (self, what) {
            (Self::Vigie, _) => "vigie",
            (Self::Restic, What::Tree) => "restic",
            (Self::Restic, What::Image) => "docker save, restic",
            (Self::Borg, What::Tree) => "borg",
            (Self::Borg, What::Image) => "docker save, borg",
            (Self::Zstd, _) => "tar, zstd -3",
            (Self::Gzip, _) => "docker save, gzip",
        }
    }
}

/// Where everything is.
pub(super) struct Tools<'a> {
    pub(super) vigie: PathBuf,
    pub(super) restic: PathBuf,
    pub(super) stack: &'a Stack,
    /// The tree that is kept.
    pub(super) tree: PathBuf,
    /// What `vigie.toml` was before it had a site.
    pub(super) config: String,
}

impl Tools<'_> {
    /// Makes an empty repository in `room`.
    pub(super) fn begin(&self, tool: Tool, room: &Path) -> Result<()> {
        fs::create_dir_all(room.join("repo")).with_context(|| format!("cannot make {room:?}"))?;
        match tool {
            Tool::Vigie => {
                let (repo, password) = (room.join("repo"), room.join("password"));
                fs::write(&password, PASSWORD)?;
                let text = format!(
                    "{}\n[backup]\npassword = {{ file = {password:?} }}\n[backup.site.disk]\nlocal = {repo:?}\n",
                    self.config
                );
                fs::write(self.stack.dir().join("vigie.toml"), text)?;
                // What an earlier round remembers is not what is measured.
                let known = self.stack.dir().join(".vigie/backup");
                if known.exists() {
                    fs::remove_dir_all(known)?;
                }
                run::quiet(&mut self.own(["backup", "init"]))
            }
            Tool::Restic => run::quiet(self.command(&self.restic, room).arg("init")),
            Tool::Borg => {
                let mut command = self.command(Path::new("borg"), room);
                run::quiet(command.args(["init", "--encryption", "repokey-blake2"]))
            }
            Tool::Zstd | Tool::Gzip => Ok(()),
        }
    }

    /// Keeps it for the `turn`-th time.
    pub(super) fn keep(&self, tool: Tool, what: What, room: &Path, turn: u32) -> Command {
        let image = &self.stack.spec.game_image;
        match (tool, what) {
            (Tool::Vigie, What::Tree) => self.own(["backup", "run", &self.volume()]),
            (Tool::Vigie, What::Image) => self.own(["backup", "run", "image"]),
            (Tool::Restic, What::Tree) => {
                let mut command = self.command(&self.restic, room);
                command.arg("backup").arg(&self.tree);
                command
            }
            (Tool::Restic, What::Image) => {
                let script =
                    "docker save \"$1\" | \"$2\" backup --stdin --stdin-filename image.tar";
                self.shell(room, script, &[image.as_ref(), self.restic.as_os_str()])
            }
            (Tool::Borg, What::Tree) => {
                let mut command = self.command(Path::new("borg"), room);
                command.args(["create", "--compression", "zstd,3"]).arg(format!("::turn-{turn}"));
                command.arg(&self.tree);
                command
            }
            (Tool::Borg, What::Image) => {
                let script = "docker save \"$1\" | borg create --compression zstd,3 \"::$2\" -";
                self.shell(room, script, &[image.as_ref(), format!("turn-{turn}").as_ref()])
            }
            (Tool::Zstd | Tool::Gzip, What::Tree) => {
                let script = "tar -C \"$1\" -c . | zstd -q -3 > \"$2\"";
                self.shell(room, script, &[self.tree.as_os_str(), archive(room, turn).as_ref()])
            }
            (Tool::Zstd | Tool::Gzip, What::Image) => {
                let script = "docker save \"$1\" | gzip > \"$2\"";
                self.shell(room, script, &[image.as_ref(), archive(room, turn).as_ref()])
            }
        }
    }

    /// Brings the `turn`-th back: the tree into `to`, the image into the engine.
    pub(super) fn restore(
        &self,
        tool: Tool,
        what: What,
        room: &Path,
        turn: u32,
        to: &Path,
    ) -> Command {
        let into = to.as_os_str();
        let name = format!("turn-{turn}");
        match (tool, what) {
            (Tool::Vigie, What::Tree) => {
                let mut command = self.own(["backup", "restore", &self.volume(), "--to"]);
                command.arg(to);
                command
            }
            (Tool::Vigie, What::Image) => {
                self.own(["backup", "restore", "image", "--in-place", "--yes"])
            }
            (Tool::Restic, What::Tree) => {
                let mut command = self.command(&self.restic, room);
                command.args(["restore", "latest", "--target"]).arg(to);
                command
            }
            (Tool::Restic, What::Image) => {
                let script = "\"$1\" dump latest image.tar | docker load -q";
                self.shell(room, script, &[self.restic.as_os_str()])
            }
            (Tool::Borg, What::Tree) => {
                let script = "mkdir -p \"$1\" && cd \"$1\" && borg extract \"::$2\"";
                self.shell(room, script, &[into, name.as_ref()])
            }
            (Tool::Borg, What::Image) => {
                let script = "borg extract --stdout \"::$1\" | docker load -q";
                self.shell(room, script, &[name.as_ref()])
            }
            (Tool::Zstd | Tool::Gzip, What::Tree) => {
                let script = "mkdir -p \"$2\" && zstd -q -d < \"$1\" | tar -C \"$2\" -x";
                self.shell(room, script, &[archive(room, turn).as_ref(), into])
            }
            (Tool::Zstd | Tool::Gzip, What::Image) => {
                let script = "gzip -d < \"$1\" | docker load -q";
                self.shell(room, script, &[archive(room, turn).as_ref()])
            }
        }
    }

    /// Brings the archive of the `turn`-th image back into the directory `to`, and not into the engine.
    pub(super) fn archive(&self, tool: Tool, room: &Path, turn: u32, to: &Path) -> Command {
        let into = to.as_os_str();
        match tool {
            Tool::Vigie => {
                let mut command = self.own(["backup", "restore", "image", "--to"]);
                command.arg(to);
                command
            }
            Tool::Restic => {
                let mut command = self.command(&self.restic, room);
                command.args(["restore", "latest", "--target"]).arg(to);
                command
            }
            Tool::Borg => {
                let script = "mkdir -p \"$1\" && cd \"$1\" && borg extract \"::$2\"";
                self.shell(room, script, &[into, format!("turn-{turn}").as_ref()])
            }
            Tool::Zstd | Tool::Gzip => {
                let script = "mkdir -p \"$2\" && gzip -d < \"$1\" > \"$2/image.tar\"";
                self.shell(room, script, &[archive(room, turn).as_ref(), into])
            }
        }
    }

    fn volume(&self) -> String {
        format!("volume:{}_gmod-server-data", self.stack.spec.project)
    }

    pub(super) fn own<'b>(&self, words: impl IntoIterator<Item = &'b str>) -> Command {
        let mut command = Command::new(&self.vigie);
        self.stack.docker().point(&mut command);
        command.current_dir(self.stack.dir()).args(words);
        command
    }

    fn command(&self, program: &Path, room: &Path) -> Command {
        let mut command = Command::new(program);
        self.stack.docker().point(&mut command);
        let repo = room.join("repo");
        command.env("RESTIC_PASSWORD", PASSWORD).env("RESTIC_REPOSITORY", &repo);
        command.env("RESTIC_CACHE_DIR", room.join("cache"));
        command.env("BORG_PASSPHRASE", PASSWORD).env("BORG_REPO", &repo);
        command.env("BORG_BASE_DIR", room.join("cache"));
        command
    }

    fn shell(&self, room: &Path, script: &str, words: &[&OsStr]) -> Command {
        let mut command = self.command(Path::new("bash"), room);
        command.args(["-c", &format!("set -o pipefail; {script}"), "bench"]).args(words);
        command
    }
}

fn archive(room: &Path, turn: u32) -> PathBuf {
    room.join("repo").join(format!("turn-{turn}"))
}
