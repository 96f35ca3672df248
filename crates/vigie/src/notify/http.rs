//! Does: HTTP for all channels and the heartbeat: one client with short time limits that follows no redirect and reads
//! little. Never lets an address out in an error: it is a password on some channels.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Method, Url, redirect};
use rustls::{ClientConfig, RootCertStore};

use super::SenderError;

/// The longest answer that is read; what comes after it is not needed to understand one.
const MOST: usize = 64 * 1024;
const CONNECT: Duration = Duration::from_secs(5);
const TOTAL: Duration = Duration::from_secs(15);
/// What a server asks for is believed up to here: a wrong clock there must not silence a channel.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The client that all channels share.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
}

/// What the other side answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The header's wish.
    retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// One request.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: &'a [u8],
    /// Instead of the usual time limit, for a request that is meant to hang.
    pub(super) patience: Option<Duration>,
}

impl<'a> Ask<'a> {
    pub(super) const fn new(method: Method, url: Url, body: &'a [u8]) -> Self {
        Self { method, url, headers: Vec::new(), body, patience: None }
    }
}

impl Http {
    /// Trusts the system's certificate authorities, and Mozilla's where the system has none, as in
    /// a small container.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> Result<Self, SenderError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = rustls::crypto::ring::default_provider();
        let tls = ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .map_err(|error| SenderError::Tls(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("vigie/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            .build()
            .map_err(|error| SenderError::Tls(innermost(&error.without_url())))?;
        Ok(Self { client })
    }

    /// Asks for `address` and gives the status of the answer; an error is what a person reads about why
    /// there was none.
    pub(crate) async fn get(&self, address: &Address, patience: Duration) -> Result<u16, String> {
        let request = self.client.get(address.0.clone()).timeout(patience);
        let response = request.send().await.map_err(failure)?;
        Ok(response.status().as_u16())
    }

    /// Sends JSON; an error is what a person reads about why there was no answer.
    pub(super) async fn json(&self, ask: Ask<'_>) -> Result<Answer, String> {
        let mut request = self
            .client
            .request(ask.method, ask.url)
            .header("Content-Type", "application/json")
            .body(ask.body.to_vec());
        for (name, value) in ask.headers {
            request = request.header(name, value);
        }
        if let Some(patience) = ask.patience {
            request = request.timeout(patience);
        }
        let mut response = request.send().await.map_err(failure)?;
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get("Retry-After")
            .and_then(|value| value.to_str().ok())
            .and_then(|text| asked(text.trim(), Timestamp::now()));
        let mut body = Vec::new();
        // An answer that breaks off was still given: its status says what happened to the message.
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = MOST - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if body.len() == MOST {
                break;
            }
        }
        Ok(Answer { status, retry_after, body })
    }
}

impl Answer {
    /// The body, where it is JSON.
    pub(super) fn value(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// How long the other side wants to be left alone: by its header or by its body, the longer.
    pub(super) fn wait(&self, body: Option<f64>) -> Option<Duration> {
        self.retry_after.max(body.and_then(wait))
    }

    pub(super) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }
}

/// The header's wish: seconds, or a day and time as web servers write it. What is past is no wish.
fn asked(text: &str, now: Timestamp) -> Option<Duration> {
    let until = || {
        let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        Some(until.duration_since(now).as_secs_f64())
    };
    wait(text.parse().ok().or_else(until)?)
}

fn wait(seconds: f64) -> Option<Duration> {
    let wait = Duration::try_from_secs_f64(seconds);
    // Too large for a length of time is also a wish; a negative number is none.
    let wait = wait.ok().or_else(|| (seconds > 0.0).then_some(LONGEST_WAIT));
    wait.map(|wait| wait.min(LONGEST_WAIT))
}

fn failure(error: reqwest::Error) -> String {
    let error = error.without_url();
    if error.is_timeout() {
        return String::from("no answer in time");
    }
    let what = if error.is_connect() { "no connection" } else { "no answer" };
    format!("{what}: {}", innermost(&error))
}

/// The last cause says what happened; those around it only say where.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Reads an address. Plain HTTP is refused where it would carry a password over a network.
pub(crate) fn address(
    what: &'static str,
    text: &str,
    plain: Plain,
) -> Result<Address, SenderError> {
    let url = Url::parse(text.trim()).map_err(|_| SenderError::Address { what })?;
    let host = url.host_str().ok_or(SenderError::Address { what })?;
    match url.scheme() {
        "https" => Ok(Address(url)),
        "http" if plain == Plain::Anywhere || is_loopback(host) => Ok(Address(url)),
        "http" => Err(SenderError::Plain { what }),
        _ => Err(SenderError::Address { what }),
    }
}

/// An address that is, or holds, a password: it does not show itself.
#[derive(Clone)]
pub(crate) struct Address(pub(super) Url);

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address(…)")
    }
}

/// Where an address may do without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plain {
    /// In one's own network, by one's own choice.
    Anywhere,
    /// Only on this host.
    Here,
}

pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_believed_up_to_an_hour() {
        let answer = |retry_after| Answer { status: 429, retry_after, body: Vec::new() };
        assert_eq!(answer(wait(1.5)).wait(Some(0.25)), Some(Duration::from_millis(1500)));
        assert_eq!(answer(None).wait(Some(7.0)), Some(Duration::from_secs(7)));
        assert_eq!(answer(wait(1e30)).wait(None), Some(LONGEST_WAIT));
        assert_eq!(answer(wait(-1.0)).wait(Some(f64::NAN)), None);
        let now = "2026-11-30T12:00:00Z".parse().unwrap();
        assert_eq!(asked("2.5", now), Some(Duration::from_millis(2500)));
        assert_eq!(asked("Mon, 30 Nov 2026 12:01:30 GMT", now), Some(Duration::from_secs(90)));
        assert_eq!(asked("Mon, 30 Nov 2026 11:00:00 GMT", now), None);
        assert_eq!(asked("soon", now), None);
    }

    #[test]
    fn plain_http_stays_on_this_host() {
        let read = |text| address("the Discord webhook", text, Plain::Here);
        assert!(read("https://discord.com/api/webhooks/1/x").is_ok());
        assert!(read("http://127.0.0.1:1/x").is_ok() && read("http://[::1]/x").is_ok());
        let error = read("http://discord.com/api/webhooks/1/hidden").unwrap_err().to_string();
        assert!(!error.contains("hidden"), "{error}");
        assert!(read("1234").is_err() && read("file:///etc/passwd").is_err());
        assert!(address("the webhook", "http://10.0.0.1/x", Plain::Anywhere).is_ok());
    }
}
