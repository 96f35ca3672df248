//! Does: the arguments of `vigie snapshot`.

use clap::{Args, Subcommand, ValueEnum};
use vigie_core::snapshot::{Bump, Only, PointName};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SnapshotCommand {
    /// Keep everything that is needed to go back: images, volumes, databases, files, commits
    Create(CreateArgs),
    /// Make a restore point of an image that was tagged by hand; its old tag stays
    Adopt(AdoptArgs),
    /// The restore points, newest first
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// What is in one
    Show {
        /// Its name
        name: PointName,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// What differs between two: files, images, the compose file, commits
    Diff {
        /// The first
        one: PointName,
        /// The second
        other: PointName,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Go back to one; what is there now is kept first
    Rollback(RollbackArgs),
    /// Bring the images of one to a registry, with Docker's own login
    Push {
        /// The restore point's name
        name: PointName,
        /// To this repository [default: where the image's name leads]
        #[arg(long, value_name = "REPOSITORY")]
        to: Option<String>,
        /// Say what would be pushed, push nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Bring the images of one back that were pushed
    Pull {
        /// The restore point's name
        name: PointName,
        /// Say what would be pulled, pull nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Remove old ones, or the one that is named; never the one that runs, never the last known good one
    Prune {
        /// Only this restore point, whatever the rules say of it
        name: Option<PointName>,
        /// Say which would go, remove none
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CreateArgs {
    /// Its name, such as v2.3-vehicles; with --bump, its description alone
    pub(in crate::cli) name: String,
    /// Go on from the highest number
    #[arg(long, value_name = "NUMBER")]
    pub(in crate::cli) bump: Option<BumpArg>,
    /// Make images of these services [default: the games]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) service: Vec<String>,
    /// A word about it
    #[arg(long)]
    pub(in crate::cli) note: Option<String>,
    /// Pause a process while its image is made
    #[arg(long)]
    pub(in crate::cli) pause: bool,
    /// Say what would be kept, keep nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AdoptArgs {
    /// The image, such as projetfilrouge/gmod-server:jour2-stable, or its tag alone; without it, the
    /// images that could be taken over are listed
    pub(in crate::cli) tag: Option<String>,
    /// The restore point's name [default: the tag's equivalent by the convention]
    pub(in crate::cli) name: Option<PointName>,
    /// The service that it is an image of [default: the one whose image is called so]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) service: Option<String>,
    /// A word about it
    #[arg(long)]
    pub(in crate::cli) note: Option<String>,
    /// As JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Say what it would be called, change nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RollbackArgs {
    /// The restore point's name
    pub(in crate::cli) name: PointName,
    /// Only this part of it
    #[arg(long, value_name = "PART")]
    pub(in crate::cli) only: Option<OnlyArg>,
    /// Do not ask
    #[arg(long)]
    pub(in crate::cli) yes: bool,
    /// Print the plan and what players would lose, change nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum BumpArg {
    Major,
    Minor,
}

impl From<BumpArg> for Bump {
    fn from(arg: BumpArg) -> Self {
        match arg {
            BumpArg::Major => Self::Major,
            BumpArg::Minor => Self::Minor,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum OnlyArg {
    /// Images, with the volumes that hide them
    Image,
    /// Named volumes
    Volumes,
    /// Databases
    Database,
    /// The project's files
    Config,
}

impl From<OnlyArg> for Only {
    fn from(arg: OnlyArg) -> Self {
        match arg {
            OnlyArg::Image => Self::Image,
            OnlyArg::Volumes => Self::Volumes,
            OnlyArg::Database => Self::Database,
            OnlyArg::Config => Self::Config,
        }
    }
}
