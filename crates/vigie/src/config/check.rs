//! Decides whether a configuration that reads makes sense: names that refer to each other, addresses,
//! lengths of time, schedules.

use std::path::Path;
use std::time::Duration;

use vigie_core::backup::{Asset, Kind};
use vigie_core::state::ServiceState;

use super::model::{File, LimitsConfig, RuntimeKind, ServiceConfig};
use super::secret::looks_secret;
use super::{BackupConfig, ConfigError, EnvValue, PostmortemConfig, ScheduleConfig};

/// A shorter rhythm or time for an answer is a slip of the pen: every look would fail.
const SHORTEST: Duration = Duration::from_millis(100);

/// The text of the file, to point into.
struct Checked<'a> {
    path: &'a Path,
    text: &'a str,
}

pub(super) fn check(path: &Path, text: &str, file: &File) -> Result<(), ConfigError> {
    let checked = Checked { path, text };
    if file.service.is_empty() {
        let hint = String::from("`vigie init` finds them in the compose file");
        return Err(ConfigError::whole(path, "it names no [service.…]", Some(hint)));
    }
    if file.service.len() > 4096 {
        return Err(ConfigError::whole(path, "more than 4096 services", None));
    }
    for (name, service) in &file.service {
        checked.service(name, service, file)?;
    }
    checked.channels(file)?;
    if file.heartbeat.as_ref().is_some_and(|one| one.every < Duration::from_secs(1)) {
        let what = "`every` is too short; write \"1s\" or more";
        return Err(checked.at("[heartbeat]", "every", what));
    }
    let promised = file.slo.availability;
    if !(0.0..100.0).contains(&promised) {
        let what = "`availability` is a percentage below 100, such as 99.0";
        return Err(checked.at("[slo]", "availability", what));
    }
    if file.budget.restarts.is_some_and(|restarts| restarts > ServiceState::RESTARTS) {
        let most = ServiceState::RESTARTS;
        let what = format!("`restarts` is at most {most}: no more are remembered");
        return Err(checked.at("[budget]", "restarts", &what));
    }
    let remind = &file.postmortem.remind;
    if remind != PostmortemConfig::NEVER
        && let Err(error) = remind.parse::<croner::Cron>()
    {
        let what = format!("`{remind}` is neither `never` nor a cron schedule: {error}");
        return Err(checked.at("[postmortem]", remind, &what));
    }
    if let Some(backup) = &file.backup {
        checked.backup(backup)?;
        checked.schemas(backup, file)?;
    }
    for window in &file.maintenance {
        if let Err(error) = window.cron.parse::<croner::Cron>() {
            let what = format!("`{}` is no cron schedule: {error}", window.cron);
            return Err(checked.at("[[maintenance]]", &window.cron, &what));
        }
    }
    Ok(())
}

impl Checked<'_> {
    /// Sites of exactly one kind, a first one that is there, schedules that are some.
    fn backup(&self, backup: &BackupConfig) -> Result<(), ConfigError> {
        if backup.site.is_empty() {
            let what = "there is no site; write [backup.site.disk] with local = \"/mnt/backup\", or s3, \
                        sftp, webdav, rest, rclone";
            return Err(self.at("[backup]", "password", what));
        }
        for (name, site) in &backup.site {
            let section = format!("[backup.site.{name}");
            if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
                let what = "a site's name has letters, digits, - and _";
                return Err(self.at(&section, name, what));
            }
            if site.kinds() != 1 {
                let what = format!(
                    "the site `{name}` is of {} kinds; write one of local, s3, sftp, webdav, rest, rclone",
                    site.kinds()
                );
                return Err(self.at(&section, name, &what));
            }
        }
        if let Some(first) = backup.first.as_ref().filter(|first| !backup.site.contains_key(*first))
        {
            let known: Vec<_> = backup.site.keys().map(String::as_str).collect();
            let what = format!("there is no site `{first}`; known here: {}", known.join(", "));
            return Err(self.at("[backup]", first, &what));
        }
        for (key, schedule) in backup.schedule.all() {
            if schedule != ScheduleConfig::NEVER
                && let Err(error) = schedule.parse::<croner::Cron>()
            {
                let what = format!("`{schedule}` is neither `never` nor a cron schedule: {error}");
                return Err(self.at("[backup.schedule]", key, &what));
            }
        }
        Ok(())
    }

    /// A database's backups are called by its schema: two of one name would be taken for one.
    fn schemas(&self, backup: &BackupConfig, file: &File) -> Result<(), ConfigError> {
        let mut seen = std::collections::BTreeMap::new();
        for (name, service) in &file.service {
            let schema = service.database.as_ref().and_then(|database| database.schema.as_ref());
            let Some(schema) = schema else { continue };
            let (kind, what) = (Kind::Database, schema.clone());
            let asset = Asset { kind, service: Some(name.clone()), what };
            if backup.exclude.iter().any(|excluded| asset.is_called(excluded)) {
                continue;
            }
            if let Some(other) = seen.insert(schema, name) {
                let what = format!(
                    "`{other}` and `{name}` both have the schema `{schema}`, so their backups would have one \
                     name; leave `schema` out of one of them and name that service in `exclude`, or give \
                     one schema another name"
                );
                return Err(self.at(&format!("[service.{name}"), "schema", &what));
            }
        }
        Ok(())
    }

    /// An error at `needle` behind the header of its section, wherever that is; comments say nothing.
    fn at(&self, section: &str, needle: &str, what: &str) -> ConfigError {
        let mut offset = 0;
        let mut inside = false;
        let mut header = None;
        for line in self.text.split_inclusive('\n') {
            let trimmed = line.trim_start();
            if trimmed.starts_with('[') {
                inside = trimmed.starts_with(section);
                header = header.or(inside.then_some(offset + line.len() - trimmed.len()));
            }
            if inside
                && !trimmed.starts_with('#')
                && let Some(column) = line.find(needle)
            {
                let start = offset + column;
                return ConfigError::at(
                    self.path,
                    self.text,
                    Some(start..start + needle.len()),
                    what,
                );
            }
            offset += line.len();
        }
        // Written in another way than expected: the section at least.
        ConfigError::at(self.path, self.text, header.map(|at| at..at + 1), what)
    }

    fn service(&self, name: &str, service: &ServiceConfig, file: &File) -> Result<(), ConfigError> {
        // Without the closing bracket: `[service.gmod.rcon]` is part of it.
        let section = format!("[service.{name}");
        if name == vigie_core::stack::HOST {
            let what = "`host` is the host's own name; choose another";
            return Err(self.at(&section, name, what));
        }
        self.dependencies(&section, name, service, file)?;
        self.probes(&section, service)?;
        self.limits(&section, &service.limits)?;
        for (variable, value) in &service.env {
            if matches!(value, EnvValue::Plain(_)) && looks_secret(variable) {
                let what = format!(
                    "`{variable}` looks like a secret, which is never written here; \
                     say where it is: {{ env = \"NAME\" }} or {{ file = \"/path\" }}"
                );
                return Err(self.at(&section, variable, &what));
            }
        }
        if file.stack.runtime == RuntimeKind::Process && service.command.is_empty() {
            let what = format!("service `{name}` needs a `command` under the process runtime");
            return Err(self.at(&section, &section, &what));
        }
        Ok(())
    }

    fn channels(&self, file: &File) -> Result<(), ConfigError> {
        let channels = super::channels::named(&file.notify);
        let known = || channels.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>();
        let mut seen = std::collections::BTreeSet::new();
        for (name, kind) in &channels {
            let section = format!("[notify.{}", kind.word());
            if !seen.insert(name) {
                let what = format!("two channels are called `{name}`; give one another `name`");
                return Err(self.at(&section, &format!("\"{name}\""), &what));
            }
            for service in kind.services() {
                if !file.service.contains_key(service) {
                    let names: Vec<_> =
                        file.service.keys().map(|name| format!("`{name}`")).collect();
                    let what = format!(
                        "unknown service `{service}`, expected one of {}",
                        names.join(", ")
                    );
                    return Err(self.at(&section, &format!("\"{service}\""), &what));
                }
            }
        }
        for level in &file.escalation {
            if level.notify.is_empty() {
                return Err(self.at(
                    "[[escalation]]",
                    "notify",
                    "a level tells at least one channel",
                ));
            }
            if level.repeat < Duration::from_secs(60) {
                let what = "`repeat` is too short; nobody is told more often than once a minute";
                return Err(self.at("[[escalation]]", "repeat", what));
            }
            for name in &level.notify {
                if !seen.contains(name) {
                    let what =
                        format!("unknown channel `{name}`, expected one of {}", known().join(", "));
                    return Err(self.at("[[escalation]]", &format!("\"{name}\""), &what));
                }
            }
        }
        Ok(())
    }

    fn dependencies(
        &self,
        section: &str,
        name: &str,
        service: &ServiceConfig,
        file: &File,
    ) -> Result<(), ConfigError> {
        for needed in &service.depends_on {
            let quoted = format!("\"{needed}\"");
            if !file.service.contains_key(needed) {
                let known: Vec<_> = file.service.keys().map(|name| format!("`{name}`")).collect();
                let what =
                    format!("unknown service `{needed}`, expected one of {}", known.join(", "));
                return Err(self.at(section, &quoted, &what));
            }
            if let Some(way) = way(file, needed, name) {
                let what = format!(
                    "services that need each other: `{name}` needs {}; each would be the cause of \
                     the other's faults",
                    way.iter()
                        .map(|name| format!("`{name}`"))
                        .collect::<Vec<_>>()
                        .join(", which needs ")
                );
                return Err(self.at(section, &quoted, &what));
            }
        }
        Ok(())
    }

    fn probes(&self, section: &str, service: &ServiceConfig) -> Result<(), ConfigError> {
        let probes = [
            service.a2s.as_ref().map(|probe| (&probe.address, probe.every, probe.timeout)),
            service.rcon.as_ref().map(|probe| (&probe.address, probe.every, probe.timeout)),
            service.tcp.as_ref().map(|probe| (&probe.address, probe.every, probe.timeout)),
            service.database.as_ref().map(|probe| (&probe.address, probe.every, probe.timeout)),
        ];
        for (address, every, timeout) in probes.into_iter().flatten() {
            let place = address.rsplit_once(':');
            let port =
                place.and_then(|(_, port)| port.parse::<u16>().ok()).filter(|port| *port > 0);
            // An address with an @ in it is a URL with its password: not repeated.
            let host =
                place.is_some_and(|(host, _)| !host.is_empty() && !host.contains(['@', '/']));
            if port.is_none() || !host {
                let quoted = format!("\"{address}\"");
                return Err(self.at(section, &quoted, "this is no address; write HOST:PORT"));
            }
            for (key, time) in [("every", every), ("timeout", timeout)] {
                if time < SHORTEST {
                    let what = format!("`{key}` is too short; write \"100ms\" or more");
                    return Err(self.at(section, key, &what));
                }
            }
        }
        Ok(())
    }

    fn limits(&self, section: &str, limits: &LimitsConfig) -> Result<(), ConfigError> {
        let percents = [
            ("memory_pct", limits.memory_pct),
            ("memory_high_pct", limits.memory_high_pct),
            ("cpu_pct", limits.cpu_pct),
        ];
        for (key, pct) in percents {
            if pct.is_some_and(|pct| !(1.0..=10_000.0).contains(&pct)) {
                let what = format!("`{key}` is a percentage, such as 90");
                return Err(self.at(section, key, &what));
            }
        }
        let counts = [
            ("failures", limits.failures.map(u64::from)),
            ("exits", limits.exits.map(|exits| exits as u64)),
        ];
        for (key, count) in counts {
            if count == Some(0) {
                return Err(self.at(section, key, &format!("`{key}` is at least 1")));
            }
        }
        if limits.exits.is_some_and(|exits| exits > ServiceState::EXITS) {
            let what =
                format!("`exits` is at most {}: no more are remembered", ServiceState::EXITS);
            return Err(self.at(section, "exits", &what));
        }
        Ok(())
    }
}

/// The services on the way by which `from` needs `to`, if it does.
fn way(file: &File, from: &str, to: &str) -> Option<Vec<String>> {
    let mut ways = vec![vec![from.to_owned()]];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(way) = ways.pop() {
        let last = way.last()?;
        if last == to {
            return Some(way);
        }
        if !seen.insert(last.clone()) {
            continue;
        }
        for next in file.service.get(last).into_iter().flat_map(|service| &service.depends_on) {
            ways.push(way.iter().chain([next]).cloned().collect());
        }
    }
    None
}
