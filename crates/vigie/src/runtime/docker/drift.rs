//! Does: reads from the engine how a container is made, for the comparison with the compose file.

use std::collections::BTreeMap;

use bollard::models::{ContainerInspectResponse, HostConfig, MountPoint};
use vigie_core::drift::{
    Difference, Form, GRACE, Mount, NOT_BY_COMPOSE, Ports, Source, binding, clean, compare,
    drift as verdict, policy,
};

use super::Docker;
use super::engine::is_missing;
use crate::runtime::RuntimeError;

/// What differs between a service's container and the compose file, in words.
pub(super) async fn drift(docker: &Docker, service: &str) -> Result<Vec<String>, RuntimeError> {
    let Some((_, seen)) = docker.look(service).await? else { return Ok(Vec::new()) };
    let mut running = form(&seen);
    let Some(compose) = &docker.compose else {
        let Some(name) = &running.image else { return Ok(Vec::new()) };
        let image_id = image(docker, service, name).await?.map(|(id, _)| id);
        let environment = running.environment.clone();
        let wanted = Form { image_id, environment, ..Form::default() };
        return Ok(compare(&wanted, &running).iter().map(Difference::describe).collect());
    };
    let definition = docker.finder.known(service)?;
    let Some((mut wanted, hash)) = compose.wanted(definition, &seen).await? else {
        return Ok(vec![String::from(NOT_BY_COMPOSE)]);
    };
    if let Some(wanted) = &mut wanted {
        match &running.image_id {
            Some(id) => match image(docker, service, id).await? {
                Some((_, environment)) => Form::leave_out(wanted, &mut running, &environment),
                // The image was taken away: what it sets itself cannot be told from the rest.
                None => running.environment.retain(|key, _| wanted.environment.contains_key(key)),
            },
            None => running.environment = wanted.environment.clone(),
        }
        if let Some(name) = wanted.image.clone().or_else(|| running.image.clone()) {
            wanted.image_id = image(docker, service, &name).await?.map(|(id, _)| id);
        }
    }
    Ok(verdict(wanted.as_ref(), &running, hash))
}

/// An image's id and the variables that it sets; none where the engine does not have it.
async fn image(
    docker: &Docker,
    service: &str,
    name: &str,
) -> Result<Option<(String, Vec<String>)>, RuntimeError> {
    let engine = docker.engine.docker().await?;
    let asked = async {
        match engine.inspect_image(name).await {
            Err(error) if is_missing(&error) => Ok(None),
            other => other.map(Some),
        }
    };
    let seen = docker.engine.limit("asking for the image of", service, asked).await?;
    Ok(seen.and_then(|seen| {
        let environment = seen.config.and_then(|config| config.env).unwrap_or_default();
        Some((seen.id?, environment))
    }))
}

/// How a container is made.
fn form(seen: &ContainerInspectResponse) -> Form {
    let config = seen.config.clone().unwrap_or_default();
    let host = seen.host_config.clone().unwrap_or_default();
    let variable = |line: String| match line.split_once('=') {
        Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
        None => (line, None),
    };
    // Below zero is another word for "none".
    let amount = |amount: Option<i64>| Some(amount.map_or(0, |it| u64::try_from(it).unwrap_or(0)));
    // A negative one is "for ever", which no compose file can say.
    let grace = config.stop_timeout.map_or(Some(GRACE), |seconds| u64::try_from(seconds).ok());
    Form {
        image: config.image,
        image_id: seen.image.clone(),
        environment: config.env.unwrap_or_default().into_iter().map(variable).collect(),
        mounts: Some(mounts(seen.mounts.as_deref().unwrap_or_default(), &host)),
        memory: amount(host.memory),
        cpus: amount(host.nano_cpus),
        ports: Some(ports(&host)),
        restart: Some(restart(&host)),
        grace,
    }
}

fn mounts(points: &[MountPoint], host: &HostConfig) -> BTreeMap<String, Mount> {
    let known = points.iter().filter_map(|point| {
        let source = match point.typ.as_deref()? {
            "bind" => Source::path(point.source.as_deref()?),
            "tmpfs" => Source::Memory,
            "volume" => Source::Volume(point.name.clone().filter(|name| !is_anonymous(name))?),
            _ => return None,
        };
        let at = clean(point.destination.as_deref()?);
        Some((at, Mount { source, read_only: point.rw == Some(false) }))
    });
    let memory = host.tmpfs.iter().flatten().map(|(at, _)| {
        let mount = Mount { source: Source::Memory, read_only: false };
        (clean(at), mount)
    });
    known.chain(memory).collect()
}

/// Whether the engine made this name up.
fn is_anonymous(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn ports(host: &HostConfig) -> Ports {
    let published = host.port_bindings.iter().flatten();
    let told = published.filter_map(|(port, at)| {
        let at = at.as_ref()?.iter().map(|one| {
            let ip = one.host_ip.as_deref().unwrap_or_default();
            binding(ip, one.host_port.as_deref().unwrap_or_default())
        });
        Some((port.clone(), at.collect()))
    });
    told.collect()
}

fn restart(host: &HostConfig) -> String {
    let Some(own) = &host.restart_policy else { return policy("") };
    let name = own.name.map(|name| name.to_string()).unwrap_or_default();
    let tries = own.maximum_retry_count.filter(|_| name == "on-failure").unwrap_or(0);
    policy(&format!("{name}:{tries}"))
}
