//! Does: writes the systemd unit that runs the watch of one configuration: restarted whatever happens,
//! with the rights that this stack's watch needs and no others.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::config::{Config, RuntimeKind};

/// Why there is no unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Two lines in one name.
    #[error("{0:?} has a line break in it, which no unit can name; move it")]
    Broken(PathBuf),
    /// Bytes that are no text.
    #[error("{0:?} is no text, which no unit can name; move it")]
    NoText(PathBuf),
}

/// What a unit is made of.
#[derive(Debug, Clone)]
pub struct Unit<'a> {
    /// The binary.
    pub program: PathBuf,
    /// The configuration, at its absolute path.
    pub config: &'a Config,
    /// The account that the watch runs as; root where it is missing.
    pub account: Option<String>,
    /// `DOCKER_HOST` as it is set here: a service would not have it.
    pub docker_host: Option<String>,
}

/// Memory that the watch and the Compose that it calls may take; it needs a tenth of it.
const MEMORY: &str = "512M";

impl Unit<'_> {
    /// The unit's text.
    ///
    /// # Errors
    /// When a path cannot stand in a unit.
    pub fn text(&self) -> Result<String, UnitError> {
        let mut out = String::from(
            "# Written by `vigie systemd` for one configuration; write it again when its paths change, and put\n\
             # changes of your own into `systemctl edit`.\n",
        );
        self.begin(&mut out);
        self.service(&mut out)?;
        self.limits(&mut out)?;
        out.push_str("\n[Install]\nWantedBy=multi-user.target\n");
        Ok(out)
    }

    fn is_docker(&self) -> bool {
        self.config.file.stack.runtime == RuntimeKind::Docker
    }

    fn begin(&self, out: &mut String) {
        let after = if self.is_docker() {
            "network-online.target docker.service"
        } else {
            "network-online.target"
        };
        let stack = plain(&self.config.stack.name);
        let _ = write!(
            out,
            "[Unit]\nDescription=vigie, the watch of {stack}\nWants={after}\nAfter={after}\n\
             # Whatever ends it, it is started again, for ever.\nStartLimitIntervalSec=0\n"
        );
    }

    fn service(&self, out: &mut String) -> Result<(), UnitError> {
        let program = word(&self.program, false)?;
        let path = std::path::absolute(&self.config.path).unwrap_or(self.config.path.clone());
        let config = word(&path, true)?;
        let secrets = text(&self.config.directory().join("vigie.env"))?.replace('%', "%%");
        let _ = write!(
            out,
            "\n[Service]\nType=notify\nNotifyAccess=main\nExecStart={program} --config {config} watch\n\
             # Secrets, beside those in the .env of the project; only root has to be able to read it.\n\
             EnvironmentFile=-{secrets}\n"
        );
        if let (true, Some(host)) = (self.is_docker(), &self.docker_host) {
            let variable = format!("DOCKER_HOST={host}");
            let _ = writeln!(out, "Environment={}", word(Path::new(&variable), false)?);
        }
        if let Some(account) = &self.account {
            let _ = writeln!(out, "User={account}");
        }
        out.push_str(
            "Restart=always\nRestartSec=2\n\
             # The watch says that it lives only while its engine answers.\nWatchdogSec=60\nTimeoutStopSec=20\n\
             OOMPolicy=continue\n",
        );
        out.push_str(if self.is_docker() {
            "# A Compose that it was running does not go on without it.\nKillMode=mixed\n"
        } else {
            "# The services that it started go on without it, and are taken over by the next one.\n\
             KillMode=process\n"
        });
        Ok(())
    }

    /// What it may do. What holds for the watch holds for the services that it starts.
    fn limits(&self, out: &mut String) -> Result<(), UnitError> {
        out.push_str("\nNoNewPrivileges=yes\n");
        if !self.is_docker() {
            return self.process_limits(out);
        }
        let state = word(&self.config.state_directory(), false)?;
        let _ = write!(
            out,
            "UMask=0077\nProtectSystem=strict\nReadWritePaths={state}\nProtectHome=read-only\n{}\
             PrivateDevices=yes\nProtectClock=yes\nProtectHostname=yes\nProtectKernelLogs=yes\n\
             ProtectKernelModules=yes\nProtectKernelTunables=yes\nProtectControlGroups=yes\n\
             RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK\nRestrictNamespaces=yes\n\
             RestrictRealtime=yes\nRestrictSUIDSGID=yes\nLockPersonality=yes\n\
             SystemCallArchitectures=native\nSystemCallFilter=@system-service\n\
             SystemCallErrorNumber=EPERM\n",
            if self.needs_tmp() { "" } else { "PrivateTmp=yes\n" },
        );
        out.push_str(if self.account.is_some() {
            "CapabilityBoundingSet=\n"
        } else {
            "# As root it still reads what other accounts have written.\n\
             CapabilityBoundingSet=CAP_DAC_OVERRIDE\n"
        });
        let _ = write!(
            out,
            "# Of all that runs on a host that is short of memory, this goes last.\nOOMScoreAdjust=-500\n\
             MemoryMax={MEMORY}\nTasksMax=256\n"
        );
        Ok(())
    }

    /// Little is taken away: it would be taken from the servers, too.
    fn process_limits(&self, out: &mut String) -> Result<(), UnitError> {
        let directory = self.config.directory();
        let services = self.config.file.service.values();
        let places = services.filter_map(|service| service.directory.as_ref());
        let mut places: Vec<_> = places.map(|place| directory.join(place)).collect();
        places.extend([self.config.state_directory(), directory]);
        places.sort();
        places.dedup();
        out.push_str(
            "# What is forbidden here is forbidden to the servers that it starts, too.\nProtectSystem=yes\n",
        );
        for place in places {
            // A place that does not exist yet is no reason not to start.
            let place = PathBuf::from(format!("-{}", text(&place)?));
            let _ = writeln!(out, "ReadWritePaths={}", word(&place, false)?);
        }
        Ok(())
    }

    /// Whether something that it uses lies where a private /tmp would hide it.
    fn needs_tmp(&self) -> bool {
        let stack = &self.config.file.stack;
        let host = stack.docker_host.as_ref().or(self.docker_host.as_ref());
        let socket = host.and_then(|host| host.strip_prefix("unix://")).map(PathBuf::from);
        let directory = self.config.directory();
        let paths = [
            Some(self.program.clone()),
            Some(directory.clone()),
            Some(self.config.state_directory()),
            Some(directory.join(&stack.runbooks)),
            stack.compose.as_ref().map(|file| directory.join(file)),
            socket,
        ];
        let hidden = |path: &PathBuf| path.starts_with("/tmp") || path.starts_with("/var/tmp");
        paths.iter().flatten().any(hidden)
    }
}

fn text(path: &Path) -> Result<&str, UnitError> {
    let text = path.to_str().ok_or_else(|| UnitError::NoText(path.to_owned()))?;
    if text.chars().any(char::is_control) {
        return Err(UnitError::Broken(path.to_owned()));
    }
    Ok(text)
}

/// One word of a unit's line. Only a command's arguments have variables in them.
fn word(path: &Path, argument: bool) -> Result<String, UnitError> {
    let mut word = text(path)?.replace('%', "%%");
    if argument {
        word = word.replace('$', "$$");
    }
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:@%$".contains(c);
    if word.chars().all(is_plain) {
        return Ok(word);
    }
    Ok(format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// A text for people, in one line.
fn plain(text: &str) -> String {
    crate::text::printable(text).replace('%', "%%").trim_end_matches('\\').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKER: &str = "[stack]\nname = \"DarkRP 100%\"\n[service.gmod]\nrole = \"game\"\n";
    const PROCESS: &str = "[stack]\nname = \"practice\"\nruntime = \"process\"\n[service.gmod]\nrole = \"game\"\ncommand = [\"srcds\"]\n";

    fn unit(path: &str, text: &str, account: Option<&str>) -> String {
        let config = Config::parse(Path::new(path), text).unwrap();
        let program = PathBuf::from("/usr/local/bin/vigie");
        let account = account.map(str::to_owned);
        Unit { program, config: &config, account, docker_host: None }.text().unwrap()
    }

    #[test]
    fn a_stack_on_docker() {
        insta::assert_snapshot!(unit("/srv/gmod/vigie.toml", DOCKER, Some("gmod")));
    }

    #[test]
    fn a_stack_of_processes() {
        insta::assert_snapshot!(unit("/srv/gmod/vigie.toml", PROCESS, Some("gmod")));
    }

    #[test]
    fn odd_names_are_quoted() {
        let text = unit("/srv/my \"server\" 5$/vigie.toml", DOCKER, None);
        let config = "--config \"/srv/my \\\"server\\\" 5$$/vigie.toml\" watch";
        assert!(text.contains(config), "{text}");
        assert!(text.contains("ReadWritePaths=\"/srv/my \\\"server\\\" 5$/.vigie\""), "{text}");
        assert!(text.contains("EnvironmentFile=-/srv/my \"server\" 5$/vigie.env"), "{text}");
        assert!(text.contains("DarkRP 100%%") && text.contains("CAP_DAC_OVERRIDE"), "{text}");
        assert!(!text.contains("User="), "{text}");
        let config = Config::parse(Path::new("/srv/a\nExecStartPre=x/vigie.toml"), DOCKER).unwrap();
        let program = PathBuf::from("/bin/vigie");
        let unit = Unit { program, config: &config, account: None, docker_host: None };
        assert!(matches!(unit.text(), Err(UnitError::Broken(_))));
    }

    #[test]
    fn what_lies_in_tmp_stays_visible() {
        assert!(unit("/srv/x/vigie.toml", DOCKER, None).contains("PrivateTmp=yes"));
        assert!(!unit("/tmp/x/vigie.toml", DOCKER, None).contains("PrivateTmp"));
        let config = Config::parse(Path::new("/srv/x/vigie.toml"), DOCKER).unwrap();
        let program = PathBuf::from("/bin/vigie");
        let docker_host = Some(String::from("unix:///tmp/docker.sock"));
        let text = Unit { program, config: &config, account: None, docker_host }.text().unwrap();
        assert!(!text.contains("PrivateTmp"), "{text}");
        assert!(text.contains("Environment=DOCKER_HOST=unix:///tmp/docker.sock"), "{text}");
    }
}
