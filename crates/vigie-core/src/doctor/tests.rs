//! Every rule on what it has to find and on what it has to leave alone.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::compose::{Document, Dotenv};

fn source(path: &str, text: &str) -> SourceText {
    SourceText { path: path.to_owned(), text: text.to_owned() }
}

fn compose(path: &str, text: &str) -> ComposeText {
    ComposeText { path: path.to_owned(), document: Document::parse(text).unwrap() }
}

/// A project of one file.
fn project(text: &str) -> Facts {
    Facts { files: vec![compose("compose.yaml", text)], today: (2026, 11), ..Facts::default() }
}

/// The places at which `rule` finds something.
fn found(facts: &Facts, rule: Rule) -> Vec<String> {
    let findings = diagnose(facts).findings.into_iter().filter(|finding| finding.rule == rule);
    findings.map(|one| format!("{}:{}:{}", one.file, one.place.line, one.place.column)).collect()
}

fn count(text: &str, rule: Rule) -> usize {
    found(&project(text), rule).len()
}

/// Rules that a compose file alone shows: what is found, and what is not.
const CASES: &[(Rule, &[&str], &[&str])] = &[
    (
        Rule::VolumeOverImage,
        &[
            "services: {gmod: {image: gmod, volumes: ['data:/home/gmod/server']}}",
            "services: {gmod: {image: gmod, volumes: ['data:/srv/x', './a:/srv/x/garrysmod/addons']}}",
            "services: {gmod: {image: gmod, volumes: ['/home/gmod/server']}}",
            "services: {gmod: {image: gmod, volumes: ['./server/:/home/gmod/server/']}}",
            "services: {gmod: {image: gmod, volumes: [{type: volume, source: d, target: /home/gmod/server}]}}",
        ],
        &[
            "services: {gmod: {image: gmod, volumes: ['data:/home/gmod/server/garrysmod/data']}}",
            "services: {web: {image: nginx, volumes: ['data:/home/gmod/server']}}",
        ],
    ),
    (
        Rule::DependsOnWithoutHealth,
        &[
            "services: {a: {image: x, depends_on: [db]}, db: {image: mysql}}",
            "services: {a: {image: x, depends_on: {db: {condition: service_started}}}, db: {image: mysql}}",
            "services: {a: {image: x, depends_on: {db: {}}}, db: {image: mysql}}",
        ],
        &[
            "services: {a: {image: x, depends_on: {db: {condition: service_healthy}}}, db: {image: mysql}}",
            "services: {a: {image: x, depends_on: [web]}, web: {image: nginx}}",
            "services: {a: {image: x, depends_on: [gone]}}",
        ],
    ),
    (
        Rule::NoHealthcheck,
        &[
            "services: {db: {image: mysql}}",
            "services: {g: {image: x/gmod, healthcheck: {disable: true}}}",
            "services: {g: {image: x/gmod, healthcheck: {test: [NONE]}}}",
            "services: {g: {image: x/gmod, healthcheck: {interval: 10s}}}",
        ],
        &[
            "services: {db: {image: mysql, healthcheck: {test: 'mysql -e 1'}}}",
            "services: {web: {image: nginx}}",
            "services: {g: {image: 'ceifa/garrysmod:latest'}}",
        ],
    ),
    (
        Rule::HealthcheckOnlyListens,
        &[
            "services: {g: {image: x/gmod, healthcheck: {test: 'netstat -l | grep 27015'}}}",
            "services: {g: {image: x/gmod, healthcheck: {test: [CMD, nc, -z, localhost, '27015']}}}",
            "services: {g: {image: 'ceifa/garrysmod:latest'}}",
        ],
        &[
            "services: {g: {image: x/gmod, healthcheck: {test: [CMD, /ask, a2s]}}}",
            "services: {web: {image: nginx, healthcheck: {test: 'netstat -l'}}}",
        ],
    ),
    (
        Rule::PingProvesNothing,
        &[
            "services: {db: {image: mysql, healthcheck: {test: mysqladmin ping -h localhost}}}",
            "services: {db: {image: mariadb, healthcheck: {test: [CMD, mariadb-admin, ping]}}}",
        ],
        &["services: {db: {image: mysql, healthcheck: {test: 'mysql -e \"SELECT 1\"'}}}"],
    ),
    (
        Rule::PlainSecretCompose,
        &[
            "services: {db: {image: mysql, environment: {MYSQL_PASSWORD: abcdef}}}",
            "services: {db: {image: mysql, environment: [MYSQL_ROOT_PASSWORD=abcdef]}}",
            "services: {g: {image: gmod, environment: {ARGS: '+rcon_password abcdef +map x'}}}",
            "services: {g: {image: gmod, command: [srcds, +sv_setsteamaccount abcdef]}}",
            "services: {db: {image: mysql, healthcheck: {test: mysqladmin ping -pabcdef}}}",
        ],
        &[
            "services: {db: {image: mysql, environment: {MYSQL_PASSWORD: '${MYSQL_PASSWORD}'}}}",
            "services: {db: {image: mysql, environment: {MYSQL_PASSWORD_FILE: /run/secrets/x}}}",
            "services: {db: {image: mysql, environment: {MYSQL_RANDOM_ROOT_PASSWORD: 'yes'}}}",
            "services: {db: {image: mysql, environment: [MYSQL_PASSWORD]}}",
            "services: {g: {image: gmod, environment: {ARGS: '+rcon_password ${RCON}'}}}",
        ],
    ),
    (
        Rule::AuthkeyUnused,
        &[
            "services: {g: {image: gmod, environment: {AUTHKEY: abcdef}}}",
            "services: {g: {image: gmod, environment: ['AUTHKEY=${KEY}']}}",
            "services: {g: {image: gmod, environment: {ARGS: '-authkey abc'}}}",
        ],
        &[
            "services: {g: {image: gmod, environment: {AUTHKEY: ''}}}",
            "services: {web: {image: nginx, environment: {AUTHKEY: abcdef}}}",
        ],
    ),
    (
        Rule::PortPublic,
        &[
            "services: {db: {image: mysql, ports: ['3306:3306']}}",
            "services: {db: {image: mysql, ports: [3306]}}",
            "services: {db: {image: mysql, ports: ['0.0.0.0:3306:3306']}}",
            "services: {db: {image: mysql, ports: [{target: 3306, published: 3306}]}}",
            "services: {g: {image: gmod, ports: ['27015:27015']}}",
            "services: {g: {image: gmod, ports: ['27016:27016/udp', '27016:27016/tcp']}}",
        ],
        &[
            "services: {db: {image: mysql, ports: ['127.0.0.1:3306:3306']}}",
            "services: {db: {image: mysql, ports: ['10.0.0.1:3306:3306']}}",
            "services: {db: {image: mysql, ports: [{target: 3306}]}}",
            "services: {db: {image: mysql, expose: ['3306']}}",
            "services: {g: {image: gmod, ports: ['27015:27015/udp']}}",
            "services: {web: {image: nginx, ports: ['80:80']}}",
        ],
    ),
    (
        Rule::RconWhitelistMissing,
        &["services: {g: {image: gmod, ports: ['27015:27015']}}"],
        &[
            "services: {g: {image: gmod, ports: ['127.0.0.1:27015:27015']}}",
            "services: {g: {image: gmod, ports: ['27015:27015'], command: +sv_rcon_whitelist_address 1.2.3.4}}",
        ],
    ),
    (
        Rule::NoStopGrace,
        &["services: {db: {image: mysql}}", "services: {g: {image: gmod}}"],
        &[
            "services: {db: {image: mysql, stop_grace_period: 1m}}",
            "services: {web: {image: nginx}}",
        ],
    ),
    (
        Rule::NoLogRotation,
        &[
            "services: {web: {image: nginx}}",
            "services: {web: {image: nginx, logging: {driver: json-file}}}",
            "services: {web: {image: nginx, logging: {options: {max-file: '3'}}}}",
        ],
        &[
            "services: {web: {image: nginx, logging: {options: {max-size: 1m}}}}",
            "services: {web: {image: nginx, logging: {driver: journald}}}",
            "x-l: &l {options: {max-size: 1m}}\nservices: {web: {image: nginx, logging: *l}}",
        ],
    ),
    (
        Rule::NoMemoryLimit,
        &["services: {web: {image: nginx, deploy: {resources: {limits: {cpus: '1'}}}}}"],
        &[
            "services: {web: {image: nginx, mem_limit: 1g}}",
            "services: {web: {image: nginx, deploy: {resources: {limits: {memory: 1g}}}}}",
            "x-b: &b {mem_limit: 1g}\nservices: {web: {<<: *b, image: nginx}}",
            "services: {base: {image: a, mem_limit: 1g}, web: {extends: {service: base}}}",
        ],
    ),
    (
        Rule::NoRestartPolicy,
        &["services: {db: {image: mysql}}", "services: {web: {image: nginx}}"],
        &[
            "services: {db: {image: mysql, restart: 'no'}}",
            "services: {db: {image: mysql, deploy: {restart_policy: {condition: any}}}}",
            "services: {tool: {image: x, profiles: [tools]}}",
            "services: {once: {image: x}, a: {image: y, restart: always, depends_on: {once: {condition: service_completed_successfully}}}}",
        ],
    ),
    (
        Rule::EolDatabaseImage,
        &["services: {db: {image: 'mysql:8.0'}}", "services: {db: {image: 'mysql:${V-5.7}'}}"],
        &["services: {db: {image: 'mysql:8.4'}}", "services: {db: {image: mysql}}"],
    ),
    (
        Rule::ProductionUnset,
        &[
            "services: {g: {image: x, environment: {GAMEMODE: darkrp}}}",
            "services: {g: {image: x, environment: [GAMEMODE=darkrp, PRODUCTION=0]}}",
            "services: {g: {image: 'ceifa/garrysmod'}}",
        ],
        &[
            "services: {g: {image: x, environment: {GAMEMODE: darkrp, PRODUCTION: '1'}}}",
            "services: {g: {image: x/srcds}}",
        ],
    ),
];

#[test]
fn each_rule_finds_what_it_is_for_and_nothing_else() {
    for (rule, wrong, right) in CASES {
        for text in *wrong {
            assert_eq!(count(text, *rule), 1, "{rule:?} does not find: {text}");
        }
        for text in *right {
            assert_eq!(count(text, *rule), 0, "{rule:?} finds: {text}");
        }
    }
}

/// What a compose file alone does not show.
fn seen() -> Facts {
    let text = "services: {g: {image: 'a/gmod:1', ports: ['27015:27015'], volumes: ['./cfg:/s/garrysmod/cfg', './logs:/l', './bin:/s/garrysmod/lua/bin']}}";
    let bound = |inside: &str, text: &str| BoundText {
        service: String::from("g"),
        inside: format!("/s/garrysmod/{inside}"),
        file: source(inside, text),
    };
    let ignored = ["./logs", "./bin"].map(String::from);
    Facts {
        bound: vec![
            bound(
                "cfg/server.cfg",
                "hostname x\n// rcon_password old\n  rcon_password \"abcdef\"\n",
            ),
            bound("addons/a/lua/a/sv.lua", "local password = \"abcdef\"\n"),
            bound("addons/a/lua/a/sh.lua", "AddCSLuaFile()\nlocal password = \"abcdef\"\n"),
        ],
        git: Some(GitFacts { ignored: ignored.into(), ..GitFacts::default() }),
        dotenv: Some(source(".env", "A=1\nRCON_PASSWORD=abcdef\n")),
        images: BTreeMap::from([(String::from("a/gmod:1"), ImageFacts::default())]),
        ..project(text)
    }
}

#[test]
fn what_was_collected_beside_the_compose_file_is_looked_at() {
    let facts = seen();
    for (rule, place) in [
        (Rule::PlainSecretCfg, "cfg/server.cfg:3:18"),
        (Rule::PlainSecretLua, "addons/a/lua/a/sv.lua:1:18"),
        (Rule::SecretSentToClients, "addons/a/lua/a/sh.lua:2:18"),
        (Rule::DotenvInGit, ".env:2:1"),
        (Rule::ImageOnlyLocal, "compose.yaml:1:23"),
        (Rule::BindIgnoredByGit, "compose.yaml:1:108"),
    ] {
        assert_eq!(found(&facts, rule), [place], "{rule:?}");
    }
    let mut facts = seen();
    facts.git.as_mut().unwrap().ignores_dotenv = true;
    facts.git.as_mut().unwrap().ignored.clear();
    facts.images.get_mut("a/gmod:1").unwrap().digests.push(String::from("sha256:ab"));
    facts.bound[0].file.text = String::from("sv_rcon_whitelist_address 1.2.3.4\n");
    for rule in [
        Rule::DotenvInGit,
        Rule::ImageOnlyLocal,
        Rule::BindIgnoredByGit,
        Rule::PlainSecretCfg,
        Rule::RconWhitelistMissing,
    ] {
        assert!(found(&facts, rule).is_empty(), "{rule:?}");
    }
    // A snapshot of the known image is known by the check that it inherited.
    let inherited = ImageFacts {
        healthcheck: vec![String::from("CMD-SHELL"), String::from("/home/gmod/health.sh")],
        ..ImageFacts::default()
    };
    facts.images.insert(String::from("a/gmod:1"), inherited);
    assert_eq!(found(&facts, Rule::HealthcheckOnlyListens).len(), 1);
    assert!(found(&facts, Rule::NoHealthcheck).is_empty());
}

#[test]
fn no_rule_is_without_a_test() {
    let here = CASES.iter().map(|(rule, ..)| rule.about().word);
    let beside = diagnose(&seen()).findings.into_iter().map(|one| one.rule.about().word);
    let tested: BTreeSet<_> = here.chain(beside).collect();
    let missing: Vec<_> =
        Rule::ALL.into_iter().filter(|rule| !tested.contains(rule.about().word)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn rules_speak_both_languages_and_have_names_of_their_own() {
    let mut words = BTreeSet::new();
    for rule in Rule::ALL {
        let about = rule.about();
        assert!(words.insert(about.word), "{} twice", about.word);
        assert_eq!(Rule::parse(about.word), Some(rule));
        assert!(about.word.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
        assert!(!about.risks.is_empty(), "{} is about no risk", about.word);
        for [en, fr] in [about.why, about.remedy] {
            assert!(en != fr && !en.is_empty() && !fr.is_empty() && !en.ends_with('.'));
        }
    }
    for finding in diagnose(&seen()).findings {
        let french = finding.what.fr.unwrap();
        assert!(!french.is_empty() && french != finding.what.en, "{french}");
    }
}

#[test]
fn overrides_count_and_places_are_those_of_their_files() {
    let base = "services:\n  db:\n    image: mysql:8.4\n    ports: ['3306:3306']\n";
    let over = "services:\n  db:\n    restart: always\n    mem_limit: 1g\n    environment:\n      MYSQL_PASSWORD: abcdef\n";
    let facts = Facts {
        files: vec![compose("compose.yaml", base), compose("o.yaml", over)],
        ..Facts::default()
    };
    assert!(found(&facts, Rule::NoRestartPolicy).is_empty());
    assert!(found(&facts, Rule::NoMemoryLimit).is_empty());
    assert_eq!(found(&facts, Rule::PortPublic), ["compose.yaml:4:13"]);
    assert_eq!(found(&facts, Rule::PlainSecretCompose), ["o.yaml:6:23"]);
    // What another file gives by `extends` is there, and is not edited there.
    let extended = "services:\n  base:\n    restart: always\n    ports: ['3306:3306']\n";
    let main =
        "services:\n  db:\n    image: mysql:8.4\n    extends: {file: common.yaml, service: base}\n";
    let facts = Facts {
        files: vec![compose("compose.yaml", main)],
        extended: vec![compose("common.yaml", extended)],
        ..Facts::default()
    };
    assert!(found(&facts, Rule::NoRestartPolicy).is_empty());
    let ports: Vec<_> =
        diagnose(&facts).findings.into_iter().filter(|one| one.rule == Rule::PortPublic).collect();
    assert_eq!(ports[0].file, "common.yaml");
    assert!(ports[0].fix.is_none());
}

/// The files after every safe fix of one round.
fn fixed(facts: &Facts, rule: Rule) -> Texts {
    let mut texts = Texts {
        compose: facts.files.iter().map(|file| file.document.clone()).collect(),
        dotenv: Dotenv::parse("").unwrap(),
        ignore_dotenv: false,
    };
    for finding in diagnose(facts).findings.into_iter().filter(|one| one.rule == rule) {
        if let Some(fix) = finding.fix {
            texts = texts.with(&fix).unwrap();
        }
    }
    texts
}

#[test]
fn what_a_fix_writes_is_not_found_again() {
    let mut fixes = 0;
    for (rule, wrong, _) in CASES {
        for text in *wrong {
            let mut facts = project(text);
            let before = diagnose(&facts).findings;
            let fixable = before.iter().any(|one| one.rule == *rule && one.fix.is_some());
            let after = fixed(&facts, *rule);
            facts.files[0].document = after.compose[0].clone();
            let left = found(&facts, *rule).len();
            assert_eq!(
                left,
                usize::from(!fixable),
                "{rule:?}\n{text}\n{}",
                after.compose[0].text()
            );
            fixes += usize::from(fixable);
        }
    }
    assert!(fixes > 15, "only {fixes} fixes");
}

#[test]
fn ports_are_bound_in_the_way_they_are_written() {
    for (port, wanted) in [
        ("\"3306:3306\"", "\"127.0.0.1:3306:3306\""),
        ("3306", "\"127.0.0.1::3306\""),
        ("'${P:-3306}:3306'", "'127.0.0.1:${P:-3306}:3306'"),
        ("0.0.0.0:3306:3306", "\"127.0.0.1:3306:3306\""),
        ("'[::]:3306:3306'", "'127.0.0.1:3306:3306'"),
        ("'3306-3310:3306-3310'", "'127.0.0.1:3306-3310:3306-3310'"),
    ] {
        let text =
            format!("services:\n  db:\n    image: mysql\n    ports:\n      - {port} # why\n");
        let fixed = fixed(&project(&text), Rule::PortPublic);
        assert_eq!(fixed.compose[0].text(), text.replace(port, wanted));
    }
    let variable = "services: {db: {image: mysql, ports: ['${BIND:-0.0.0.0}:3306:3306']}}";
    assert_eq!(fixed(&project(variable), Rule::PortPublic).compose[0].text(), variable);
}

#[test]
fn two_secrets_of_one_name_get_names_of_their_own() {
    let text = "services:\n  a: {image: mysql, environment: {MYSQL_PASSWORD: one1}}\n  b: {image: mysql, environment: {MYSQL_PASSWORD: 'two$$2'}}\n  c: {image: mysql, environment: {MYSQL_PASSWORD: one1}}\n";
    let fixed = fixed(&project(text), Rule::PlainSecretCompose);
    let told = fixed.compose[0].text();
    assert!(
        told.contains("MYSQL_PASSWORD: \"${A_MYSQL_PASSWORD}\"")
            || told.contains("${A_MYSQL_PASSWORD}"),
        "{told}"
    );
    let value = |name: &str| fixed.dotenv.get(name).map(|one| one.value.clone());
    assert_eq!(value("A_MYSQL_PASSWORD").as_deref(), Some("one1"));
    assert_eq!(value("B_MYSQL_PASSWORD").as_deref(), Some("two$2"));
    assert_eq!(value("C_MYSQL_PASSWORD").as_deref(), Some("one1"));
    assert!(!told.contains("one1") && !told.contains("two"), "{told}");
}

#[test]
fn the_login_is_made_with_what_the_container_has() {
    let test = |image: &str, environment: &str| -> String {
        let text =
            format!("services:\n  db:\n    image: {image}\n    environment: {environment}\n");
        let fixed = fixed(&project(&text), Rule::NoHealthcheck);
        let test = fixed.compose[0].at(&["services", "db", "healthcheck", "test", "1"]);
        test.and_then(crate::compose::View::text).unwrap_or_default().to_owned()
    };
    let user = test("mysql:8.4", "{MYSQL_USER: a, MYSQL_PASSWORD: '${P}'}");
    assert_eq!(
        user,
        "MYSQL_PWD=\"$$MYSQL_PASSWORD\" mysql -h 127.0.0.1 -u \"$$MYSQL_USER\" -e \"SELECT 1\""
    );
    let root = test("r.example/mariadb:11.4", "[MARIADB_ROOT_PASSWORD]");
    assert_eq!(
        root,
        "MYSQL_PWD=\"$$MARIADB_ROOT_PASSWORD\" mariadb -h 127.0.0.1 -u \"root\" -e \"SELECT 1\""
    );
    assert_eq!(test("mysql", "{}"), "", "nobody knows its password");
    assert_eq!(
        test("my-own-mysql-thing", "{MYSQL_ROOT_PASSWORD: x}"),
        "",
        "nobody knows its programs"
    );
}

#[test]
fn a_wait_for_health_comes_only_with_a_check() {
    let without =
        "services: {a: {image: x, depends_on: [db, web]}, db: {image: mysql}, web: {image: y}}";
    assert_eq!(fixed(&project(without), Rule::DependsOnWithoutHealth).compose[0].text(), without);
    let with = without.replace("mysql}", "mysql, healthcheck: {test: x}}");
    let fixed = fixed(&project(&with), Rule::DependsOnWithoutHealth);
    let condition = |name| {
        let at = fixed.compose[0].at(&["services", "a", "depends_on", name, "condition"]);
        at.and_then(crate::compose::View::text)
    };
    assert_eq!(condition("db"), Some("service_healthy"));
    assert_eq!(condition("web"), Some("service_started"));
}

#[test]
fn a_comment_silences_one_rule_on_one_line() {
    let text = "services:\n  # vigie: ignore no-restart-policy because it is started by hand\n  db:\n    image: mysql\n    ports:\n      - 3306:3306 # vigie: ignore port-public because a firewall is in front\n      - 33060:33060\n";
    let facts = project(text);
    assert!(found(&facts, Rule::NoRestartPolicy).is_empty());
    assert_eq!(
        found(&facts, Rule::PortPublic),
        ["compose.yaml:7:9"],
        "the next line is no part of it"
    );
    assert_eq!(found(&facts, Rule::NoStopGrace).len(), 1);
    assert_eq!(diagnose(&facts).silenced, 2);
}
