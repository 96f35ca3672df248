//! Each check on a stack that has the mitigation, one that does not, and one that cannot be seen.

use super::*;

fn container() -> ContainerFacts {
    ContainerFacts {
        restart: String::from("unless-stopped"),
        memory_limit: Some(3 << 30),
        healthcheck: true,
        image: String::from("ghcr.io/x/gmod:1"),
        digests: vec![String::from("ghcr.io/x/gmod@sha256:0")],
    }
}

fn service(name: &str, role: Role) -> ServiceFacts {
    let depends_on = match role {
        Role::Game => vec![(String::from("mysql"), true)],
        Role::Database | Role::Other => Vec::new(),
    };
    let name = name.to_owned();
    ServiceFacts { name, role, container: Ok(container()), built: Ok(BuiltFacts { depends_on }) }
}

fn good() -> Facts {
    Facts {
        services: vec![service("gmod", Role::Game), service("mysql", Role::Database)],
        git: Ok(Some(GitFacts { remotes: vec![String::from("origin")], pushed: true })),
        backup_age: Ok(Some(3_600)),
    }
}

const SEEN: [Check; 7] = [
    Check::RestartPolicy,
    Check::ImageInRegistry,
    Check::BackupAge,
    Check::OrderedStart,
    Check::DatabaseHealthcheck,
    Check::GitPushed,
    Check::MemoryLimit,
];

fn told(facts: &Facts) -> Vec<String> {
    let tell = |check: &Check| {
        let verdict = check.look(facts, None);
        assert!(verdict.why.fr.is_some_and(|fr| !fr.is_empty()));
        format!("{:?} {}: {}", verdict.state, check.word(), verdict.why.en)
    };
    SEEN.iter().map(tell).collect()
}

#[test]
fn a_good_stack_has_them_all() {
    insta::assert_snapshot!(told(&good()).join("\n"), @r"
    Present restart_policy: gmod, mysql: a restart policy is set
    Present image_in_registry: gmod, mysql: the image is in a registry
    Present backup_age: the last is 1 h old
    Present ordered_start: gmod: starts when what it needs is healthy
    Present database_healthcheck: mysql: a health check runs
    Present git_pushed: pushed to origin
    Present memory_limit: gmod, mysql: a memory limit is set
    ");
}

#[test]
fn a_bad_stack_is_told_what_to_do() {
    let mut facts = good();
    for one in &mut facts.services {
        let image = format!("local/{}", one.name);
        let restart = String::from("no");
        one.container = Ok(ContainerFacts { restart, image, ..ContainerFacts::default() });
        if let Ok(built) = &mut one.built {
            built.depends_on.iter_mut().for_each(|(_, healthy)| *healthy = false);
        }
    }
    facts.git = Ok(Some(GitFacts { remotes: vec![String::from("origin")], pushed: false }));
    facts.backup_age = Ok(None);
    insta::assert_snapshot!(told(&facts).join("\n"), @r"
    Missing restart_policy: gmod has none; write restart: unless-stopped; mysql has none; write restart: unless-stopped
    Missing image_in_registry: gmod: local/gmod is only on this machine; push it to a registry; mysql: local/mysql is only on this machine; push it to a registry
    Missing backup_age: no backup yet: [backup] in vigie.toml, then `vigie backup run`
    Missing ordered_start: gmod does not wait for mysql; write condition: service_healthy
    Missing database_healthcheck: mysql has none; write a healthcheck that logs in
    Missing git_pushed: no remote has the commit that is checked out; git push
    Missing memory_limit: gmod has none; write mem_limit; mysql has none; write mem_limit
    ");
}

#[test]
fn what_cannot_be_seen_says_why_and_a_flaw_outweighs_it() {
    let mut facts = good();
    facts.services[0].container = Err(String::from("docker cannot be reached"));
    facts.git = Err(String::from("git does not answer"));
    let seen = Check::RestartPolicy.look(&facts, Some(Role::Game));
    assert_eq!(
        (seen.state, seen.why.en.as_str()),
        (State::Unknown, "gmod: docker cannot be reached")
    );
    assert_eq!(Check::GitPushed.look(&facts, None).state, State::Unknown);
    facts.services[1].container = Ok(ContainerFacts::default());
    assert_eq!(Check::RestartPolicy.look(&facts, None).state, State::Missing);
    facts.services.clear();
    assert_eq!(Check::DatabaseHealthcheck.look(&facts, None).state, State::Unknown);
}

#[test]
fn repositories_without_remote_and_no_repository_are_missing() {
    let mut facts = good();
    facts.git = Ok(Some(GitFacts { remotes: Vec::new(), pushed: false }));
    assert!(Check::GitPushed.look(&facts, None).why.en.contains("no remote;"));
    facts.git = Ok(None);
    assert!(Check::GitPushed.look(&facts, None).why.en.contains("git init"));
    facts.backup_age = Ok(Some(100 * 3_600));
    assert_eq!(Check::BackupAge.look(&facts, None).state, State::Missing);
}

#[test]
fn the_worst_risks_need_their_mitigations_and_own_ones_take_their_place() {
    let text = |en: &str| Text { en: en.to_owned(), fr: None };
    let shipped = Risk {
        id: String::from("R1"),
        title: text("crash"),
        probability: Probability::Medium,
        impact: Impact::Critical,
        mitigation: text("restart"),
        role: Some(Role::Game),
        symptoms: vec![SymptomKind::Down, SymptomKind::Frozen],
        checks: vec![Check::RestartPolicy, Check::RateLimiting],
    };
    let mut facts = good();
    assert!(!shipped.is_open(&shipped.look(&facts)), "what cannot be seen is not missing");
    facts.services[0].container = Ok(ContainerFacts::default());
    assert!(shipped.is_open(&shipped.look(&facts)));
    let milder = Risk { impact: Impact::High, ..shipped.clone() };
    assert_eq!(milder.gravity(), Severity::P2);
    assert!(!milder.is_open(&milder.look(&facts)));
    let other = Risk { id: String::from("R9"), ..shipped.clone() };
    let all = matrix(vec![shipped], &[other.clone(), milder.clone()]);
    assert_eq!(all, [milder, other]);
    assert_eq!(all[0].bits(), SymptomKind::Down.bit() | SymptomKind::Frozen.bit());
}
