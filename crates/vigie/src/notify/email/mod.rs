//! Does: sends an incident's news by mail, so that the mails of one incident form a thread.

mod body;
mod server;

use std::time::Duration;

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor};
use sha2::{Digest, Sha256};
use vigie_core::notify::Outcome;

use super::outcome::{Scrub, unanswered};
use super::turn::Turns;
use super::{Kind, Letter, Reader, SenderError};

/// The longest that one mail may take, with all its receivers.
const PATIENCE: Duration = Duration::from_secs(60);
/// Codes that say that the account is wrong, or that one is needed: RFC 4954, section 6.
const ACCOUNT: [u16; 4] = [530, 534, 535, 538];

/// Where mails go, and as whom.
#[derive(Clone)]
pub struct MailAccount {
    /// `smtps://host`, or `smtp://host:587` with STARTTLS.
    pub server: String,
    /// The account and its password.
    pub login: Option<(String, String)>,
    /// The sender.
    pub from: String,
    /// The receivers.
    pub to: Vec<String>,
}

impl std::fmt::Debug for MailAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MailAccount({} → {})", self.from, self.to.join(", "))
    }
}

/// A mailbox.
pub struct Email {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
    /// Tells this stack's mails from those of another with the same sender.
    mark: String,
    reader: Reader,
    scrub: Scrub,
    turns: Turns,
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Email({} → {} receivers)", self.from, self.to.len())
    }
}

impl Email {
    /// `stack` is the stack's name.
    ///
    /// # Errors
    /// What is wrong with the server or an address.
    pub fn new(account: &MailAccount, stack: &str, reader: Reader) -> Result<Self, SenderError> {
        let person = |address: &String| {
            let wrong = || SenderError::Mail { address: address.clone() };
            address.parse::<Mailbox>().map_err(|_| wrong())
        };
        let to = account.to.iter().map(person).collect::<Result<Vec<_>, _>>()?;
        if to.is_empty() {
            return Err(SenderError::NoReceiver);
        }
        let login = account.login.as_ref();
        let password = login.map_or("", |(_, password)| password);
        let digest = Sha256::digest(stack.as_bytes());
        Ok(Self {
            transport: server::transport(&account.server, login)?,
            from: person(&account.from)?,
            to,
            mark: digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect(),
            reader,
            scrub: Scrub::new([password]),
            turns: Turns::new(Kind::Email),
        })
    }

    pub(super) async fn send(&self, letter: &Letter) -> Outcome {
        let id = self.id(letter);
        let mail = match self.mail(letter, &id) {
            Ok(mail) => mail,
            Err(error) => return Outcome::Rejected { why: self.scrub.clean(&error.to_string()) },
        };
        if let Err(later) = self.turns.wait().await {
            return later;
        }
        let sent = tokio::time::timeout(PATIENCE, self.deliver(&mail)).await;
        self.turns.over();
        match sent {
            // The first mail stands for the incident: the later ones answer it.
            Ok(Ok(())) => {
                let first = letter.card.is_none() && letter.notice.incident.is_some();
                Outcome::Delivered { message: first.then_some(id) }
            }
            Ok(Err(error)) => self.refused(&error),
            Err(_) => unanswered(String::from("the mail server took too long")),
        }
    }

    /// The same for a mail that is sent again, so that a mailbox can tell.
    fn id(&self, letter: &Letter) -> String {
        format!("<vigie-{}-{}@{}>", self.mark, letter.notice.id.0, self.from.email.domain())
    }

    fn mail(&self, letter: &Letter, id: &str) -> Result<Mail, lettre::error::Error> {
        // Out-of-office replies to an alarm help nobody: RFC 3834.
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut mail = Mail::builder()
            .from(self.from.clone())
            .subject(body::subject(letter))
            .message_id(Some(id.to_owned()))
            .raw_header(HeaderValue::new(automatic, String::from("auto-generated")))
            .date_now();
        for to in &self.to {
            mail = mail.to(to.clone());
        }
        if let Some(first) = letter.card.as_ref().filter(|card| is_id(card)) {
            mail = mail.in_reply_to(first.clone()).references(first.clone());
        }
        let (text, html) = (body::text(letter, &self.reader), body::html(letter, &self.reader));
        mail.multipart(MultiPart::alternative_plain_html(text, html))
    }

    /// A server takes a mail for all of its receivers or for none. One bad address must not keep an
    /// alarm from all others, so that after a no each is tried alone.
    async fn deliver(&self, mail: &Mail) -> Result<(), SmtpError> {
        let bytes = mail.formatted();
        let whole = self.transport.send_raw(mail.envelope(), &bytes).await;
        let Err(no) = whole else { return Ok(()) };
        if !no.is_permanent() || is_about_the_account(&no) || self.to.len() == 1 {
            return Err(no);
        }
        let mut answer = Err(no);
        for to in mail.envelope().to() {
            let from = mail.envelope().from().cloned();
            let Ok(envelope) = Envelope::new(from, vec![to.clone()]) else { continue };
            match self.transport.send_raw(&envelope, &bytes).await {
                Ok(_) => answer = Ok(()),
                Err(no) => tracing::warn!("{to} gets no mail: {}", self.words(&no)),
            }
        }
        answer
    }

    fn refused(&self, error: &SmtpError) -> Outcome {
        let why = self.words(error);
        if is_about_the_account(error) || error.is_client() {
            // Also what the server does not offer: encryption, a way to log in.
            Outcome::Stopped { why }
        } else if error.is_permanent() {
            Outcome::Rejected { why }
        } else {
            unanswered(why)
        }
    }

    fn words(&self, error: &SmtpError) -> String {
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        let code = error.status().map(|code| code.to_string());
        let kind = code.unwrap_or_else(|| String::from("the mail server"));
        self.scrub.clean(&format!("{kind}: {cause}"))
    }
}

fn is_about_the_account(error: &SmtpError) -> bool {
    error.status().is_some_and(|code| ACCOUNT.contains(&u16::from(code)))
}

/// Whether this is a message id of ours, which goes into a header as it is.
fn is_id(text: &str) -> bool {
    let inner = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    inner.is_some_and(|inner| inner.chars().all(|c| c.is_ascii_graphic() && !"<>".contains(c)))
}
