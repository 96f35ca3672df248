//! Decides in which order a stack goes back to a restore point. Each act can be repeated: whoever was
//! killed in the middle begins anew and comes to the same end.

use serde::{Deserialize, Serialize};

use crate::snapshot::Point;

/// What to go back with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Only {
    /// Images, with the volumes that hide them.
    Image,
    /// Named volumes.
    Volumes,
    /// Databases.
    Database,
    /// The project's files.
    Config,
}

/// Which parts of a point are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// Images.
    pub images: bool,
    /// All named volumes.
    pub volumes: bool,
    /// Databases.
    pub databases: bool,
    /// The project's files.
    pub project: bool,
}

impl Parts {
    /// All of them, or only some.
    #[must_use]
    pub const fn of(only: Option<Only>) -> Self {
        let all = only.is_none();
        Self {
            images: all || matches!(only, Some(Only::Image)),
            volumes: all || matches!(only, Some(Only::Volumes)),
            databases: all || matches!(only, Some(Only::Database)),
            project: all || matches!(only, Some(Only::Config)),
        }
    }
}

/// One act of a rollback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Stop a service, so that nothing writes to what is exchanged.
    Stop(String),
    /// Put the project's files back.
    Project,
    /// Let a service's image be the point's, in the compose file.
    Image(String),
    /// Exchange a volume.
    Volume(String),
    /// Bring a service up as the compose file says, and wait until it answers.
    Up(String),
    /// Play a database's dump back.
    Database(String),
    /// Look from the player's side.
    Verify(String),
}

/// A rollback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What is done, in order.
    pub acts: Vec<Act>,
    /// Volumes that go back although only the image was asked for, because they hide it.
    pub masking: Vec<String>,
}

impl Plan {
    /// The way back to `point`. `content` says for a service where its image has the game's files;
    /// `order` has the services in the order in which they start.
    #[must_use]
    pub fn to(
        point: &Point,
        parts: Parts,
        order: &[String],
        content: impl Fn(&str) -> Option<String>,
    ) -> Self {
        // An image that was taken over has no files: nobody stops for them.
        let project = parts.project && (point.project.is_some() || !point.binds.is_empty());
        let mut masking = Vec::new();
        let mut volumes: Vec<&str> = Vec::new();
        if parts.volumes {
            volumes.extend(point.volumes.iter().map(|one| one.name.as_str()));
        } else if parts.images {
            for image in &point.images {
                let masks = content(&image.service).map(|at| point.masks(&image.service, &at));
                for volume in masks.unwrap_or_default() {
                    masking.push(volume.name.clone());
                    volumes.push(&volume.name);
                }
            }
        }
        let touches = |service: &String| {
            let image = parts.images && point.images.iter().any(|one| &one.service == service);
            let mounted = point.volumes.iter().any(|one| {
                volumes.contains(&one.name.as_str())
                    && one.mounted.iter().any(|(by, _)| by == service)
            });
            image || mounted || project
        };
        let touched: Vec<_> = order.iter().filter(|service| touches(service)).cloned().collect();
        let databases: Vec<_> = point.databases.iter().filter(|_| parts.databases).collect();
        let mut acts: Vec<_> = touched.iter().rev().cloned().map(Act::Stop).collect();
        // A game that plays on writes into the database that is played back.
        if !databases.is_empty() {
            let idle = order.iter().rev().filter(|service| {
                !touched.contains(service) && !databases.iter().any(|one| one.service == **service)
            });
            acts.extend(idle.cloned().map(Act::Stop));
        }
        acts.extend(project.then_some(Act::Project));
        if parts.images {
            acts.extend(point.images.iter().map(|one| Act::Image(one.service.clone())));
        }
        acts.extend(volumes.iter().map(|name| Act::Volume((*name).to_owned())));
        for service in order {
            let played_back: Vec<_> =
                databases.iter().filter(|one| &one.service == service).collect();
            if touches(service) || !databases.is_empty() {
                acts.push(Act::Up(service.clone()));
            }
            acts.extend(played_back.iter().map(|one| Act::Database(one.schema.clone())));
        }
        let verified = acts.iter().filter_map(|act| match act {
            Act::Up(service) => Some(Act::Verify(service.clone())),
            _ => None,
        });
        let verified: Vec<_> = verified.collect();
        acts.extend(verified);
        Self { acts, masking }
    }
}
