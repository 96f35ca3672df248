//! Decides how `vigie backup` tells of what it did, in the language of the stack. Prints nothing.

use crate::config::Lang;

/// The head of the list of backups.
pub(super) const fn head(lang: Lang) -> [&'static str; 6] {
    match lang {
        Lang::En => ["ASSET", "MADE (UTC)", "AGE", "FILES", "SIZE", "ADDED"],
        Lang::Fr => ["ÉLÉMENT", "FAITE (UTC)", "ÂGE", "FICHIERS", "TAILLE", "AJOUTÉ"],
    }
}

/// That there is none.
pub(super) fn none(site: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("no backup at {site}; the first one: vigie backup run"),
        Lang::Fr => format!("aucune sauvegarde sur {site} ; la première : vigie backup run"),
    }
}

/// Which moments a database can go to.
pub(super) fn span(name: &str, since: &str, until: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{name} can go to any second from {since} to {until}"),
        Lang::Fr => format!("{name} peut revenir à toute seconde du {since} au {until}"),
    }
}

/// A backup that was made: its sizes and how long it took.
pub(super) fn kept(name: &str, bytes: &str, added: &str, took: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("kept {name}: {bytes}, {added} new, in {took}"),
        Lang::Fr => format!("sauvegardé {name} : {bytes}, dont {added} de nouveau, en {took}"),
    }
}

/// A backup that was brought back.
pub(super) fn restored(name: &str, place: &str, took: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{name} is in {place}, after {took}"),
        Lang::Fr => format!("{name} est dans {place}, après {took}"),
    }
}

/// Restore points that were brought back beside the stack.
pub(super) fn points(names: &str, took: &str, lang: Lang) -> String {
    match lang {
        Lang::En => {
            format!("restore points are back after {took}: {names}; see: vigie snapshot list")
        }
        Lang::Fr => {
            format!(
                "points de restauration de retour après {took} : {names} ; voir : vigie snapshot list"
            )
        }
    }
}

/// How to undo that.
pub(super) fn undo(before: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("to undo it: vigie backup restore {before} --in-place"),
        Lang::Fr => format!("pour revenir en arrière : vigie backup restore {before} --in-place"),
    }
}

/// A drill that worked, and whether it has met its targets.
pub(super) fn drilled(name: &str, took: &str, age: &str, is_well: bool, lang: Lang) -> String {
    let (met, french) = match is_well {
        true => (", both within their targets", ", tous deux dans leurs objectifs"),
        false => ("", ""),
    };
    match lang {
        Lang::En => format!("{name}: back after {took}, {age} old{met}"),
        Lang::Fr => format!("{name} : de retour après {took}, âge {age}{french}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_told_in_both_languages() {
        let told = |lang| {
            [
                kept("project", "2.0 MiB", "1.0 kiB", "1.2 s", lang),
                restored("project", "/tmp/p", "1.2 s", lang),
                points("v1.0-a, v1.1-b (was there)", "1.2 s", lang),
                undo("files:addons@2026-11-22T20:14:03Z", lang),
                drilled("project", "1.2 s", "3 h 2 min", false, lang),
                drilled("stack", "1.2 s", "3 h 2 min", true, lang),
                span("database:x", "2026-11-22 18:00:04", "2026-11-22 20:31:40", lang),
                none("near", lang),
            ]
            .join("\n")
        };
        insta::assert_snapshot!(format!("{}\n\n{}", told(Lang::En), told(Lang::Fr)), @r"
        kept project: 2.0 MiB, 1.0 kiB new, in 1.2 s
        project is in /tmp/p, after 1.2 s
        restore points are back after 1.2 s: v1.0-a, v1.1-b (was there); see: vigie snapshot list
        to undo it: vigie backup restore files:addons@2026-11-22T20:14:03Z --in-place
        project: back after 1.2 s, 3 h 2 min old
        stack: back after 1.2 s, 3 h 2 min old, both within their targets
        database:x can go to any second from 2026-11-22 18:00:04 to 2026-11-22 20:31:40
        no backup at near; the first one: vigie backup run

        sauvegardé project : 2.0 MiB, dont 1.0 kiB de nouveau, en 1.2 s
        project est dans /tmp/p, après 1.2 s
        points de restauration de retour après 1.2 s : v1.0-a, v1.1-b (was there) ; voir : vigie snapshot list
        pour revenir en arrière : vigie backup restore files:addons@2026-11-22T20:14:03Z --in-place
        project : de retour après 1.2 s, âge 3 h 2 min
        stack : de retour après 1.2 s, âge 3 h 2 min, tous deux dans leurs objectifs
        database:x peut revenir à toute seconde du 2026-11-22 18:00:04 au 2026-11-22 20:31:40
        aucune sauvegarde sur near ; la première : vigie backup run
        ");
    }
}
