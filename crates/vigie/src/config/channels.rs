//! Does: turns `[notify.…]` and `[[escalation]]` into the channels that the outbox knows.

use vigie_core::notify::{Channel, Level, Limit};

use super::model::File;
use super::{
    Common, DiscordConfig, EmailConfig, Lang, NotifyConfig, TelegramConfig, WebhookConfig,
};

/// One channel's own part of the configuration.
#[derive(Debug, Clone)]
pub enum ChannelConfig {
    /// A Discord webhook.
    Discord(DiscordConfig),
    /// A Telegram bot in a chat.
    Telegram(TelegramConfig),
    /// A program that takes JSON.
    Webhook(WebhookConfig),
    /// A mailbox.
    Email(EmailConfig),
}

impl ChannelConfig {
    /// The word in the configuration.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Discord(_) => "discord",
            Self::Telegram(_) => "telegram",
            Self::Webhook(_) => "webhook",
            Self::Email(_) => "email",
        }
    }

    /// Where its secrets are.
    #[must_use]
    pub fn secrets(&self) -> Vec<&super::Secret> {
        match self {
            Self::Discord(config) => vec![&config.url],
            Self::Telegram(config) => vec![&config.token],
            Self::Webhook(config) => std::iter::once(&config.url).chain(&config.secret).collect(),
            Self::Email(config) => config.password.iter().collect(),
        }
    }

    /// The services it is told of; of all where empty.
    pub(super) fn services(&self) -> &[String] {
        match self {
            Self::Discord(config) => &config.services,
            Self::Telegram(config) => &config.services,
            Self::Webhook(config) => &config.services,
            Self::Email(config) => &config.services,
        }
    }

    fn common(&self) -> Common {
        match self {
            Self::Discord(config) => config.into(),
            Self::Telegram(config) => config.into(),
            Self::Webhook(config) => config.into(),
            Self::Email(config) => config.into(),
        }
    }
}

/// Every channel with its name.
pub(super) fn named(notify: &NotifyConfig) -> Vec<(String, ChannelConfig)> {
    let discord = notify.discord.0.iter().cloned().map(ChannelConfig::Discord);
    let telegram = notify.telegram.0.iter().cloned().map(ChannelConfig::Telegram);
    let webhook = notify.webhook.0.iter().cloned().map(ChannelConfig::Webhook);
    let email = notify.email.0.iter().cloned().map(ChannelConfig::Email);
    let mut counts = std::collections::BTreeMap::new();
    let name = |kind: ChannelConfig| {
        let count = counts.entry(kind.word()).or_insert(0);
        *count += 1;
        let usual = match count {
            1 => kind.word().to_owned(),
            count => format!("{}-{count}", kind.word()),
        };
        (kind.common().name.unwrap_or(usual), kind)
    };
    discord.chain(telegram).chain(webhook).chain(email).map(name).collect()
}

/// A channel as the outbox knows it, with the language of its readers.
#[must_use]
pub fn channel(
    name: &str,
    kind: &ChannelConfig,
    stack: Lang,
    limits: Vec<Limit>,
) -> (Channel, Lang) {
    let common = kind.common();
    let channel = Channel {
        name: name.to_owned(),
        min_severity: common.min_severity,
        services: common.services,
        quiet: common.quiet,
        on_call: common.on_call,
        // A mailbox would fill with every step.
        follows: !matches!(kind, ChannelConfig::Email(_)),
        // A program counts; people read.
        digests: !matches!(kind, ChannelConfig::Webhook(_)),
        limits,
    };
    (channel, common.lang.unwrap_or(stack))
}

/// The levels of the escalation. Without any, every channel is told again until somebody answers.
pub(super) fn levels(file: &File) -> Vec<Level> {
    if file.escalation.is_empty() {
        let notify: Vec<_> = named(&file.notify).into_iter().map(|(name, _)| name).collect();
        let quarter = std::time::Duration::from_secs(900);
        let all = Level { notify, after: quarter, repeat: quarter };
        return if all.notify.is_empty() { Vec::new() } else { vec![all] };
    }
    let level = |one: &super::EscalationConfig| Level {
        notify: one.notify.clone(),
        after: one.after,
        repeat: one.repeat,
    };
    file.escalation.iter().map(level).collect()
}
