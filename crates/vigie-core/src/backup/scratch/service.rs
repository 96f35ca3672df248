//! Decides what a service is in a scratch project: the same program with the same environment, without a
//! name of its own, without a way out of the project, and without power over the host.

use std::collections::BTreeMap;

use super::tree::Tree;
use super::{LeftOut, Unfit};

/// What is only the living one's: its name, its ports, who finds it by its labels, who starts it again,
/// where its console goes, how its image is had.
const LIVING: [&str; 16] = [
    "build",
    "cgroup_parent",
    "container_name",
    "develop",
    "external_links",
    "extends",
    "label_file",
    "labels",
    "logging",
    "mac_address",
    "networks",
    "ports",
    "profiles",
    "pull_policy",
    "scale",
    "use_api_socket",
];
/// What gives power over the host, where it is set to anything.
const POWERS: [&str; 7] = [
    "credential_spec",
    "device_cgroup_rules",
    "devices",
    "gpus",
    "post_start",
    "privileged",
    "runtime",
];
/// What every container may do that is given nothing; what is taken away may be given back of these.
const USUAL: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
/// The same where it is the host's own.
const SHARED: [&str; 5] = ["cgroup", "ipc", "pid", "userns_mode", "uts"];
/// The network that every project has.
pub(super) const DEFAULT: &str = "default";
/// The kernel takes it first when memory is short.
const FIRST: u32 = 1_000;
/// Of 1024: what lives goes first.
const SHARES: u32 = 128;

/// What is known of all services, to say whom one of them means.
pub(super) struct Family<'a> {
    /// The services, by the names of their containers.
    pub(super) containers: &'a BTreeMap<String, String>,
    /// Keys of networks that are the host's own.
    pub(super) host: &'a [String],
    /// Whether Compose knows how to rank what runs, and not to pull.
    pub(super) ranks: bool,
}

/// Changes `service`; says whose network it has, where that is another's.
pub(super) fn change(
    name: &str,
    service: &mut Tree,
    image: &str,
    family: &Family<'_>,
    left: &mut Vec<LeftOut>,
) -> Result<Option<String>, Unfit> {
    let known_as = service.get("container_name").and_then(Tree::text).map(str::to_owned);
    let networks = service.get("networks").cloned();
    for key in LIVING {
        service.take(key);
    }
    let mut without = |what: &str| {
        left.push(LeftOut::Power { service: name.to_owned(), what: what.to_owned() });
    };
    for key in POWERS {
        if service.take(key).is_some_and(|value| value.is_set()) {
            without(key);
        }
    }
    let is_usual = |word: &str| {
        let word = word.to_uppercase();
        USUAL.contains(&word.strip_prefix("CAP_").unwrap_or(&word))
    };
    let is_less = |word: &str| word.starts_with("no-new-privileges");
    for key in ["cap_add", "security_opt"] {
        let Some(list) = service.take(key) else { continue };
        let stays = |word: &str| if key == "cap_add" { is_usual(word) } else { is_less(word) };
        let (kept, gone): (Vec<_>, Vec<_>) =
            list.items().iter().cloned().partition(|one| one.text().is_some_and(stays));
        gone.iter().for_each(|one| without(&format!("{key}: {}", one.text().unwrap_or_default())));
        if !kept.is_empty() {
            service.set(key, Tree::List(kept));
        }
    }
    for key in SHARED {
        let value = service.get(key).and_then(Tree::text).unwrap_or_default().to_owned();
        let other = value.strip_prefix("container:").map(|other| family.containers.get(other));
        match other {
            Some(Some(other)) => service.set(key, Tree::Text(format!("service:{other}"))),
            None if value != "host" => {}
            _ => {
                service.take(key);
                without(&format!("{key}: {value}"));
            }
        }
    }
    let lends = network(name, service, networks.as_ref(), known_as.as_deref(), family, left)?;
    volumes_from(name, service, family, left);
    if let Some(deploy) = service.get_mut("deploy") {
        let resources = deploy.take("resources");
        *deploy =
            Tree::Map(resources.map(|one| (String::from("resources"), one)).into_iter().collect());
    }
    service.set("image", Tree::of(image));
    service.set("restart", Tree::of("no"));
    if family.ranks {
        service.set("pull_policy", Tree::of("never"));
        service.set("oom_score_adj", Tree::word(FIRST));
        service.set("cpu_shares", Tree::word(SHARES));
    }
    Ok(lends)
}

/// Every network of it is the project's own; others in it find it by the name that its container had, too.
fn network(
    name: &str,
    service: &mut Tree,
    networks: Option<&Tree>,
    known_as: Option<&str>,
    family: &Family<'_>,
    left: &mut Vec<LeftOut>,
) -> Result<Option<String>, Unfit> {
    let mode = service.take("network_mode");
    let mode = mode.as_ref().and_then(Tree::text).unwrap_or_default();
    let service_of = |other: &str| Some((Tree::Text(format!("service:{other}")), other.to_owned()));
    let lent = match mode.split_once(':') {
        _ if mode == "host" => return Err(Unfit::HostNetwork(name.to_owned())),
        _ if mode == "none" => {
            service.set("network_mode", Tree::of("none"));
            return Ok(None);
        }
        Some(("service", other)) => service_of(other),
        Some(("container", other)) => match family.containers.get(other) {
            Some(other) => service_of(other),
            None => {
                left.push(LeftOut::Stranger { service: name.to_owned(), of: other.to_owned() });
                None
            }
        },
        // What all containers of the host are in, or a network of somebody else.
        _ => None,
    };
    if let Some((mode, other)) = lent {
        service.set("network_mode", mode);
        return Ok(Some(other));
    }
    let keys: Vec<&str> = match networks {
        Some(Tree::List(items)) => items.iter().filter_map(Tree::text).collect(),
        Some(networks) => networks.entries().iter().map(|(key, _)| key.as_str()).collect(),
        None => Vec::new(),
    };
    let keys = if keys.is_empty() { vec![DEFAULT] } else { keys };
    if keys.iter().any(|key| family.host.iter().any(|host| host == key)) {
        return Err(Unfit::HostNetwork(name.to_owned()));
    }
    let joined = keys.into_iter().map(|key| {
        let known = networks.and_then(|networks| networks.get(key)?.get("aliases"));
        let mut aliases: Vec<Tree> = known.map(Tree::items).unwrap_or_default().to_vec();
        aliases.extend(known_as.map(Tree::of));
        let aliases =
            (!aliases.is_empty()).then_some((String::from("aliases"), Tree::List(aliases)));
        (key.to_owned(), Tree::Map(aliases.into_iter().collect()))
    });
    let joined = joined.collect();
    service.set("networks", Tree::Map(joined));
    Ok(None)
}

/// Volumes of a container that is none of this project are the living one's.
fn volumes_from(name: &str, service: &mut Tree, family: &Family<'_>, left: &mut Vec<LeftOut>) {
    let Some(Tree::List(from)) = service.take("volumes_from") else { return };
    let mut kept = Vec::new();
    for item in from {
        let Some(text) = item.text() else { continue };
        let Some(other) = text.strip_prefix("container:") else {
            kept.push(item);
            continue;
        };
        let (other, mode) =
            other.split_once(':').map_or((other, ""), |(other, mode)| (other, mode));
        match family.containers.get(other) {
            Some(other) if mode.is_empty() => kept.push(Tree::Text(other.clone())),
            Some(other) => kept.push(Tree::Text(format!("{other}:{mode}"))),
            None => left.push(LeftOut::Stranger { service: name.to_owned(), of: other.to_owned() }),
        }
    }
    if !kept.is_empty() {
        service.set("volumes_from", Tree::List(kept));
    }
}
