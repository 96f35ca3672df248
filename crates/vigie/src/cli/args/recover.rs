//! Does: the arguments of `vigie recover`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(in crate::cli) struct RecoverArgs {
    /// The site, as the recovery sheet has it: /DIRECTORY, s3:https://KEY@HOST/BUCKET/PREFIX,
    /// sftp:USER@HOST:/PATH, webdav:https://…, rest:https://…, rclone:REMOTE:PATH; or its name, with
    /// --config FILE that has its [backup]. Secrets come from `VIGIE_BACKUP_PASSWORD` and
    /// `VIGIE_SITE_SECRET`, or are asked for
    #[arg(long, value_name = "SITE")]
    pub(in crate::cli) from: String,
    /// The project's directory: new, empty, or one in which a recovery was begun [default: here]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) to: Option<PathBuf>,
    /// As of then: 2026-11-22 20:14:03, 2026-11-22, 3h (ago): the newest backups until then, and databases as
    /// they were when that second began, where their binary log was kept [default: the newest]
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) at: Option<String>,
    /// Databases as of their dumps, without their binary logs
    #[arg(long)]
    pub(in crate::cli) dump_only: bool,
    /// Do not ask
    #[arg(long)]
    pub(in crate::cli) yes: bool,
    /// Say what would be done, do nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// As JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}
