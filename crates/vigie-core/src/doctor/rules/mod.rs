//! Decides which rules there are: a closed set, one file each, with what the rule says about itself and
//! how it looks.

mod authkey_unused;
mod bind_ignored_by_git;
mod depends_on_without_health;
mod dotenv_in_git;
mod eol_database_image;
mod healthcheck_only_listens;
mod image_only_local;
mod no_healthcheck;
mod no_log_rotation;
mod no_memory_limit;
mod no_restart_policy;
mod no_stop_grace;
mod ping_proves_nothing;
mod plain_secret_cfg;
mod plain_secret_compose;
mod plain_secret_lua;
mod port_public;
mod production_unset;
mod rcon_whitelist_missing;
mod secret_sent_to_clients;
mod volume_over_image;

use super::finding::text;
use super::project::Found;
use super::{About, Finding, Fix, Level, Project, Service};

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// A volume hides what the image carries.
    VolumeOverImage,
    /// A service starts before what it needs is ready.
    DependsOnWithoutHealth,
    /// Nobody asks the service whether it works.
    NoHealthcheck,
    /// The check passes on a frozen game.
    HealthcheckOnlyListens,
    /// The check passes when nobody can log in.
    PingProvesNothing,
    /// A secret stands in a compose file.
    PlainSecretCompose,
    /// A secret stands in a configuration of the game.
    PlainSecretCfg,
    /// A secret stands in Lua.
    PlainSecretLua,
    /// Every player gets a secret.
    SecretSentToClients,
    /// Git does not leave out the file with the secrets.
    DotenvInGit,
    /// A key is handed over that nobody reads.
    AuthkeyUnused,
    /// The whole Internet reaches a port that players need not.
    PortPublic,
    /// Anybody may try passwords on RCON.
    RconWhitelistMissing,
    /// The image is nowhere but here.
    ImageOnlyLocal,
    /// A fresh clone lacks what the container needs.
    BindIgnoredByGit,
    /// A stop is a kill after ten seconds.
    NoStopGrace,
    /// The log grows until the disk is full.
    NoLogRotation,
    /// One service can take the memory of all.
    NoMemoryLimit,
    /// What ends stays ended.
    NoRestartPolicy,
    /// The database gets no more repairs.
    EolDatabaseImage,
    /// The game runs under a debugger.
    ProductionUnset,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::VolumeOverImage,
        Self::DependsOnWithoutHealth,
        Self::NoHealthcheck,
        Self::HealthcheckOnlyListens,
        Self::PingProvesNothing,
        Self::PlainSecretCompose,
        Self::PlainSecretCfg,
        Self::PlainSecretLua,
        Self::SecretSentToClients,
        Self::DotenvInGit,
        Self::AuthkeyUnused,
        Self::PortPublic,
        Self::RconWhitelistMissing,
        Self::ImageOnlyLocal,
        Self::BindIgnoredByGit,
        Self::NoStopGrace,
        Self::NoLogRotation,
        Self::NoMemoryLimit,
        Self::NoRestartPolicy,
        Self::EolDatabaseImage,
        Self::ProductionUnset,
    ];

    /// What it says about itself.
    #[must_use]
    pub const fn about(self) -> &'static About {
        match self {
            Self::VolumeOverImage => &volume_over_image::ABOUT,
            Self::DependsOnWithoutHealth => &depends_on_without_health::ABOUT,
            Self::NoHealthcheck => &no_healthcheck::ABOUT,
            Self::HealthcheckOnlyListens => &healthcheck_only_listens::ABOUT,
            Self::PingProvesNothing => &ping_proves_nothing::ABOUT,
            Self::PlainSecretCompose => &plain_secret_compose::ABOUT,
            Self::PlainSecretCfg => &plain_secret_cfg::ABOUT,
            Self::PlainSecretLua => &plain_secret_lua::ABOUT,
            Self::SecretSentToClients => &secret_sent_to_clients::ABOUT,
            Self::DotenvInGit => &dotenv_in_git::ABOUT,
            Self::AuthkeyUnused => &authkey_unused::ABOUT,
            Self::PortPublic => &port_public::ABOUT,
            Self::RconWhitelistMissing => &rcon_whitelist_missing::ABOUT,
            Self::ImageOnlyLocal => &image_only_local::ABOUT,
            Self::BindIgnoredByGit => &bind_ignored_by_git::ABOUT,
            Self::NoStopGrace => &no_stop_grace::ABOUT,
            Self::NoLogRotation => &no_log_rotation::ABOUT,
            Self::NoMemoryLimit => &no_memory_limit::ABOUT,
            Self::NoRestartPolicy => &no_restart_policy::ABOUT,
            Self::EolDatabaseImage => &eol_database_image::ABOUT,
            Self::ProductionUnset => &production_unset::ABOUT,
        }
    }

    /// The rule of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.about().word == word)
    }

    pub(super) fn look(self, project: &Project<'_>, found: &mut Vec<Finding>) {
        match self {
            Self::VolumeOverImage => volume_over_image::look(project, found),
            Self::DependsOnWithoutHealth => depends_on_without_health::look(project, found),
            Self::NoHealthcheck => no_healthcheck::look(project, found),
            Self::HealthcheckOnlyListens => healthcheck_only_listens::look(project, found),
            Self::PingProvesNothing => ping_proves_nothing::look(project, found),
            Self::PlainSecretCompose => plain_secret_compose::look(project, found),
            Self::PlainSecretCfg => plain_secret_cfg::look(project, found),
            Self::PlainSecretLua => plain_secret_lua::look(project, found),
            Self::SecretSentToClients => secret_sent_to_clients::look(project, found),
            Self::DotenvInGit => dotenv_in_git::look(project, found),
            Self::AuthkeyUnused => authkey_unused::look(project, found),
            Self::PortPublic => port_public::look(project, found),
            Self::RconWhitelistMissing => rcon_whitelist_missing::look(project, found),
            Self::ImageOnlyLocal => image_only_local::look(project, found),
            Self::BindIgnoredByGit => bind_ignored_by_git::look(project, found),
            Self::NoStopGrace => no_stop_grace::look(project, found),
            Self::NoLogRotation => no_log_rotation::look(project, found),
            Self::NoMemoryLimit => no_memory_limit::look(project, found),
            Self::NoRestartPolicy => no_restart_policy::look(project, found),
            Self::EolDatabaseImage => eol_database_image::look(project, found),
            Self::ProductionUnset => production_unset::look(project, found),
        }
    }

    /// A finding at a value.
    fn at(self, at: &Found<'_>, service: &Service<'_>, what: (String, String)) -> Finding {
        Finding {
            rule: self,
            level: self.about().level,
            file: at.path.to_owned(),
            place: at.view.place(),
            service: Some(service.name.to_owned()),
            what: text(what.0, what.1),
            fix: None,
        }
    }

    /// A finding at a service's name: what is missing has no place of its own.
    fn at_service(self, service: &Service<'_>, what: (String, String)) -> Finding {
        Finding {
            rule: self,
            level: self.about().level,
            file: service.path().to_owned(),
            place: service.place,
            service: Some(service.name.to_owned()),
            what: text(what.0, what.1),
            fix: None,
        }
    }
}

impl Finding {
    fn fixed_by(mut self, fix: Option<Fix>) -> Self {
        self.fix = fix;
        self
    }

    fn with_level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }
}

/// A value of a service set in the file that defines it.
fn set(service: &Service<'_>, keys: &[&str], value: crate::compose::Value) -> Fix {
    Fix::set(service.file, &[&["services", service.name], keys].concat(), value)
}
