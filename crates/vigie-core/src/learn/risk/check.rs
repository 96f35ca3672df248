//! Decides whether a mitigation is there: a closed set of checks, one function each.

use serde::{Deserialize, Serialize};

use super::{ContainerFacts, Facts, ServiceFacts};
use crate::respond::Text;
use crate::stack::Role;

/// A backup older than this protects nobody's last evening.
const OLD_SECONDS: u64 = 26 * 3_600;

/// The closed set of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The container has a restart policy.
    RestartPolicy,
    /// The image is in a registry, not only on this machine.
    ImageInRegistry,
    /// A recent backup exists.
    BackupAge,
    /// A service waits until what it depends on is healthy.
    OrderedStart,
    /// The database has a health check.
    DatabaseHealthcheck,
    /// The configuration is in git, and a remote has what is checked out.
    GitPushed,
    /// The container has a memory limit.
    MemoryLimit,
    /// The addon rejects floods of net messages.
    RateLimiting,
    /// The game works without its database.
    WorksWithoutDatabase,
}

/// Whether a mitigation is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is.
    Present,
    /// It is not.
    Missing,
    /// It cannot be seen.
    Unknown,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is there.
    pub state: State,
    /// What was seen, and for what is missing what to do.
    pub why: Text,
}

impl Verdict {
    fn new(state: State, en: String, fr: String) -> Self {
        Self { state, why: Text { en, fr: Some(fr) } }
    }

    fn say(state: State, en: &str, fr: &str) -> Self {
        Self::new(state, en.to_owned(), fr.to_owned())
    }
}

impl Check {
    /// The word used in configuration and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RestartPolicy => "restart_policy",
            Self::ImageInRegistry => "image_in_registry",
            Self::BackupAge => "backup_age",
            Self::OrderedStart => "ordered_start",
            Self::DatabaseHealthcheck => "database_healthcheck",
            Self::GitPushed => "git_pushed",
            Self::MemoryLimit => "memory_limit",
            Self::RateLimiting => "rate_limiting",
            Self::WorksWithoutDatabase => "works_without_database",
        }
    }

    /// Makes the check for the services of `role`.
    #[must_use]
    pub fn look(self, facts: &Facts, role: Option<Role>) -> Verdict {
        match self {
            Self::RestartPolicy => restart_policy(facts, role),
            Self::ImageInRegistry => image_in_registry(facts, role),
            Self::BackupAge => backup_age(facts),
            Self::OrderedStart => ordered_start(facts),
            Self::DatabaseHealthcheck => database_healthcheck(facts),
            Self::GitPushed => git_pushed(facts),
            Self::MemoryLimit => memory_limit(facts, role),
            Self::RateLimiting => Verdict::say(
                State::Unknown,
                "it is inside the addon; only what it rejects can be seen from here",
                "elle est dans l'addon ; seul ce qu'elle rejette se voit d'ici",
            ),
            Self::WorksWithoutDatabase => Verdict::say(
                State::Unknown,
                "it only shows while the database is missing",
                "cela ne se voit que lorsque la base manque",
            ),
        }
    }
}

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
            Err(why) => unseen.push(format!("{}: {why}", service.name)),
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
        return Verdict::new(State::Unknown, unseen.join("; "), unseen.join(" ; "));
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

fn restart_policy(facts: &Facts, role: Option<Role>) -> Verdict {
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

fn image_in_registry(facts: &Facts, role: Option<Role>) -> Verdict {
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

fn memory_limit(facts: &Facts, role: Option<Role>) -> Verdict {
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

fn database_healthcheck(facts: &Facts) -> Verdict {
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

fn ordered_start(facts: &Facts) -> Verdict {
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

fn git_pushed(facts: &Facts) -> Verdict {
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

fn backup_age(facts: &Facts) -> Verdict {
    match &facts.backup_age {
        Err(why) => Verdict::say(State::Unknown, why, why),
        Ok(None) => Verdict::say(
            State::Missing,
            "no backups yet: not configured",
            "pas encore de sauvegardes : non configurées",
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
