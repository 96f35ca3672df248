//! Does: puts the parts together, starts them in order and stops them in the opposite one.

mod maintenance;

use std::sync::Arc;
use std::time::Duration;

pub use maintenance::SCHEDULE;
use tokio::sync::broadcast;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use vigie_core::{Engine, State};

use crate::clock::Clock;
use crate::config::{ChannelConfig, Config, EnvValue, RuntimeKind};
use crate::control;
use crate::engine::{Desk, Driver, Handle, Letterhead, Told, mailbox};
use crate::notify::{self, Office};
use crate::observe::{self, Eyes};
use crate::postmortem;
use crate::pulse::{self, Heart};
use crate::respond::Responder;
use crate::runtime::docker::{Docker, DockerConfig, DockerService};
use crate::runtime::process::{Process, ProcessConfig, ProcessService};
use crate::runtime::{Runtime, RuntimeError};
use crate::store::{Journal, JournalError};

/// Time that the looks have to end in when vigie stops.
const STOP: Duration = Duration::from_secs(3);
/// Time that the post has, from the same moment on, to hear what became of a letter that is under way: what
/// it does not hear is sent again by the next vigie. Shorter than the ten seconds after which
/// `docker stop` kills.
const STOP_POST: Duration = Duration::from_secs(8);

/// What can keep the watch from starting.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The runtime.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The control socket.
    #[error(
        "the control socket {0} cannot be made: {1}; set `state` in vigie.toml to a directory with a \
         short path that this account can write in"
    )]
    Socket(String, std::io::Error),
}

/// The watch, running.
#[derive(Debug)]
pub struct App {
    eyes: Eyes,
    driver: JoinHandle<()>,
    tasks: JoinSet<()>,
    post: JoinSet<()>,
    told: Option<broadcast::Receiver<Told>>,
    /// Records replayed at the start.
    pub replayed: u64,
}

impl App {
    /// Starts the watch of `config` on its own runtime.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let runtime = runtime(&config)?;
        Self::start_on(config, runtime).await
    }

    /// Starts the watch of `config` on `runtime`.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start_on(config: Config, runtime: Arc<dyn Runtime>) -> Result<Self, StartError> {
        let (journal, rebuilt, trouble) = Journal::open_somehow(&config.journal())?;
        if let Some(error) = &trouble {
            tracing::error!(%error, "THE JOURNAL CANNOT BE WRITTEN; the watch begins without it");
        }
        let server = match control::listen(&config.socket()) {
            Ok(server) => Some(server),
            // What keeps the journal away keeps the socket away; it is tried again.
            Err(error) if trouble.is_some() => {
                tracing::error!(%error, "no control socket: `vigie status` and orders have to wait");
                None
            }
            Err(error) => {
                let socket = config.socket().display().to_string();
                return Err(StartError::Socket(socket, error));
            }
        };
        let clock = Clock::after(rebuilt.state.last);
        // What happened while vigie was away is asked for from the last record on; a first start
        // has nothing to catch up with.
        let reminded = rebuilt.state.reminded;
        let since = (rebuilt.state != State::default()).then_some(rebuilt.state.last.wall + 1);
        let (handle, mailbox) = mailbox();
        // Before the first record, so that none is missed.
        let told = Some(handle.listen());
        let looks = observe::rhythms(&config);
        let keep = config.file.journal.keep;
        let engine = Engine::new(config.stack.clone(), rebuilt.state);
        let stop = CancellationToken::new();
        let eyes = Eyes {
            config: Arc::new(config),
            runtime,
            handle,
            clock,
            stop,
            heart: Heart::default(),
        };
        let hands = Responder::new(eyes.clone(), looks.clone());
        let (office, slots) = Office::new(&eyes.config);
        let desk = Desk::new(letterhead(&eyes.config), rebuilt.outbox, Box::new(slots));
        let driver = Driver::new(engine, journal, eyes.clock.clone(), hands, desk, mailbox, keep);
        let driver = tokio::spawn(driver.run());
        let mut tasks = JoinSet::new();
        observe::start(&eyes, &looks, since, &mut tasks);
        let mut post = JoinSet::new();
        office.open(&eyes.handle, &eyes.stop, &mut post);
        tasks.spawn(maintenance::watch(eyes.clone()));
        tasks.spawn(postmortem::remind(eyes.clone(), reminded));
        tasks.spawn(crate::snapshot::watch_good(eyes.clone()));
        tasks.spawn(crate::backup::watch(eyes.clone()));
        tasks.spawn(crate::backup::watch_logs(eyes.clone()));
        tasks.spawn(pulse::beat(eyes.clone()));
        tasks.spawn(pulse::tell(eyes.clone(), pulse::Manager::here()));
        tasks.spawn(control::serve(server, eyes.clone()));
        Ok(Self { eyes, driver, tasks, post, told, replayed: rebuilt.replayed })
    }

    /// The way to the engine.
    #[must_use]
    pub const fn handle(&self) -> &Handle {
        &self.eyes.handle
    }

    /// Every record since the start, for the first who asks; from now on, for others.
    pub fn told(&mut self) -> broadcast::Receiver<Told> {
        self.told.take().unwrap_or_else(|| self.eyes.handle.listen())
    }

    /// What runs the services.
    #[must_use]
    pub fn runtime(&self) -> &Arc<dyn Runtime> {
        &self.eyes.runtime
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.eyes.config
    }

    /// Waits until a part of the watch ends by itself, which none should; says which.
    pub async fn broken(&mut self) -> String {
        tokio::select! {
            ended = &mut self.driver => match ended {
                Ok(()) => String::from("the engine"),
                Err(error) => format!("the engine: {error}"),
            },
            error = fault(&mut self.tasks) => format!("a look: {error}"),
            error = fault(&mut self.post) => format!("the post: {error}"),
        }
    }

    /// Stops: first the looks and the post, then the engine, so that what was seen last, and what has
    /// become of the last letters, is still recorded.
    pub async fn stop(mut self) {
        self.eyes.stop.cancel();
        tokio::join!(end(&mut self.tasks, STOP), end(&mut self.post, STOP_POST));
        self.eyes.handle.stop().await;
        if !self.driver.is_finished() {
            let _ = self.driver.await;
        }
    }
}

/// Why one of `tasks` ended as none should. One that has nothing to do is over at once, and that is no
/// fault.
async fn fault(tasks: &mut JoinSet<()>) -> tokio::task::JoinError {
    loop {
        match tasks.join_next().await {
            Some(Err(error)) => return error,
            Some(Ok(())) => {}
            None => std::future::pending().await,
        }
    }
}

/// Waits until `tasks` have ended, and ends what has not within `limit`.
async fn end(tasks: &mut JoinSet<()>, limit: Duration) {
    let ended = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(limit, ended).await.is_err() {
        tasks.abort_all();
    }
}

/// What messages are headed with, and whom they go to.
fn letterhead(config: &Config) -> Letterhead {
    let lang = config.file.stack.lang;
    let channel = |(name, config): (String, ChannelConfig)| {
        let limits = notify::Sender::limits(notify::kind(&config));
        crate::config::channel(&name, &config, lang, limits)
    };
    Letterhead {
        stack: config.stack.name.clone(),
        targets: config.stack.settings.targets,
        channels: config.channels().into_iter().map(channel).collect(),
        journal: config.journal(),
    }
}

/// A process's environment, its secrets revealed. One that cannot be had is left out and said: the
/// process will say what it misses.
fn environment(
    config: &Config,
    variables: &std::collections::BTreeMap<String, EnvValue>,
) -> Vec<(String, String)> {
    let reveal = |(name, value): (&String, &EnvValue)| match value {
        EnvValue::Plain(value) => Some((name.clone(), value.clone())),
        EnvValue::Secret(secret) => match config.vault.reveal(secret) {
            Ok(value) => Some((name.clone(), value)),
            Err(error) => {
                tracing::warn!(variable = name, %error, "left out of the process's environment");
                None
            }
        },
    };
    variables.iter().filter_map(reveal).collect()
}

/// The process runtime of `config`.
///
/// # Errors
/// When its directory cannot be used.
pub fn process_runtime(config: &Config) -> Result<Process, RuntimeError> {
    let directory = config.directory();
    let services = config.file.service.iter().filter_map(|(name, service)| {
        let (program, args) = service.command.split_first()?;
        let at = service.directory.clone();
        Some(ProcessService {
            name: name.clone(),
            program: program.into(),
            args: args.iter().map(Into::into).collect(),
            env: environment(config, &service.env),
            directory: Some(at.map_or_else(|| directory.clone(), |at| directory.join(at))),
            memory: service.memory,
        })
    });
    Process::new(ProcessConfig {
        state_dir: config.state_directory().join("process"),
        services: services.collect(),
    })
}

/// The Docker runtime of `config`.
///
/// # Errors
/// When the engine's address cannot be one.
pub fn docker_runtime(config: &Config) -> Result<Docker, RuntimeError> {
    let directory = config.directory();
    let services = config.file.service.iter().map(|(name, service)| DockerService {
        name: name.clone(),
        container: service.container.clone(),
        has_dependencies: !service.depends_on.is_empty(),
    });
    Docker::connect(DockerConfig {
        host: config.file.stack.docker_host.clone(),
        compose_file: config.file.stack.compose.as_ref().map(|file| directory.join(file)),
        project: config.file.stack.project.clone(),
        directory,
        services: services.collect(),
    })
}

/// The runtime that `config` names.
///
/// # Errors
/// When it cannot be set up; whether it can be reached is seen later, and again and again.
pub fn runtime(config: &Config) -> Result<Arc<dyn Runtime>, RuntimeError> {
    match config.file.stack.runtime {
        RuntimeKind::Docker => Ok(Arc::new(docker_runtime(config)?)),
        RuntimeKind::Process => Ok(Arc::new(process_runtime(config)?)),
    }
}
