//! Does: reads `vigie.toml` and the runbooks, and turns them into what the core watches. Every error
//! names the file, the line, the cause and what to write instead.

mod backup;
mod channels;
mod check;
mod explain;
mod hush;
pub mod init;
mod load;
mod model;
mod notify;
mod postmortem;
mod runbooks;
mod secret;
mod snapshot;
#[cfg(test)]
mod tests;

pub use backup::{
    BackupConfig, RcloneConfig, RpoConfig, S3Config, ScheduleConfig, ServerConfig, SftpConfig,
    SiteConfig,
};
pub use channels::{ChannelConfig, channel};
pub use explain::ConfigError;
pub use load::{Config, find};
pub use model::{
    A2sConfig, DatabaseConfig, EnvValue, File, HeartbeatConfig, Lang, Method, RconConfig,
    RuntimeKind, ServiceConfig, StackConfig, TcpConfig,
};
pub use notify::{
    Common, DiscordConfig, EmailConfig, EscalationConfig, Many, NotifyConfig, TelegramConfig,
    WebhookConfig,
};
pub use postmortem::PostmortemConfig;
pub use runbooks::{BUILT_IN, load_runbooks, parse_runbook};
pub(crate) use secret::looks_secret;
pub use secret::{Secret, SecretError, Vault};
pub use snapshot::SnapshotConfig;
