//! Decides what has to be known of a stack to check its mitigations. Collecting it is the other
//! floor's work; what could not be looked at says why.

use crate::stack::Role;

/// What was seen, or why it could not be looked at.
pub type Looked<T> = Result<T, String>;

/// What a container and its image are like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContainerFacts {
    /// Its restart policy, as Docker writes it; empty or `no` for none.
    pub restart: String,
    /// Its memory limit in bytes.
    pub memory_limit: Option<u64>,
    /// Whether a health check runs in it.
    pub healthcheck: bool,
    /// The image's name.
    pub image: String,
    /// The image's digests in registries: empty for one that was only made here.
    pub digests: Vec<String>,
}

/// How the compose file makes a service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BuiltFacts {
    /// What it depends on, and whether it waits until that is healthy.
    pub depends_on: Vec<(String, bool)>,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFacts {
    /// Its name.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Its container.
    pub container: Looked<ContainerFacts>,
    /// Its part of the compose file.
    pub built: Looked<BuiltFacts>,
}

/// The stack's repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitFacts {
    /// Its remotes.
    pub remotes: Vec<String>,
    /// Whether a remote is known to have the commit that is checked out.
    pub pushed: bool,
}

/// All that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The services.
    pub services: Vec<ServiceFacts>,
    /// The repository; `None` where there is none.
    pub git: Looked<Option<GitFacts>>,
    /// Seconds since the last backup; `None` where none are made.
    pub backup_age: Looked<Option<u64>>,
}

impl Facts {
    /// The services of `role`, or all.
    pub fn of_role(&self, role: Option<Role>) -> impl Iterator<Item = &ServiceFacts> {
        self.services.iter().filter(move |one| role.is_none_or(|role| one.role == role))
    }
}
