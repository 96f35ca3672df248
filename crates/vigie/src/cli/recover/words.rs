//! Decides what `vigie recover` says on the terminal, in the language of the stack that comes back. Asks
//! nobody and prints nothing.

use crate::config::Lang;

/// What it does, before it is done.
pub(super) fn intention(stack: &str, to: &str, resumes: bool, lang: Lang) -> String {
    match (lang, resumes) {
        (Lang::En, false) => format!("this brings back the stack {stack} in {to}:"),
        (Lang::En, true) => format!("this goes on with the stack {stack} in {to}:"),
        (Lang::Fr, false) => format!("ceci ramène la pile {stack} dans {to} :"),
        (Lang::Fr, true) => format!("ceci poursuit la reprise de la pile {stack} dans {to} :"),
    }
}

/// The heads of its three tables: the backups, the steps, the assets.
pub(super) const fn heads(lang: Lang) -> ([&'static str; 4], [&'static str; 3], [&'static str; 3]) {
    match lang {
        Lang::En => (
            ["ASSET", "MADE (UTC)", "AGE", "SIZE"],
            ["STEP", "TOOK", ""],
            ["ASSET", "AS OF (UTC)", "LOST AT MOST (RPO)"],
        ),
        Lang::Fr => (
            ["ÉLÉMENT", "FAITE (UTC)", "ÂGE", "TAILLE"],
            ["ÉTAPE", "DURÉE", ""],
            ["ÉLÉMENT", "ÉTAT DU (UTC)", "PERTE AU PLUS (RPO)"],
        ),
    }
}

/// The steps that are left.
pub(super) fn steps(left: &[&str], lang: Lang) -> String {
    let left = left.join(", ");
    match lang {
        Lang::En => format!("steps: {left}"),
        Lang::Fr => format!("étapes : {left}"),
    }
}

/// Something worth knowing.
pub(super) fn note(text: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("note: {text}"),
        Lang::Fr => format!("remarque : {text}"),
    }
}

/// Whether it shall be done.
pub(super) const fn question(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "do it? [y/N] ",
        Lang::Fr => "le faire ? [o/N] ",
    }
}

/// Why nothing was done.
pub(super) const fn no_yes(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "nothing was changed; say yes, or give --yes where nobody can be asked",
        Lang::Fr => {
            "rien n'a été changé ; répondez oui, ou donnez --yes là où personne ne peut répondre"
        }
    }
}

/// That it worked: how long it took, and what is lost at most.
pub(super) fn done(stack: &str, rto: &str, rpo: &str, resumed: u32, lang: Lang) -> String {
    let again = match (lang, resumed) {
        (_, 0) => String::new(),
        (Lang::En, 1) => String::from(", interrupted once"),
        (Lang::En, times) => format!(", interrupted {times} times"),
        (Lang::Fr, times) => format!(", interrompue {times} fois"),
    };
    match lang {
        Lang::En => format!("{stack} answers as players see it: RTO {rto}{again}, RPO {rpo}"),
        Lang::Fr => {
            format!("{stack} répond comme les joueurs le voient : RTO {rto}{again}, RPO {rpo}")
        }
    }
}

/// What to do then.
pub(super) fn next(to: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("next: vigie --config {to}/vigie.toml watch"),
        Lang::Fr => format!("ensuite : vigie --config {to}/vigie.toml watch"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_told_in_the_stacks_language() {
        let told = |lang| {
            let first = intention("town", "/srv/town", true, lang);
            let last = done("town", "1 min 2 s", "38.0 s", 1, lang);
            format!(
                "{first}\n{}\n{last}\n{}",
                steps(&["project", "start gmod"], lang),
                next("/srv/town", lang)
            )
        };
        assert_eq!(
            told(Lang::En),
            "this goes on with the stack town in /srv/town:\nsteps: project, start gmod\ntown answers as players \
             see it: RTO 1 min 2 s, interrupted once, RPO 38.0 s\nnext: vigie --config /srv/town/vigie.toml watch"
        );
        assert_eq!(
            told(Lang::Fr),
            "ceci poursuit la reprise de la pile town dans /srv/town :\nétapes : project, start gmod\ntown répond \
             comme les joueurs le voient : RTO 1 min 2 s, interrompue 1 fois, RPO 38.0 s\nensuite : vigie --config \
             /srv/town/vigie.toml watch"
        );
    }
}
