//! Does: a dump played into the database of a stack that is being recovered, and compared with what was
//! counted when it was made. A dump that was begun by somebody who was killed is waited for first.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::backup::BackupError;
use crate::backup::database::{Tools, Wish, dump};
use crate::backup::drill::{differences, refuse};
use crate::backup::keep::{client, tools};
use crate::backup::manifest::Manifest;
use crate::backup::restore::{Bringer, Way};

/// How long what a killed one has left in the pipe may take to be played.
const LIMIT: Duration = Duration::from_secs(600);
const BETWEEN: Duration = Duration::from_millis(500);
/// How many others are logged in by the same name; nobody else is, before the game runs.
const OTHERS: &str = "SELECT COUNT(*) FROM information_schema.processlist WHERE id <> CONNECTION_ID() \
    AND user = SUBSTRING_INDEX(USER(), '@', 1)";

/// Plays the dump back, and says what was compared.
pub(super) async fn played(
    bringer: &Bringer<'_>,
    manifest: &Manifest,
    resumes: bool,
) -> Result<String, BackupError> {
    let service = manifest.asset.service.clone().unwrap_or_default();
    let client = client(bringer.config, &service)?;
    let tools: Tools<'_> = tools(bringer.docker, &service);
    if resumes {
        let end = Instant::now() + LIMIT;
        while client.ask(&tools, OTHERS).await? != "0" {
            if Instant::now() > end {
                return Err(BackupError::Refused(format!(
                    "somebody else is logged in at {service}; look: SHOW PROCESSLIST"
                )));
            }
            tokio::time::sleep(BETWEEN).await;
        }
    }
    bringer.bring(manifest, &Way::InPlace, None).await?;
    if manifest.physical.is_some() {
        // It is compared where it is put in its place.
        return Ok(String::from("the server's own files, its tables as they were kept"));
    }
    let (sender, mut receiver) = mpsc::channel(16);
    let drain = async { while receiver.recv().await.is_some() {} };
    let wish = Wish { schemas: vec![manifest.asset.what.clone()], place: false };
    let (again, ()) = tokio::join!(dump(&tools, &client, &wish, sender), drain);
    let found = again?.survey.tables().clone();
    refuse(&differences(&manifest.tables, &found))?;
    let rows: u64 = found.values().map(|count| count.rows).sum();
    Ok(format!("{} tables, {rows} rows, checksums as they were kept", found.len()))
}
