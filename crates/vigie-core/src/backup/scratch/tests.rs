//! Decides nothing: projects as Compose prints them, and what a scratch project has of them.

use serde_json::{Value, json};

use super::*;

const COPY: &str = "/srv/town/.vigie/backup/.drill-x/town";

fn places() -> Places {
    let outside = format!("{COPY}/.outside").into();
    Places { living: "/srv/town".into(), copy: COPY.into(), outside }
}

fn made_as(printed: &str, generation: Generation) -> Result<(Value, Scratch), Unfit> {
    let images = ["gmod", "mysql", "vpn", "web", "log"];
    let images = images.map(|name| (name.to_owned(), format!("vigie-drill-town:{name}"))).into();
    let (name, places) = ("vigie-drill-town-1", places());
    let found = scratch(printed, generation, &Wish { name, images: &images, places: &places })?;
    Ok((serde_json::from_str(&found.text).unwrap(), found))
}

fn made(services: Value, rest: Value) -> Result<(Value, Scratch), Unfit> {
    let mut printed = json!({ "name": "town", "services": services });
    printed.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    made_as(&printed.to_string(), Generation::Two)
}

/// The reference stack as Compose 2 prints it in the restored directory.
fn reference() -> (Value, Value) {
    let services = json!({
        "gmod": {
            "cpus": 2,
            "command": null,
            "container_name": "gmod-server",
            "depends_on": { "mysql": { "condition": "service_healthy", "required": true } },
            "entrypoint": null,
            "environment": { "NAME": "Town $$1", "RCON_PASSWORD": "s3cr3t" },
            "image": "x/gmod:v1",
            "labels": { "traefik.enable": "true" },
            "logging": { "driver": "syslog" },
            "mem_limit": "3221225472",
            "networks": { "default": null },
            "ports": [
                { "mode": "ingress", "target": 27015, "published": "27016", "protocol": "udp" },
                { "mode": "ingress", "target": 27015, "published": "27016", "protocol": "tcp" }],
            "restart": "unless-stopped",
            "volumes": [
                { "type": "volume", "source": "data", "target": "/home/gmod/server", "volume": {} },
                { "type": "bind", "source": format!("{COPY}/addons"), "target": "/addons",
                  "bind": { "create_host_path": true, "propagation": "rshared" } },
                { "type": "bind", "source": "/srv/maps", "target": "/maps", "read_only": true },
                { "type": "bind", "source": "/etc/localtime", "target": "/etc/localtime" },
                { "type": "bind", "source": "/var/run/docker.sock", "target": "/var/run/docker.sock" },
                { "type": "tmpfs", "target": "/tmp" }]
        },
        "mysql": {
            "container_name": "gmod-mysql",
            "deploy": {
                "replicas": 1,
                "resources": { "limits": { "memory": "536870912" } },
                "restart_policy": { "condition": "any" }
            },
            "healthcheck": { "test": ["CMD", "mysqladmin", "ping"], "interval": "3s" },
            "image": "mysql:8.0",
            "networks": { "default": { "aliases": ["db"], "ipv4_address": "10.0.0.7" } },
            "ports": [{ "target": 3306, "published": "3306", "protocol": "tcp", "host_ip": "127.0.0.1" }],
            "secrets": [{ "source": "root", "target": "/run/secrets/root" }],
            "volumes": [{ "type": "bind", "source": "/srv/town/mysql-data", "target": "/var/lib/mysql" }]
        }
    });
    let rest = json!({
        "networks": { "default": { "name": "town_default", "ipam": { "config": [{ "subnet": "10.0.0.0/24" }] } } },
        "volumes": {
            "data": { "name": "town_data", "driver_opts": { "type": "none", "o": "bind", "device": "/srv/x" } },
            "shared": { "name": "shared", "external": true }
        },
        "secrets": { "root": { "name": "town_root", "file": "/run/keys/root" } },
        "x-note": "of the user's"
    });
    (services, rest)
}

#[test]
fn the_scratch_project_shares_nothing_with_the_living_one() {
    let (services, rest) = reference();
    let (project, scratch) = made(services, rest).unwrap();
    assert_eq!(project["name"], "vigie-drill-town-1");
    assert_eq!(project["networks"], json!({ "default": { "internal": true } }));
    assert_eq!(project["volumes"], json!({ "data": {}, "shared": {} }));
    assert_eq!(project.get("x-note"), None);
    let gmod = json!({
        "cpus": 2,
        "command": null,
        "depends_on": { "mysql": { "condition": "service_healthy", "required": true } },
        "entrypoint": null,
        "environment": { "NAME": "Town $$1", "RCON_PASSWORD": "s3cr3t" },
        "image": "vigie-drill-town:gmod",
        "mem_limit": "3221225472",
        "networks": { "default": { "aliases": ["gmod-server"] } },
        "restart": "no",
        "pull_policy": "never",
        "oom_score_adj": 1000,
        "cpu_shares": 128,
        "volumes": [
            { "type": "volume", "source": "data", "target": "/home/gmod/server", "volume": {} },
            { "type": "bind", "source": format!("{COPY}/addons"), "target": "/addons" },
            { "type": "bind", "source": format!("{COPY}/.outside/srv/maps"), "target": "/maps",
              "read_only": true },
            { "type": "bind", "source": "/etc/localtime", "target": "/etc/localtime", "read_only": true },
            { "type": "bind", "source": format!("{COPY}/.outside/var/run/docker.sock"),
              "target": "/var/run/docker.sock" },
            { "type": "tmpfs", "target": "/tmp" }]
    });
    assert_eq!(project["services"]["gmod"], gmod);
    let mysql = &project["services"]["mysql"];
    assert_eq!(mysql["deploy"], json!({ "resources": { "limits": { "memory": "536870912" } } }));
    assert_eq!(mysql["networks"], json!({ "default": { "aliases": ["db", "gmod-mysql"] } }));
    assert_eq!(mysql["healthcheck"]["test"][1], "mysqladmin");
    assert_eq!(mysql["volumes"][0]["source"], format!("{COPY}/mysql-data"));
    assert_eq!(project["secrets"]["root"]["file"], format!("{COPY}/.outside/run/keys/root"));
    assert_eq!(scratch.services, ["gmod", "mysql"]);
    let told: Vec<_> =
        scratch.binds.iter().map(|bind| bind.was.to_string_lossy().into_owned()).collect();
    assert_eq!(
        told,
        [
            "/run/keys/root",
            "/srv/maps",
            "/var/run/docker.sock",
            "/srv/town/addons",
            "/srv/town/mysql-data"
        ]
    );
    assert!(scratch.binds.iter().all(|bind| bind.now.starts_with(COPY)));
    assert_eq!(scratch.left, []);
}

#[test]
fn whoever_asks_at_the_old_port_is_shown_the_new_door() {
    let (services, rest) = reference();
    let (_, scratch) = made(services, rest).unwrap();
    assert_eq!(scratch.door("gmod", 27016, true), ("gmod", 27015));
    assert_eq!(scratch.door("mysql", 3306, false), ("mysql", 3306));
    // It asks for a name in the project's network, or for another one's port.
    assert_eq!(scratch.door("mysql", 3307, false), ("mysql", 3307));
    assert_eq!(scratch.door("gmod", 3306, false), ("mysql", 3306));
    let services = json!({
        "gmod": { "image": "x", "network_mode": "service:vpn" },
        "vpn": { "image": "y", "ports": ["27016:27015/udp"] }
    });
    let (project, scratch) = made(services, json!({})).unwrap();
    assert_eq!(project["services"]["gmod"]["network_mode"], "service:vpn");
    assert_eq!(project["services"]["gmod"].get("networks"), None);
    assert_eq!(scratch.door("gmod", 27016, true), ("vpn", 27015));
    assert_eq!(scratch.door("gmod", 27020, true), ("vpn", 27020));
}

#[test]
fn the_hosts_own_network_is_refused() {
    let host = Unfit::HostNetwork("gmod".into());
    let on_host = made(json!({ "gmod": { "network_mode": "host" } }), json!({}));
    assert_eq!(on_host.unwrap_err(), host);
    for network in [
        json!({ "name": "host", "external": true }),
        json!({ "external": { "name": "host" } }),
        json!({ "driver": "host" }),
    ] {
        let networks = json!({ "networks": { "outer": network } });
        let joined = made(json!({ "gmod": { "networks": { "outer": null } } }), networks);
        assert_eq!(joined.unwrap_err(), host);
    }
    let other = json!({ "networks": { "outer": { "name": "proxy", "external": true } } });
    let (project, _) = made(json!({ "gmod": { "networks": ["outer"] } }), other).unwrap();
    assert_eq!(project["services"]["gmod"]["networks"], json!({ "outer": {} }));
    assert_eq!(
        project["networks"]["outer"],
        json!({ "internal": true }),
        "its own, not the living one"
    );
    assert_eq!(
        made(json!({ "other": {} }), json!({})).unwrap_err(),
        Unfit::NoImage("other".into())
    );
}

#[test]
fn what_gives_power_over_the_host_or_others_is_left_out_and_said() {
    let services = json!({
        "gmod": { "privileged": true, "pid": "host", "ipc": "container:gmod-mysql", "devices": [],
                  "uts": "host", "network_mode": "container:gmod-vpn",
                  "volumes_from": ["web:ro", "container:gmod-mysql:ro", "container:theirs"] },
        "mysql": { "container_name": "gmod-mysql", "privileged": false, "network_mode": "bridge" },
        "web": { "network_mode": "none", "devices": ["/dev/dri:/dev/dri"], "use_api_socket": true,
                 "cap_drop": ["ALL"], "cap_add": ["CHOWN", "cap_setuid", "SYS_TIME"],
                 "security_opt": ["no-new-privileges:true", "apparmor:unconfined"] },
        "log": { "provider": { "type": "cloud" } }
    });
    let (project, scratch) = made(services, json!({})).unwrap();
    let gmod = &project["services"]["gmod"];
    for key in ["privileged", "pid", "uts", "network_mode", "devices"] {
        assert_eq!(gmod.get(key), None, "{key}");
    }
    assert_eq!(gmod["ipc"], "service:mysql");
    assert_eq!(gmod["networks"], json!({ "default": {} }));
    assert_eq!(gmod["volumes_from"], json!(["web:ro", "mysql:ro"]));
    assert_eq!(project["services"]["mysql"].get("network_mode"), None);
    assert_eq!(project["services"]["web"]["network_mode"], "none");
    assert_eq!(project["services"]["web"]["cap_add"], json!(["CHOWN", "cap_setuid"]));
    assert_eq!(project["services"]["web"]["security_opt"], json!(["no-new-privileges:true"]));
    assert_eq!(scratch.services, ["gmod", "mysql", "web"]);
    let told: Vec<_> = scratch.left.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "gmod ran without `pid: host`",
            "gmod ran without `privileged`",
            "gmod ran without `uts: host`",
            "web ran without `cap_add: SYS_TIME`",
            "web ran without `devices`",
            "web ran without `security_opt: apparmor:unconfined`",
            "gmod ran without what it shares with gmod-vpn, which is none of the stack's",
            "gmod ran without what it shares with theirs, which is none of the stack's"
        ]
    );
}

#[test]
fn the_first_generations_text_becomes_the_same() {
    let printed = format!(
        "networks:\n  inner:\n    driver: bridge\nservices:\n  gmod:\n    build:\n      context: {COPY}\n    \
         container_name: gmod-server\n    depends_on:\n      mysql:\n        condition: service_started\n    \
         environment:\n      A: 'yes'\n      B: \"a $$b\"\n    image: x/gmod:1\n    mem_limit: 3g\n    networks:\n      \
         inner:\n        aliases:\n        - game\n    ports:\n    - 127.0.0.1:27016:27015/udp\n    - 27016:27015/tcp\n    \
         restart: unless-stopped\n    volumes:\n    - data:/data:rw\n    - {COPY}/addons:/addons:rw,rshared\n    \
         - /srv/maps:/maps:ro\n    - /anonymous\n  mysql:\n    image: mysql\nversion: '2.4'\nvolumes:\n  \
         data:\n    external: true\n    name: town_data\n"
    );
    let (project, scratch) = made_as(&printed, Generation::One).unwrap();
    let gmod = json!({
        "depends_on": { "mysql": { "condition": "service_started" } },
        "environment": { "A": "yes", "B": "a $$b" },
        "image": "vigie-drill-town:gmod",
        "mem_limit": "3g",
        "networks": { "inner": { "aliases": ["game", "gmod-server"] } },
        "restart": "no",
        "volumes": ["data:/data:rw", format!("{COPY}/addons:/addons"),
                    format!("{COPY}/.outside/srv/maps:/maps:ro"), "/anonymous"]
    });
    assert_eq!(project["services"]["gmod"], gmod);
    assert_eq!((&project["version"], project.get("name")), (&json!("2.4"), None));
    assert_eq!(project["volumes"], json!({ "data": {} }));
    let inside = json!({ "inner": { "internal": true }, "default": { "internal": true } });
    assert_eq!(project["networks"], inside);
    assert_eq!(scratch.door("gmod", 27016, true), ("gmod", 27015));
    let said = made_as("services: [", Generation::One).unwrap_err().to_string();
    assert!(said.contains("does not read"), "{said}");
}

#[test]
fn a_dollar_in_a_path_stays_one() {
    let volumes = json!([{ "type": "bind", "source": format!("{COPY}/a$$b"), "target": "/a" },
                         { "type": "bind", "source": "/srv/c$$d", "target": "/c" }]);
    let (project, scratch) = made(json!({ "gmod": { "volumes": volumes } }), json!({})).unwrap();
    let volumes = &project["services"]["gmod"]["volumes"];
    assert_eq!(volumes[0]["source"], format!("{COPY}/a$$b"));
    assert_eq!(volumes[1]["source"], format!("{COPY}/.outside/srv/c$$d"));
    assert_eq!(scratch.binds[0].now, std::path::Path::new(&format!("{COPY}/.outside/srv/c$d")));
}
