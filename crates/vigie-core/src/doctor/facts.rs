//! Decides the shape of what the rules look at. All of it is collected elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::compose::Document;

/// What was collected.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The compose files, in the order in which Compose merges them.
    pub files: Vec<ComposeText>,
    /// Files that services of the above extend; nothing in them is a service of its own.
    pub extended: Vec<ComposeText>,
    /// The variables that Compose puts in: those of `.env`, and the environment's before them.
    pub variables: BTreeMap<String, String>,
    /// The project's `.env`.
    pub dotenv: Option<SourceText>,
    /// Configuration and Lua files that the stack binds into its containers.
    pub bound: Vec<BoundText>,
    /// What git says; nothing where there is no repository.
    pub git: Option<GitFacts>,
    /// What the engine knows of the images, by their name in the compose file.
    pub images: BTreeMap<String, ImageFacts>,
    /// Year and month, for what is no longer maintained.
    pub today: (i16, i8),
}

/// A compose file.
#[derive(Debug, Clone)]
pub struct ComposeText {
    /// As it is shown.
    pub path: String,
    /// What stands in it.
    pub document: Document,
}

/// Any other file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    /// As it is shown.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

/// A file that a container sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundText {
    /// The service that sees it.
    pub service: String,
    /// Where it is in the container.
    pub inside: String,
    /// The file.
    pub file: SourceText,
}

/// What git says of the project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitFacts {
    /// Bind mounts' sources, as written, that it ignores.
    pub ignored: BTreeSet<String>,
    /// Whether it ignores the project's `.env`.
    pub ignores_dotenv: bool,
    /// Whether it has the project's `.env` already, where ignoring changes nothing.
    pub tracks_dotenv: bool,
}

/// What the engine knows of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// Its digests in registries; none when it is only on this machine.
    pub digests: Vec<String>,
    /// Its own health check, as its words.
    pub healthcheck: Vec<String>,
    /// Where its process starts.
    pub directory: Option<String>,
}
