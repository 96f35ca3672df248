//! That equal forms say nothing, that each change says one thing, that no secret is told, and that both
//! generations of Compose are read alike.

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

use super::*;

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_]{0,8}"
}

fn mount() -> impl Strategy<Value = Mount> {
    let source = prop_oneof![
        name().prop_map(|name| Source::path(&format!("/srv/{name}"))),
        name().prop_map(Source::Volume),
        Just(Source::Memory),
    ];
    (source, any::<bool>()).prop_map(|(source, read_only)| Mount { source, read_only })
}

fn form() -> impl Strategy<Value = Form> {
    let values = prop_oneof![Just(None), ".{0,12}".prop_map(Some)];
    let at = name().prop_map(|name| format!("/{name}"));
    let bindings = proptest::collection::btree_set("[1-9][0-9]{0,4}", 1..3);
    (
        (name(), name()),
        proptest::collection::btree_map("[A-Z]{1,8}", values, 0..5),
        proptest::collection::btree_map(at, mount(), 0..4),
        (0..4_u64, 0..4_u64, 0..20_u64),
        proptest::collection::btree_map("[1-9][0-9]{0,3}/(tcp|udp)", bindings, 0..3),
        prop_oneof![Just("no"), Just("always"), Just("on-failure:3")],
    )
        .prop_map(|((image, id), environment, mounts, amounts, ports, restart)| Form {
            image: Some(image),
            image_id: Some(id),
            environment,
            mounts: Some(mounts),
            memory: Some(amounts.0),
            cpus: Some(amounts.1),
            ports: Some(ports),
            restart: Some(restart.to_owned()),
            grace: Some(amounts.2),
        })
}

/// One change, of the kind with this number; false where the form has nothing of that kind.
fn change(form: &mut Form, kind: usize) -> bool {
    let first_mount = form.mounts.as_mut().and_then(|mounts| mounts.values_mut().next());
    match kind {
        0 => form.image = Some(String::from("another/image:1")),
        1 => form.image_id = Some(String::from("sha256:another")),
        2 => drop(form.environment.insert("A_NEW_ONE".into(), Some("x".into()))),
        3 => return form.environment.pop_first().is_some(),
        4 => {
            let Some(value) = form.environment.values_mut().next() else { return false };
            *value = Some(format!("{}!", value.as_deref().unwrap_or_default()));
        }
        5 => return form.mounts.as_mut().and_then(BTreeMap::pop_first).is_some(),
        6 => {
            let Some(mount) = first_mount else { return false };
            mount.read_only = !mount.read_only;
        }
        7 => {
            let Some(mount) = first_mount else { return false };
            mount.source = Source::path("/somewhere/else");
        }
        8 => form.memory = form.memory.map(|bytes| bytes + 1),
        9 => form.cpus = form.cpus.map(|cpus| cpus + 1),
        10 => return form.ports.as_mut().and_then(BTreeMap::pop_last).is_some(),
        11 => {
            let Some(at) = form.ports.as_mut().and_then(|ports| ports.values_mut().next()) else {
                return false;
            };
            *at = BTreeSet::from([String::from("127.0.0.1:1")]);
        }
        12 => form.restart = Some(String::from("unless-stopped")),
        _ => form.grace = form.grace.map(|seconds| seconds + 1),
    }
    true
}

proptest! {
    #[test]
    fn equal_forms_say_nothing(form in form()) {
        prop_assert!(compare(&form, &form).is_empty());
        prop_assert!(drift(Some(&form), &form, Hash::Same).is_empty());
        prop_assert!(drift(Some(&form), &form, Hash::Unknown).is_empty());
    }

    #[test]
    fn each_change_is_one_difference(form in form(), kind in 0..14_usize, there in any::<bool>()) {
        let mut changed = form.clone();
        prop_assume!(change(&mut changed, kind));
        // A change of what is wanted, or of what runs.
        let (wanted, running) = if there { (&form, &changed) } else { (&changed, &form) };
        let found = compare(wanted, running);
        prop_assert_eq!(found.len(), 1, "{:?}", found);
        let said = drift(Some(wanted), running, Hash::Other);
        prop_assert_eq!(said.len(), 2, "the difference and what ends it: {:?}", said);
        // The list is told with commas between, and each in one line.
        prop_assert!(!said.concat().contains([',', '\n']), "{:?}", said);
    }

    #[test]
    fn what_is_not_known_is_not_compared(form in form()) {
        let known = compare(&Form { environment: form.environment.clone(), ..Form::default() }, &form);
        prop_assert!(known.is_empty(), "{:?}", known);
    }

    #[test]
    fn a_secret_is_never_told(
        key in "(RCON_PASSWORD|AUTHKEY|STEAM_TOKEN|DB_PASS)",
        one in "secretone[a-z]{4}",
        two in "secrettwo[a-z]{4}",
    ) {
        let with = |key: &str, value: String| Form {
            environment: [(key.to_owned(), Some(value))].into(),
            ..Form::default()
        };
        let said = drift(Some(&with(&key, one.clone())), &with(&key, two.clone()), Hash::Other).join("\n");
        prop_assert!(said.contains(&key) && !said.contains("secret"), "{}", said);
        // Nor one that stands in something else.
        for shape in ["+map_x+rcon_password=", "mysql://u:", "--token="] {
            let (one, two) = (format!("{shape}{one}@db"), format!("{shape}{two}@db"));
            let said = drift(Some(&with("ARGS", one)), &with("ARGS", two), Hash::Other).join("\n");
            prop_assert!(said.contains("ARGS") && !said.contains("secretone"), "{}", said);
        }
    }

    #[test]
    fn any_text_can_be_read(text in ".{0,200}") {
        let _ = wanted(&text, Generation::Two, "p", "s");
    }
}

/// What both generations print of one file.
const TWO: &str = r#"{
  "name": "stack",
  "services": {"gmod": {
    "command": null, "cpus": 0.5, "image": "a/gmod:1", "mem_limit": "268435456",
    "environment": {"EMPTY": null, "NAME": "a $$b <é>", "RCON_PASSWORD": "abc", "SET": "", "WORD": "null"},
    "ports": [
      {"mode": "ingress", "host_ip": "127.0.0.1", "target": 27015, "published": "37015", "protocol": "udp"},
      {"mode": "ingress", "target": 37016, "protocol": "tcp"}],
    "restart": "unless-stopped", "stop_grace_period": "1m14s", "tmpfs": ["/run/x:size=1m"],
    "secrets": [{"source": "rcon", "target": "rcon"}],
    "volumes": [
      {"type": "volume", "source": "data", "target": "/server", "volume": {}},
      {"type": "bind", "source": "/srv/stack/addons", "target": "/server/addons", "bind": {"create_host_path": true}},
      {"type": "bind", "source": "/srv/stack/server.cfg", "target": "/server/server.cfg/", "read_only": true},
      {"type": "volume", "target": "/anonymous", "volume": {}},
      {"type": "tmpfs", "target": "/scratch"}]}},
  "secrets": {"rcon": {"name": "stack_rcon", "file": "/srv/stack/rcon"}},
  "volumes": {"data": {"name": "stack_data"}}
}"#;
const ONE: &str = "secrets:
  rcon:
    file: /srv/stack/rcon
services:
  gmod:
    cpus: 0.5
    environment:
      EMPTY: null
      NAME: a $$b <é>
      RCON_PASSWORD: abc
      SET: ''
      WORD: 'null'
    image: a/gmod:1
    mem_limit: 256m
    ports:
    - 127.0.0.1:37015:27015/udp
    - target: 37016
    restart: unless-stopped
    secrets:
    - source: rcon
    stop_grace_period: 1m14s
    tmpfs:
    - /run/x:size=1m
    volumes:
    - data:/server:rw
    - /srv/stack/addons:/server/addons:rw
    - /srv/stack/server.cfg:/server/server.cfg:ro
    - /anonymous
    - target: /scratch
      type: tmpfs
version: '3.9'
volumes:
  data: {}
";

#[test]
fn both_generations_are_read_alike() {
    let two = wanted(TWO, Generation::Two, "stack", "gmod").unwrap().unwrap();
    let one = wanted(ONE, Generation::One, "stack", "gmod").unwrap().unwrap();
    assert_eq!(one, two);
    assert_eq!(two.environment["NAME"].as_deref(), Some("a $b <é>"));
    assert_eq!(
        (two.environment["EMPTY"].as_deref(), &two.environment["SET"]),
        (None, &Some(String::new()))
    );
    assert_eq!(two.environment["WORD"].as_deref(), Some("null"));
    assert_eq!((two.memory, two.cpus, two.grace), (Some(268_435_456), Some(500_000_000), Some(74)));
    let mounts = two.mounts.unwrap();
    assert_eq!(mounts["/server"].source, Source::Volume(String::from("stack_data")));
    assert!(mounts["/server/server.cfg"].read_only && !mounts["/server/addons"].read_only);
    assert_eq!(mounts["/run/secrets/rcon"].source, Source::path("/srv/stack/rcon"));
    assert_eq!(
        (&mounts["/run/x"].source, &mounts["/scratch"].source),
        (&Source::Memory, &Source::Memory)
    );
    assert!(!mounts.contains_key("/anonymous"));
    let ports = two.ports.unwrap();
    assert_eq!(ports["27015/udp"], BTreeSet::from([String::from("127.0.0.1:37015")]));
    assert_eq!(ports["37016/tcp"], BTreeSet::from([String::new()]));
    assert_eq!(wanted(TWO, Generation::Two, "stack", "mysql").unwrap(), None);
    assert!(wanted("{}", Generation::Two, "stack", "mysql").is_err());
}

/// A service whose definition has these lines.
fn service(lines: &str, generation: Generation) -> Form {
    let text = format!(
        "services:\n  s:\n    x: 1\n{lines}\nvolumes:\n  out:\n    external: true\n  v:\n    name: own\n"
    );
    wanted(&text, generation, "p", "s").unwrap().unwrap()
}

#[test]
fn what_the_file_leaves_open_is_what_the_engine_does() {
    let bare = service("", Generation::Two);
    assert_eq!((bare.memory, bare.cpus, bare.grace), (Some(0), Some(0), Some(10)));
    assert_eq!(bare.restart.as_deref(), Some("no"));
    assert_eq!((bare.image, bare.ports), (None, Some(Ports::new())));
    assert_eq!(service("    restart: 'no'", Generation::One).restart.as_deref(), Some("no"));
}

#[test]
fn what_is_not_known_is_said_to_be_so() {
    let limits = "    deploy:\n      resources:\n        limits:\n          memory: 512M\n          cpus: '0.5'";
    assert_eq!(service(limits, Generation::Two).memory, Some(536_870_912));
    assert_eq!(service(limits, Generation::Two).cpus, Some(500_000_000));
    // Version 1 heeds them or not, by a version that it does not print.
    assert_eq!(
        (service(limits, Generation::One).memory, service(limits, Generation::One).cpus),
        (None, None)
    );
    let policy = "    deploy:\n      restart_policy:\n        condition: any";
    assert_eq!(service(policy, Generation::Two).restart, None);
    assert_eq!(service("    volumes_from:\n    - other", Generation::Two).mounts, None);
    assert_eq!(service("    network_mode: host", Generation::Two).ports, None);
    assert_eq!(service("    ports:\n    - '3000-3005:3000-3005'", Generation::One).ports, None);
}

#[test]
fn volumes_have_the_engines_names() {
    let form = service("    volumes:\n    - out:/a\n    - v:/b\n    - other:/c", Generation::One);
    let named = |at: &str| form.mounts.as_ref().unwrap()[at].source.clone();
    assert_eq!(named("/a"), Source::Volume("out".into()));
    assert_eq!(named("/b"), Source::Volume("own".into()));
    assert_eq!(named("/c"), Source::Volume("p_other".into()));
}

#[test]
fn what_the_image_sets_is_no_difference() {
    let form = |env: &[(&str, Option<&str>)]| Form {
        environment: env
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned)))
            .collect(),
        ..Form::default()
    };
    let image = [String::from("PATH=/bin"), String::from("MAP=gm_flatgrass")];
    let said = |wanted: &[(&str, Option<&str>)], running: &[(&str, Option<&str>)]| {
        let (mut wanted, mut running) = (form(wanted), form(running));
        Form::leave_out(&mut wanted, &mut running, &image);
        compare(&wanted, &running).iter().map(Difference::describe).collect::<Vec<_>>()
    };
    let nothing: [String; 0] = [];
    let inherited = [("PATH", Some("/bin")), ("MAP", Some("gm_flatgrass"))];
    assert_eq!(said(&[], &inherited), nothing);
    assert_eq!(said(&[("MAP", Some("gm_flatgrass"))], &inherited), nothing, "the same said twice");
    assert_eq!(said(&[("EMPTY", None)], &inherited), nothing, "nothing to take away");
    assert_eq!(said(&[], &[("http_proxy", Some("x"))]), nothing, "the client's own settings");
    let other = [("PATH", Some("/bin")), ("MAP", Some("gm_construct"))];
    assert_eq!(said(&[], &other), ["the variable MAP is not in the compose file"]);
    let wanted = [("MAP", Some("rp_downtown"))];
    assert_eq!(said(&wanted, &other), ["the variable MAP is gm_construct instead of rp_downtown"]);
}

#[test]
fn it_is_said_what_ends_it() {
    let runs = Form { memory: Some(1 << 28), image_id: Some("1".into()), ..Form::default() };
    let wanted = Form { memory: Some(1 << 29), image_id: Some("1".into()), ..Form::default() };
    let last = |wanted: &Form, hash| drift(Some(wanted), &runs, hash).pop().unwrap();
    insta::assert_snapshot!(drift(Some(&wanted), &runs, Hash::Other).join("\n"), @"
    the memory limit is 256MiB instead of 512MiB
    `docker compose up -d` would make it afresh and a restart would change nothing
    ");
    // Somebody's `docker update`: Compose finds its hash as it was.
    assert!(last(&wanted, Hash::Same).contains("would leave it as it is"));
    let image = Form { image_id: Some("2".into()), ..wanted };
    assert!(last(&image, Hash::Same).contains("would make it afresh"));
    // Something that is not compared, a label or a command.
    assert_eq!(drift(Some(&runs), &runs, Hash::Other).len(), 1);
    assert_eq!(drift(None, &runs, Hash::Other).len(), 1);
    // What cannot change in a container is not believed against Compose's own word.
    let variable = Form { environment: [("A".into(), None)].into(), ..runs.clone() };
    assert!(drift(Some(&variable), &runs, Hash::Same).is_empty());
}

#[test]
fn names_of_one_thing_are_one_name() {
    let form = |image: &str| Form { image: Some(image.to_owned()), ..Form::default() };
    for name in ["mysql", "mysql:latest", "library/mysql", "docker.io/library/mysql:latest"] {
        assert!(compare(&form("mysql"), &form(name)).is_empty(), "{name}");
    }
    for name in ["mysql:8.0", "mysql@sha256:0", "example.org:5000/mysql", "a/mysql"] {
        assert_eq!(compare(&form("mysql"), &form(name)).len(), 1, "{name}");
    }
    assert_eq!(binding("0.0.0.0", "80"), binding("", "80"));
    assert_eq!(clean("/srv//a/./b/../c/"), "/srv/a/c");
}

#[test]
fn a_name_cannot_make_a_second_line() {
    let form = |key: &str| Form {
        environment: [(key.to_owned(), Some(String::from("x")))].into(),
        ..Form::default()
    };
    let said = compare(&form("A\nB, \u{202e}C"), &Form::default())[0].describe();
    assert_eq!(said, "the variable A_B___C is missing");
}
