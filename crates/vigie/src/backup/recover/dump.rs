//! Does: a dump played into the database of a stack that is being recovered, and compared with what was
//! counted when it was made; then the log after it. It always begins with the dump, which replaces what is
//! there: one that was killed in the middle plays nothing twice. What that one has left is waited for first.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use vigie_core::binlog::Position;

use super::log::Follow;
use crate::backup::binlog::{Archive, Cut, Way as LogWay, cut, replay};
use crate::backup::database::{Client, Dumped, Tools, Wish, dump, may_place};
use crate::backup::drill::{differences, refuse};
use crate::backup::keep::{client, tools};
use crate::backup::log::{begin_anew, bring, only_of};
use crate::backup::manifest::Manifest;
use crate::backup::restore::{Bringer, Way};
use crate::backup::{BackupError, Catalog};
use crate::report::rfc3339;

/// How long what a killed one has left in the pipe may take to be played.
const LIMIT: Duration = Duration::from_secs(600);
const BETWEEN: Duration = Duration::from_millis(500);
/// How many others are logged in by the same name; nobody else is, before the game runs.
const OTHERS: &str = "SELECT COUNT(*) FROM information_schema.processlist WHERE id <> CONNECTION_ID() \
    AND user = SUBSTRING_INDEX(USER(), '@', 1)";
/// What the usual images take the administrator's password from.
const ROOT: [&str; 2] = ["MYSQL_ROOT_PASSWORD", "MARIADB_ROOT_PASSWORD"];

/// Plays a dump alone into a server that is new, and says what was compared.
///
/// # Errors
/// When it is not played, or what is there then is not what was kept.
pub(in crate::backup) async fn played(
    bringer: &Bringer<'_>,
    manifest: &Manifest,
) -> Result<String, BackupError> {
    let stage = Path::new("");
    Playing { bringer, manifest, follow: None, keeps_log: false, stage }.done(false).await
}

/// A database that is being brought back.
pub(super) struct Playing<'a> {
    pub(super) bringer: &'a Bringer<'a>,
    pub(super) manifest: &'a Manifest,
    /// What is played after the dump.
    pub(super) follow: Option<&'a Follow>,
    /// Whether a log of its server was kept.
    pub(super) keeps_log: bool,
    /// A directory for what is only needed meanwhile.
    pub(super) stage: &'a Path,
}

impl Playing<'_> {
    /// Plays the dump and the log, and says what was compared and played.
    pub(super) async fn done(&self, resumes: bool) -> Result<String, BackupError> {
        let service = self.manifest.asset.service.clone().unwrap_or_default();
        let config = self.bringer.config;
        let client = client(config, &service)?;
        let tools: Tools<'_> = tools(self.bringer.docker, &service);
        let admin = self.administrator(&service).await?;
        if resumes {
            for who in std::iter::once(&client).chain(&admin) {
                quiet(&tools, who, &service).await?;
            }
        }
        self.bringer.bring(self.manifest, &Way::InPlace, None).await?;
        let mut says = if self.manifest.physical.is_some() {
            // It is compared where it is put in its place.
            String::from("the server's own files, its tables as they were kept")
        } else {
            let found = self.survey(&tools, &client, false).await?;
            let found = found.survey.tables().clone();
            refuse(&differences(&self.manifest.tables, &found))?;
            let rows: u64 = found.values().map(|count| count.rows).sum();
            format!("{} tables, {rows} rows, checksums as they were kept", found.len())
        };
        let log = Log { playing: self, tools: &tools, client: &client, admin: admin.as_ref() };
        if let Some(follow) = self.follow {
            says += "; ";
            says += &log.played(follow).await?;
        }
        if self.keeps_log {
            // The server's own log is another one than the log that was kept.
            Catalog::open(config)?;
            begin_anew(config, &service, log.place().await)?;
        }
        Ok(says)
    }

    /// The server's administrator, where the service's own environment says the password: nothing of the
    /// rights that the account had on the lost host is here.
    async fn administrator(&self, service: &str) -> Result<Option<Client>, BackupError> {
        let Some(docker) = self.bringer.docker else { return Ok(None) };
        let password = docker.variable(service, &ROOT).await?;
        let root = |password| Client { user: String::from("root"), password, address: None };
        Ok(password.filter(|password| !password.is_empty()).map(root))
    }

    /// Counts what is there.
    async fn survey(
        &self,
        tools: &Tools<'_>,
        client: &Client,
        place: bool,
    ) -> Result<Dumped, BackupError> {
        let (sender, mut receiver) = mpsc::channel(16);
        let drain = async { while receiver.recv().await.is_some() {} };
        let wish = Wish { schemas: vec![self.manifest.asset.what.clone()], place };
        let (found, ()) = tokio::join!(dump(tools, client, &wish, sender), drain);
        Ok(found?)
    }
}

/// Waits until nobody is logged in as `client` any more.
async fn quiet(tools: &Tools<'_>, client: &Client, service: &str) -> Result<(), BackupError> {
    let end = Instant::now() + LIMIT;
    while client.ask(tools, OTHERS).await? != "0" {
        if Instant::now() > end {
            let user = &client.user;
            return Err(BackupError::Refused(format!(
                "somebody else is logged in at {service} as {user}; look: SHOW PROCESSLIST"
            )));
        }
        tokio::time::sleep(BETWEEN).await;
    }
    Ok(())
}

/// The log of a database whose dump is played.
struct Log<'a> {
    playing: &'a Playing<'a>,
    tools: &'a Tools<'a>,
    client: &'a Client,
    admin: Option<&'a Client>,
}

impl Log<'_> {
    async fn played(&self, follow: &Follow) -> Result<String, BackupError> {
        let played = self.tried(follow).await;
        let cut = played.map_err(|error| {
            let asset = self.playing.manifest.asset.name();
            BackupError::Damaged(format!(
                "the log after the dump of {asset} was not played: {error}; run the same command again when \
                 that is mended, or with --dump-only to take the dump alone"
            ))
        })?;
        let groups = cut.groups;
        let last = cut.last.as_ref().map_or_else(String::new, |last| {
            format!(", the last of {}", rfc3339(last.time.saturating_mul(1_000)))
        });
        Ok(format!("{groups} transactions of its log{last}"))
    }

    async fn tried(&self, follow: &Follow) -> Result<Cut, BackupError> {
        let bringer = self.playing.bringer;
        bringer.tell.step("bring the binary log");
        let (repository, site) = (bringer.repository.clone(), bringer.site.to_owned());
        let (id, plan) = (follow.id.clone(), follow.plan.clone());
        let (to, only) = (self.playing.stage.join("log"), only_of(self.playing.manifest));
        let cut = tokio::task::spawn_blocking(move || {
            match std::fs::remove_dir_all(&to) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(BackupError::File(to, error));
                }
                _ => {}
            }
            let segments = plan.pieces.iter().map(|piece| &piece.segment);
            bring(&repository, &site, &id, segments, &to)?;
            Ok(cut(&Archive::open(&to)?, &plan, only.as_deref())?)
        });
        let cut = cut.await.map_err(|error| BackupError::Worker(error.to_string()))??;
        bringer.tell.step(&format!("play {} transactions", cut.groups));
        let who = self.admin.unwrap_or(self.client);
        // Only an administrator may leave them out of the server's own log.
        let way = LogWay { only: only_of(self.playing.manifest), logged: self.admin.is_none() };
        replay(self.tools, who, &cut, &way).await?;
        Ok(cut)
    }

    /// Where the server's own log stands now; nothing where it has none or does not say.
    async fn place(&self) -> Option<Position> {
        let who = self.admin.unwrap_or(self.client);
        let schema = &self.playing.manifest.asset.what;
        may_place(self.tools, who, schema).await.ok()?;
        let found = self.playing.survey(self.tools, who, true).await.ok()?;
        found.place.map(|place| place.at)
    }
}
