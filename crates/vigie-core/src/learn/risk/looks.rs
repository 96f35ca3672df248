//! Decides, one function a check, whether a mitigation is there. One flaw is enough to miss it; what
//! cannot be looked at leaves it open, and says why.

use super::{ContainerFacts, Facts, ServiceFacts, State, Verdict};
use crate::stack::Role;

/// A backup older than this protects nobody's last evening.
const OLD_SECONDS: u64 = 26 * 3_600;

/// What is wrong with one service, or nothing.
type Flaw = Option<(String, String)>;

/// Looks at each service: one flaw is enough, one that cannot be looked at leaves it open.
fn each<'a>(
    services: impl Iterator<Item = &'a ServiceFacts>,
    good: (&str, &str),
    flaw: impl Fn(&'a ServiceFacts) -> Result<Flaw, &'a String>,
) -> Verdict {
    let (mut flaws, mut unseen, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for service in services {
        names.push(service.name.as_str());
        match flaw(service) {
            Ok(None) => {}
            Ok(Some(wrong)) => flaws.push(wrong),
            Err(why) => {
                unseen.push((
                    format!("{}: {why}", service.name),
                    format!("{} : {why}", service.name),
                ));
            }
        }
    }
    if names.is_empty() {
        let (en, fr) = ("no such service is watched", "aucun service de ce genre n'est surveillé");
        return Verdict::say(State::Unknown, en, fr);
    }
    if !flaws.is_empty() {
        let (en, fr): (Vec<_>, Vec<_>) = flaws.into_iter().unzip();
        return Verdict::new(State::Missing, en.join("; "), fr.join(" ; "));
    }
    if !unseen.is_empty() {
        let (en, fr): (Vec<_>, Vec<_>) = unseen.into_iter().unzip();
        return Verdict::new(State::Unknown, en.join("; "), fr.join(" ; "));
    }
    let names = names.join(", ");
    Verdict::new(State::Present, format!("{names}: {}", good.0), format!("{names} : {}", good.1))
}

fn containers(
    facts: &Facts,
    role: Option<Role>,
    good: (&str, &str),
    flaw: impl Fn(&str, &ContainerFacts) -> Flaw,
) -> Verdict {
    each(facts.of_role(role), good, |service| {
        service.container.as_ref().map(|seen| flaw(&service.name, seen))
    })
}

pub(super) fn restart_policy(facts: &Facts, role: Option<Role>) -> Verdict {
    let good = ("a restart policy is set", "une politique de redémarrage est définie");
    containers(facts, role, good, |name, seen| {
        matches!(seen.restart.as_str(), "" | "no").then(|| {
            (
                format!("{name} has none; write restart: unless-stopped"),
                format!("{name} n'en a pas ; écrire restart: unless-stopped"),
            )
        })
    })
}

pub(super) fn image_in_registry(facts: &Facts, role: Option<Role>) -> Verdict {
    let good = ("the image is in a registry", "l'image est dans un registre");
    containers(facts, role, good, |name, seen| {
        let image = &seen.image;
        seen.digests.is_empty().then(|| {
            (
                format!("{name}: {image} is only on this machine; push it to a registry"),
                format!(
                    "{name} : {image} n'est que sur cette machine ; l'envoyer dans un registre"
                ),
            )
        })
    })
}

pub(super) fn memory_limit(facts: &Facts, role: Option<Role>) -> Verdict {
    let good = ("a memory limit is set", "une limite de mémoire est définie");
    containers(facts, role, good, |name, seen| {
        seen.memory_limit.is_none().then(|| {
            (
                format!("{name} has none; write mem_limit"),
                format!("{name} n'en a pas ; écrire mem_limit"),
            )
        })
    })
}

pub(super) fn database_healthcheck(facts: &Facts) -> Verdict {
    let good = ("a health check runs", "un healthcheck tourne");
    containers(facts, Some(Role::Database), good, |name, seen| {
        (!seen.healthcheck).then(|| {
            (
                format!("{name} has none; write a healthcheck that logs in"),
                format!("{name} n'en a pas ; écrire un healthcheck qui se connecte"),
            )
        })
    })
}

pub(super) fn ordered_start(facts: &Facts) -> Verdict {
    let depends = |one: &&ServiceFacts| {
        one.role == Role::Game || one.built.as_ref().is_ok_and(|built| !built.depends_on.is_empty())
    };
    let good =
        ("starts when what it needs is healthy", "démarre quand ses dépendances sont saines");
    let databases: Vec<&str> =
        facts.of_role(Some(Role::Database)).map(|one| one.name.as_str()).collect();
    each(facts.services.iter().filter(depends), good, |service| {
        let built = service.built.as_ref()?;
        let (name, mut needs) = (&service.name, built.depends_on.iter());
        if built.depends_on.is_empty() && !databases.is_empty() {
            let needed = databases.join(", ");
            return Ok(Some((
                format!("{name} waits for nothing; write depends_on {needed}"),
                format!("{name} n'attend rien ; écrire depends_on {needed}"),
            )));
        }
        Ok(needs.find(|(_, healthy)| !healthy).map(|(needed, _)| {
            (
                format!("{name} does not wait for {needed}; write condition: service_healthy"),
                format!("{name} n'attend pas {needed} ; écrire condition: service_healthy"),
            )
        }))
    })
}

pub(super) fn git_pushed(facts: &Facts) -> Verdict {
    match &facts.git {
        Err(why) => Verdict::say(State::Unknown, why, why),
        Ok(None) => Verdict::say(
            State::Missing,
            "the directory is in no git repository; git init",
            "le dossier n'est dans aucun dépôt git ; git init",
        ),
        Ok(Some(git)) if git.remotes.is_empty() => Verdict::say(
            State::Missing,
            "the repository has no remote; git remote add",
            "le dépôt n'a pas de dépôt distant ; git remote add",
        ),
        Ok(Some(git)) if !git.pushed => Verdict::say(
            State::Missing,
            "no remote has the commit that is checked out; git push",
            "aucun dépôt distant n'a le commit en place ; git push",
        ),
        Ok(Some(git)) => {
            let remotes = git.remotes.join(", ");
            let (en, fr) =
                (format!("pushed to {remotes}"), format!("le commit est poussé ({remotes})"));
            Verdict::new(State::Present, en, fr)
        }
    }
}

pub(super) fn backup_age(facts: &Facts) -> Verdict {
    match &facts.backup_age {
        Err(why) => Verdict::say(State::Unknown, why, why),
        Ok(None) => Verdict::say(
            State::Missing,
            "no backup yet: [backup] in vigie.toml, then `vigie backup run`",
            "pas encore de sauvegarde : [backup] dans vigie.toml, puis `vigie backup run`",
        ),
        Ok(Some(seconds)) => {
            let state = if *seconds > OLD_SECONDS { State::Missing } else { State::Present };
            let hours = seconds / 3_600;
            let (en, fr) =
                (format!("the last is {hours} h old"), format!("la dernière a {hours} h"));
            Verdict::new(state, en, fr)
        }
    }
}
