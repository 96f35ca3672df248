//! Decides which volumes are filled when a stack is recovered, and says what becomes of the others: those
//! whose files are not on this host, and those that are not the project's own.

use std::path::Path;

use vigie_core::drift::{Declared, Keeping, Layout};

/// Why a volume is made and not filled; nothing for one that is filled.
pub(super) fn unfilled(volume: &Declared) -> Option<String> {
    let name = &volume.name;
    match volume.keeping() {
        Keeping::Own | Keeping::Directory(_) => None,
        Keeping::Memory => Some(format!("{name} is in memory: it begins empty")),
        Keeping::Elsewhere(kind) => Some(format!(
            "{name} is not on this host ({kind}): it is used as it is there, and the backup is not played \
             over it; to look at it: vigie backup restore volume:{name} --to DIR"
        )),
    }
}

/// What a person should know of a volume before it is made.
pub(super) fn note(volume: &Declared) -> Option<String> {
    let external = volume.external.then(|| {
        format!(
            "{} is no volume of the project's own (external): where there is none, a plain one is made; if it \
             had a driver or options, make it first: docker volume create",
            volume.name
        )
    });
    unfilled(volume).or(external)
}

/// Writes where directories of volumes are that are in the project, which was read in `from` and comes
/// into `to`.
pub(super) fn move_to(layout: &mut Layout, from: &Path, to: &Path) {
    for volume in &mut layout.volumes {
        let Some(device) = volume.options.get_mut("device") else { continue };
        if let Ok(inside) = Path::new(device.as_str()).strip_prefix(from) {
            *device = to.join(inside).display().to_string();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(options: &[(&str, &str)], external: bool) -> Declared {
        let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Declared {
            key: String::from("data"),
            name: String::from("town_data"),
            external,
            driver: None,
            options: options.collect(),
        }
    }

    #[test]
    fn what_is_not_filled_is_said() {
        let bind = [("type", "none"), ("o", "bind"), ("device", "/stage/town/data")];
        let own = volume(&bind, false);
        assert_eq!((unfilled(&own), note(&own)), (None, None));
        assert!(note(&volume(&[], true)).unwrap().contains("docker volume create"));
        assert!(unfilled(&volume(&[("type", "tmpfs")], false)).unwrap().contains("begins empty"));
        let far = volume(&[("type", "nfs"), ("device", ":/x")], false);
        assert!(unfilled(&far).unwrap().contains("not on this host (nfs)"));
        let mut layout = Layout { volumes: vec![own, far], ..Layout::default() };
        move_to(&mut layout, Path::new("/stage/town"), Path::new("/srv/town"));
        assert_eq!(layout.volumes[0].options["device"], "/srv/town/data");
        assert_eq!(layout.volumes[1].options["device"], ":/x");
    }
}
