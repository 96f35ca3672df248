//! Does: a drill of a copy: prepared in a container of the service's image, a server started on it, its
//! tables read and its rows counted. It leaves nothing behind.

use std::path::PathBuf;

use vigie_backup::Repository;

use super::bench::INSIDE;
use super::{Bench, SERVER, answers};
use crate::backup::binlog::Address;
use crate::backup::database::{Client, Tools, bare};
use crate::backup::{BackupError, Manifest};
use crate::runtime::docker::Docker;

/// Where the server listens, in its container.
const SOCKET: &str = "/tmp/vigie-copy.sock";

/// Proves that the copy of the snapshot `id` is one that a server starts with.
///
/// # Errors
/// Why not.
pub(in crate::backup) async fn prove(
    docker: &Docker,
    repository: &Repository,
    site: &str,
    manifest: &Manifest,
    id: &str,
) -> Result<Vec<String>, BackupError> {
    let service = manifest.asset.service.clone().unwrap_or_default();
    let bench = Bench::of(docker, &service, None).await?;
    let proved = async {
        bench.fill(repository, site, id).await?;
        served(&bench, manifest).await
    };
    let proved = proved.await;
    bench.remove().await?;
    proved
}

async fn served(bench: &Bench<'_>, manifest: &Manifest) -> Result<Vec<String>, BackupError> {
    let tools = bench.tools();
    // What the tool wrote beside the files says with which settings they were made.
    let settings = format!("--defaults-file={INSIDE}/backup-my.cnf");
    let (data, socket) = (format!("--datadir={INSIDE}"), format!("--socket={SOCKET}"));
    let program = bare(
        SERVER,
        &[
            &settings,
            &data,
            &socket,
            "--pid-file=/tmp/vigie-copy.pid",
            "--user=root",
            "--skip-networking",
            "--skip-log-bin",
            // Whose passwords are in the copy is not asked.
            "--skip-grant-tables",
        ],
    );
    let client = Client {
        user: String::from("root"),
        password: String::new(),
        address: Some(Address::Socket(PathBuf::from(SOCKET))),
    };
    let asked = async {
        let told = answers(&tools, &client, manifest).await?;
        whole(&tools, &client, &manifest.asset.what).await?;
        Ok::<_, BackupError>(told)
    };
    tokio::select! {
        told = asked => Ok(vec![format!("a server of the same image started on it; {}, all read whole", told?)]),
        ended = tools.run(SERVER[0], &program, None, None) => Err(match ended {
            Err(error) => error.into(),
            Ok(()) => BackupError::Damaged(String::from("the server that was started on it ended by itself")),
        }),
    }
}

/// Every table of the schema is read, with its indexes.
async fn whole(tools: &Tools<'_>, client: &Client, schema: &str) -> Result<(), BackupError> {
    let names = super::count::names(tools, client, schema).await?;
    let mut wrong = Vec::new();
    for name in names {
        let told = client.ask(tools, &format!("CHECK TABLE {name}")).await?;
        // The last line says whether it is well; those before it say what is not.
        let well = told.lines().last().is_some_and(|line| line.ends_with("\tOK"));
        if !well {
            wrong.push(format!("{name}: {}", told.replace(['\t', '\n'], " ")));
        }
    }
    crate::backup::drill::refuse(&wrong)
}
