//! An SMTP server without encryption, for this host only. RFC 5321, and AUTH PLAIN of RFC 4954.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A mail server.
pub struct Smtp {
    address: String,
    desk: Arc<Mutex<Desk>>,
    task: JoinHandle<()>,
}

/// A mail that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The sender of the envelope.
    pub from: String,
    /// The receivers of the envelope.
    pub to: Vec<String>,
    /// Headers and body.
    pub text: String,
}

#[derive(Default)]
struct Desk {
    /// What AUTH PLAIN has to carry, in base64.
    login: Option<String>,
    orders: VecDeque<(&'static str, String)>,
    strangers: Vec<String>,
    mails: Vec<Mail>,
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Smtp {
    /// A server; `login` is what AUTH PLAIN has to carry, in base64, where it wants one.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(login: Option<&str>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("smtp+plain://{}", listener.local_addr()?);
        let desk = Desk { login: login.map(str::to_owned), ..Desk::default() };
        let desk = Arc::new(Mutex::new(desk));
        let shared = Arc::clone(&desk);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let desk = Arc::clone(&shared);
                tokio::spawn(async move { Session::new(stream, desk).run().await });
            }
        });
        Ok(Self { address, desk, task })
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.address
    }

    /// The next command that begins with `command` (`"MAIL"`, `"."` for a mail's end) is answered so;
    /// an empty answer drops the connection.
    pub fn order(&self, command: &'static str, answer: impl Into<String>) {
        lock(&self.desk).orders.push_back((command, answer.into()));
    }

    /// Nobody of this name has a mailbox here.
    pub fn stranger(&self, address: &str) {
        lock(&self.desk).strangers.push(address.to_owned());
    }

    /// The mails that were taken.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        lock(&self.desk).mails.clone()
    }
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Session {
    lines: Lines<BufReader<OwnedReadHalf>>,
    out: OwnedWriteHalf,
    desk: Arc<Mutex<Desk>>,
    known: bool,
    mail: Mail,
}

impl Session {
    fn new(stream: TcpStream, desk: Arc<Mutex<Desk>>) -> Self {
        let (read, out) = stream.into_split();
        let mail = Mail { from: String::new(), to: Vec::new(), text: String::new() };
        let known = lock(&desk).login.is_none();
        Self { lines: BufReader::new(read).lines(), out, desk, known, mail }
    }

    /// Ends with the connection, by either side.
    async fn run(mut self) -> Option<()> {
        self.say("220 local ESMTP").await?;
        loop {
            let line = self.lines.next_line().await.ok()??;
            let answer = match self.ordered(&line) {
                Some(answer) => answer,
                None => self.answer(&line).await?,
            };
            if answer.is_empty() {
                return None;
            }
            self.say(&answer).await?;
            if answer.starts_with("221") || answer.starts_with("421") {
                return None;
            }
        }
    }

    async fn say(&mut self, text: &str) -> Option<()> {
        self.out.write_all(format!("{text}\r\n").as_bytes()).await.ok()
    }

    fn ordered(&self, line: &str) -> Option<String> {
        let mut desk = lock(&self.desk);
        let is_it = desk.orders.front().is_some_and(|(command, _)| line.starts_with(command));
        if is_it { desk.orders.pop_front().map(|(_, answer)| answer) } else { None }
    }

    async fn answer(&mut self, line: &str) -> Option<String> {
        let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        Some(match word.as_str() {
            "EHLO" => String::from("250-local\r\n250-8BITMIME\r\n250 AUTH PLAIN"),
            "AUTH" => {
                let given = line.strip_prefix("AUTH PLAIN ");
                self.known = given.is_some() && given == lock(&self.desk).login.as_deref();
                let text = if self.known { "235 welcome" } else { "535 5.7.8 wrong password" };
                text.to_owned()
            }
            "MAIL" | "RCPT" | "DATA" if !self.known => {
                String::from("530 5.7.0 Authentication required")
            }
            "MAIL" => {
                self.mail = Mail { from: address(line), to: Vec::new(), text: String::new() };
                String::from("250 ok")
            }
            "RCPT" => {
                let to = address(line);
                if lock(&self.desk).strangers.contains(&to) {
                    return Some(format!("550 5.1.1 no mailbox {to} here"));
                }
                self.mail.to.push(to);
                String::from("250 ok")
            }
            "DATA" if self.mail.to.is_empty() => String::from("503 nobody to send to"),
            "DATA" => return self.data().await,
            "RSET" | "NOOP" => String::from("250 ok"),
            "QUIT" => String::from("221 bye"),
            _ => String::from("500 unknown command"),
        })
    }

    async fn data(&mut self) -> Option<String> {
        self.say("354 go on").await?;
        loop {
            let line = self.lines.next_line().await.ok()??;
            if line == "." {
                break;
            }
            let line = line.strip_prefix('.').unwrap_or(&line);
            self.mail.text += &format!("{line}\n");
        }
        if let Some(answer) = self.ordered(".") {
            return Some(answer);
        }
        lock(&self.desk).mails.push(self.mail.clone());
        Some(String::from("250 taken"))
    }
}

fn address(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(address, _)| address.to_owned()).unwrap_or_default()
}
