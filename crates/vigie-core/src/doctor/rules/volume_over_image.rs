//! Decides whether a mount covers the directory in which the image carries the game.

use super::Rule;
use crate::doctor::{About, Finding, Level, Project, Source};
use crate::stack::Role;

pub(super) const ABOUT: About = About {
    word: "volume-over-image",
    level: Level::Error,
    risks: &["R1", "R3"],
    why: [
        "a volume is filled once and never again: every later image is hidden behind it, and going back to an older tag changes nothing that players see",
        "un volume n'est rempli qu'une fois : il cache toutes les images suivantes, et revenir à un ancien tag ne change rien pour les joueurs",
    ],
    remedy: [
        "mount only what the game writes, such as …/garrysmod/data",
        "ne monter que ce que le jeu écrit, comme …/garrysmod/data",
    ],
};

/// Where images are known to keep the game.
const KNOWN: [&str; 5] = [
    "/home/gmod/server",
    "/home/gmod",
    "/server",
    "/home/steam/garrysmod",
    "/serverdata/serverfiles",
];
/// The directory that is the game, wherever it was put.
const GAME: &str = "/garrysmod";

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    for service in project.of(&[Role::Game]) {
        let mounts = service.mounts();
        let starts_in = service.image_facts().and_then(|facts| facts.directory.as_deref());
        for mount in &mounts {
            let target = mount.target.as_str();
            let game = [target, GAME].concat();
            let holds_game = mounts.iter().any(|other| {
                other.target == game || other.target.starts_with(&[&game, "/"].concat())
            });
            let known =
                KNOWN.contains(&target) || target.ends_with(GAME) || starts_in == Some(target);
            if !(holds_game || known) {
                continue;
            }
            let name = service.name;
            let what = match &mount.source {
                Source::Volume(Some(volume)) => (
                    format!("{name}: the volume {volume} covers {target}, which the image carries"),
                    format!("{name} : le volume {volume} couvre {target}, que l'image contient"),
                ),
                Source::Volume(None) => (
                    format!(
                        "{name}: a volume without a name covers {target}, which the image carries"
                    ),
                    format!("{name} : un volume sans nom couvre {target}, que l'image contient"),
                ),
                Source::Bind(path) => (
                    format!("{name}: {path} covers {target}, which the image carries"),
                    format!("{name} : {path} couvre {target}, que l'image contient"),
                ),
            };
            found.push(Rule::VolumeOverImage.at(&mount.at, service, what));
        }
    }
}
