//! Does: reads a mail server's address. Never sends a password in the clear over a network.

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use reqwest::Url;

use super::super::SenderError;
use super::super::http::is_loopback;

/// For one command; a slow server is still one.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(15);

type Transport = AsyncSmtpTransport<Tokio1Executor>;

pub(super) fn transport(
    server: &str,
    login: Option<&(String, String)>,
) -> Result<Transport, SenderError> {
    // The text is only repeated where it cannot hold an account.
    let wrong = || SenderError::Server {
        server: server.rsplit_once('@').map_or(server, |(_, host)| host).to_owned(),
    };
    let url = Url::parse(server.trim()).map_err(|_| wrong())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(SenderError::Account);
    }
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let (port, tls) = match url.scheme() {
        "smtps" => (465, Tls::Wrapper(encryption(bare)?)),
        // Required and not only tried: who is in between could take the offer away.
        "smtp" => (587, Tls::Required(encryption(bare)?)),
        "smtp+plain" if is_loopback(host) => (25, Tls::None),
        "smtp+plain" => return Err(SenderError::PlainMail { host: host.to_owned() }),
        _ => return Err(wrong()),
    };
    let mut builder = Transport::builder_dangerous(bare)
        .port(url.port().unwrap_or(port))
        .tls(tls)
        .timeout(Some(PATIENCE));
    if let Some((user, password)) = login {
        builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
    }
    Ok(builder.build())
}

/// Trusts what the HTTP client trusts: the system's authorities and Mozilla's.
fn encryption(host: &str) -> Result<TlsParameters, SenderError> {
    let mut tls =
        TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::WebpkiRoots);
    for root in rustls_native_certs::load_native_certs().certs {
        if let Ok(root) = Certificate::from_der(root.to_vec()) {
            tls = tls.add_root_certificate(root);
        }
    }
    tls.build_rustls().map_err(|error| SenderError::Tls(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(server: &str) -> String {
        transport(server, None).unwrap_err().to_string()
    }

    #[test]
    fn a_password_never_travels_in_the_clear() {
        assert!(transport("smtp+plain://127.0.0.1:2525", None).is_ok());
        assert_eq!(
            error("smtp+plain://mail.example.org"),
            "smtp+plain://mail.example.org would send mails and the password readable by everybody \
             on the way; it only works for this host (127.0.0.1); write smtps://mail.example.org or \
             smtp://mail.example.org:587"
        );
    }

    #[test]
    fn a_wrong_address_is_told_without_an_account() {
        assert_eq!(
            error("mail.example.org"),
            "mail.example.org is not a mail server like smtps://host or smtp://host:587 \
             (the first is encrypted from the start, the second by STARTTLS)"
        );
        assert_eq!(
            error("smtps://me:hidden@mail.example.org"),
            "the mail server's address holds an account; write it as user = \"…\" and \
             password = { env = \"…\" } instead"
        );
        assert!(!error("me:hidden@mail.example.org").contains("hidden"));
    }

    #[test]
    fn both_kinds_of_encryption_are_known() {
        for server in ["smtps://mail.example.org", "smtp://mail.example.org:2587"] {
            assert!(transport(server, None).is_ok(), "{server}");
        }
    }
}
