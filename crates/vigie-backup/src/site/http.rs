//! Does: the HTTP client of sites, with `ring` as its only TLS and the system's certificate authorities.
//! It follows no redirection, so that a login never goes to another host.

use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};

use crate::store::{Fault, Trouble};

/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(10);
/// Without a byte of an answer.
const SILENCE: Duration = Duration::from_secs(60);

/// A client.
pub(crate) fn client() -> Result<reqwest::Client, Fault> {
    let wrong = |why: String| Fault::new(Trouble::Wrong, format!("TLS cannot be set up: {why}"));
    // A container without authorities has Mozilla's.
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = rustls::crypto::ring::default_provider();
    let tls = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("vigie/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .build()
        .map_err(|error| wrong(cause(&error.without_url())))
}

/// Why there was no answer. Addresses are left out: they can have a login in them.
pub(crate) fn failed(what: &str, error: reqwest::Error) -> Fault {
    let trouble = if error.is_builder() { Trouble::Wrong } else { Trouble::Passing };
    Fault::new(trouble, format!("{what}: {}", cause(&error.without_url())))
}

/// The innermost cause, which is what a person can act on.
pub(crate) fn cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut inner = error.source();
    while let Some(cause) = inner {
        text = cause.to_string();
        inner = cause.source();
    }
    text
}

/// The address without a login, for people; none when it is no address.
pub(crate) fn shown(address: &str) -> Option<String> {
    let mut url = reqwest::Url::parse(address).ok()?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_query(None);
    Some(url.to_string())
}
