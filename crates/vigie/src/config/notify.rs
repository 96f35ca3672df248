//! Does: the shape of `[notify.…]` and `[[escalation]]` in `vigie.toml`: one table, or several of a kind.

use std::fmt;
use std::time::Duration;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use vigie_core::incident::Severity;
use vigie_core::notify::Quiet;

use super::{Lang, Secret};

/// One table, or an array of them.
#[derive(Debug, Clone)]
pub struct Many<T>(pub Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = Many<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table, or an array of tables")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Many<T>, A::Error> {
                let one = T::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Many(vec![one]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Many<T>, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Many)
            }
        }
        deserializer.deserialize_any(Either(std::marker::PhantomData))
    }
}

/// `[notify]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotifyConfig {
    /// `[notify.discord]` or `[[notify.discord]]`.
    #[serde(default)]
    pub discord: Many<DiscordConfig>,
    /// `[notify.telegram]`.
    #[serde(default)]
    pub telegram: Many<TelegramConfig>,
    /// `[notify.webhook]`.
    #[serde(default)]
    pub webhook: Many<WebhookConfig>,
    /// `[notify.email]`.
    #[serde(default)]
    pub email: Many<EmailConfig>,
}

// Every kind has the same keys beside its own; serde's `flatten` would let unknown keys pass.
macro_rules! channel {
    ($(#[$meta:meta])* $name:ident { $($(#[$own:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$own])* pub $field: $kind,)*
            /// Its name; the kind's without one.
            #[serde(default)]
            pub name: Option<String>,
            /// Told of incidents this bad or worse.
            #[serde(default = "p3")]
            pub min_severity: Severity,
            /// Only of these services.
            #[serde(default)]
            pub services: Vec<String>,
            /// When P3 and P4 wait, such as `"23:00-08:00"`.
            #[serde(default, deserialize_with = "quiet")]
            pub quiet: Option<Quiet>,
            /// The language; the stack's without one.
            #[serde(default)]
            pub lang: Option<Lang>,
            /// Only told by `[[escalation]]`.
            #[serde(default)]
            pub on_call: bool,
        }

        impl From<&$name> for Common {
            fn from(config: &$name) -> Self {
                Self {
                    name: config.name.clone(),
                    min_severity: config.min_severity,
                    services: config.services.clone(),
                    quiet: config.quiet,
                    lang: config.lang,
                    on_call: config.on_call,
                }
            }
        }
    };
}

/// What every kind of channel has.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the keys of each channel's table, documented there")]
pub struct Common {
    pub name: Option<String>,
    pub min_severity: Severity,
    pub services: Vec<String>,
    pub quiet: Option<Quiet>,
    pub lang: Option<Lang>,
    pub on_call: bool,
}

channel! {
    /// A Discord webhook.
    DiscordConfig {
        /// Its address, which is its password.
        url: Secret,
    }
}

channel! {
    /// A Telegram bot in one chat.
    TelegramConfig {
        /// The bot's token.
        token: Secret,
        /// The chat's id.
        chat: i64,
        /// Who may press buttons, by user id.
        #[serde(default)]
        users: Vec<i64>,
        /// The API's address, for a server of one's own.
        #[serde(default = "telegram_api")]
        api: String,
    }
}

channel! {
    /// A program that takes JSON.
    WebhookConfig {
        /// Its address.
        url: Secret,
        /// What the body is signed with.
        #[serde(default)]
        secret: Option<Secret>,
    }
}

channel! {
    /// A mailbox.
    EmailConfig {
        /// The SMTP server: `smtps://host`, or `smtp://host:587` with STARTTLS.
        server: String,
        /// The account.
        #[serde(default)]
        user: Option<String>,
        /// Its password.
        #[serde(default)]
        password: Option<Secret>,
        /// The sender.
        from: String,
        /// The receivers.
        to: Vec<String>,
    }
}

/// One `[[escalation]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalationConfig {
    /// The channels' names.
    pub notify: Vec<String>,
    /// How long after the level before.
    #[serde(default = "quarter", with = "vigie_core::span")]
    pub after: Duration,
    /// How often the last level is told again.
    #[serde(default = "quarter", with = "vigie_core::span")]
    pub repeat: Duration,
}

const fn quarter() -> Duration {
    Duration::from_secs(900)
}

const fn p3() -> Severity {
    Severity::P3
}

fn telegram_api() -> String {
    String::from("https://api.telegram.org")
}

fn quiet<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Quiet>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = || serde::de::Error::custom("write quiet hours like \"23:00-08:00\"");
    let minute = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    let (from, to) = text.split_once('-').ok_or_else(wrong)?;
    let quiet = minute(from).zip(minute(to)).map(|(from, to)| Quiet { from, to });
    quiet.filter(|quiet| quiet.from != quiet.to).map(Some).ok_or_else(wrong)
}
