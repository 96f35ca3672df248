//! Does: RCON over TCP: the second proof of life. One connection is kept, so that the server's
//! console does not fill with logins; after a wrong password it never asks again, because five
//! failures ban the asker.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vigie_core::observe::{Fact, Observation, Refusal};
use vigie_core::stack::ServiceId;
use vigie_core::wire::rcon::{Answer, RconError, Session};

use super::tcp::{refusal, resolve};
use super::{Eyes, Rhythm};
use crate::config::RconConfig;

/// Harmless on every server; its answer comes from the game's own thread.
const QUESTION: &str = "echo vigie";

/// Whether a console line is the server's note of vigie's own question.
#[must_use]
pub fn is_own_question(line: &str) -> bool {
    let command = line.trim_end().strip_suffix('"').and_then(|line| line.strip_suffix(QUESTION));
    line.starts_with("rcon from \"") && command.is_some()
}

/// Why RCON did not work.
#[derive(Debug, thiserror::Error)]
pub enum RconProblem {
    /// The network.
    #[error("rcon: {0}")]
    Io(#[from] std::io::Error),
    /// Its name.
    #[error("rcon: {0}")]
    Unresolved(Refusal),
    /// The protocol.
    #[error("rcon: {0}")]
    Protocol(#[from] RconError),
    /// Silence.
    #[error("rcon: no answer in time")]
    Timeout,
}

impl RconProblem {
    /// What it says of the service.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Io(error) => refusal(error),
            Self::Unresolved(why) => why.clone(),
            Self::Protocol(RconError::BadPassword) => Refusal::Credentials,
            // A ban says nothing of the service's health.
            Self::Protocol(RconError::ClosedBeforeLogin) => {
                Refusal::Unable(String::from("closed before the login: banned, or not RCON"))
            }
            Self::Protocol(RconError::Closed) => Refusal::Refused,
            Self::Protocol(error) => Refusal::Garbled(error.to_string()),
            Self::Timeout => Refusal::Timeout,
        }
    }
}

/// A connection that is logged in.
#[derive(Debug)]
pub struct RconLink {
    stream: TcpStream,
    session: Session,
    login_took: Duration,
}

impl RconLink {
    /// Connects and logs in, within `limit`.
    ///
    /// # Errors
    /// See [`RconProblem`].
    pub async fn open(address: &str, password: &str, limit: Duration) -> Result<Self, RconProblem> {
        let target = resolve(address).await.map_err(RconProblem::Unresolved)?;
        let began = Instant::now();
        let open = async {
            let mut stream = TcpStream::connect(target).await?;
            stream.set_nodelay(true)?;
            let mut session = Session::new(password);
            let login = session.login();
            stream.write_all(&login).await?;
            let mut link = Self { stream, session, login_took: Duration::ZERO };
            match link.answer().await? {
                Answer::LoggedIn => Ok(link),
                Answer::Text(_) => Err(RconProblem::Timeout),
            }
        };
        let mut link =
            tokio::time::timeout(limit, open).await.map_err(|_| RconProblem::Timeout)??;
        link.login_took = began.elapsed();
        Ok(link)
    }

    /// How long connecting and logging in took.
    #[must_use]
    pub const fn login_took(&self) -> Duration {
        self.login_took
    }

    /// Sends a command and waits for the whole answer.
    ///
    /// # Errors
    /// See [`RconProblem`].
    pub async fn ask(&mut self, command: &str, limit: Duration) -> Result<String, RconProblem> {
        let exchange = async {
            let bytes = self.session.exec(command)?;
            self.stream.write_all(&bytes).await?;
            loop {
                if let Answer::Text(text) = self.answer().await? {
                    return Ok(text);
                }
            }
        };
        tokio::time::timeout(limit, exchange).await.map_err(|_| RconProblem::Timeout)?
    }

    async fn answer(&mut self) -> Result<Answer, RconProblem> {
        let mut buffer = [0_u8; 4096];
        // What arrived with the last answer may hold the next one already.
        if let Some(answer) = self.session.received(&[])? {
            return Ok(answer);
        }
        loop {
            let length = self.stream.read(&mut buffer).await?;
            if length == 0 {
                return Err(self.session.closed().into());
            }
            if let Some(answer) = self.session.received(&buffer[..length])? {
                return Ok(answer);
            }
        }
    }
}

pub(super) async fn watch(eyes: Eyes, service: ServiceId, probe: RconConfig, rhythm: Rhythm) {
    let password = match eyes.config.vault.reveal(&probe.password) {
        Ok(password) => password,
        Err(error) => {
            tracing::warn!(%error, "RCON is not asked: without it nothing running is ever killed");
            return;
        }
    };
    let mut link = None;
    let mut beat = rhythm.beat();
    while eyes.stop.run_until_cancelled(beat.next()).await.is_some() {
        let at = eyes.clock.now();
        let result = look(&mut link, &probe, &password).await;
        let denied = result == Err(Refusal::Credentials);
        let fact = Fact::Rcon(result);
        let observed = vigie_core::Event::Observed(Observation { service, at, fact });
        if eyes.handle.event(observed).await.is_err() {
            return;
        }
        if denied {
            let name = &eyes.config.stack.service(service).name;
            tracing::error!(
                service = name,
                "the RCON password is wrong; not asked again, five failures would ban vigie. \
                 Mend the secret and restart the watch"
            );
            return;
        }
    }
}

async fn look(
    link: &mut Option<RconLink>,
    probe: &RconConfig,
    password: &str,
) -> Result<Duration, Refusal> {
    let began = Instant::now();
    if let Some(mut open) = link.take() {
        match open.ask(QUESTION, probe.timeout).await {
            Ok(_) => {
                *link = Some(open);
                return Ok(began.elapsed());
            }
            // The server was restarted, or closed an idle connection: a new one decides.
            Err(RconProblem::Io(_) | RconProblem::Protocol(RconError::Closed)) => {}
            Err(problem) => return Err(problem.refusal()),
        }
    }
    let mut open = RconLink::open(&probe.address, password, probe.timeout)
        .await
        .map_err(|problem| problem.refusal())?;
    open.ask(QUESTION, probe.timeout).await.map_err(|problem| problem.refusal())?;
    *link = Some(open);
    Ok(began.elapsed())
}
