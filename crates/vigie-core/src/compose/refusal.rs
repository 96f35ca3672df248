//! Decides how it is said that a file cannot be read or not be edited safely: where, why, and what to
//! do instead.

use super::Place;

/// Why a file is left alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct Refusal {
    /// Where.
    pub place: Place,
    /// Why.
    pub why: Why,
}

impl Refusal {
    pub(super) const fn new(place: Place, why: Why) -> Self {
        Self { place, why }
    }
}

/// The reasons.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It is no YAML.
    #[error("{0}; `docker compose config` shows how Compose reads it")]
    Syntax(String),
    /// More than a compose file can be.
    #[error("the file is larger than 4 MiB, no compose file is; name the right one")]
    TooLarge,
    /// Deeper than a compose file can be.
    #[error("it is nested deeper than any compose file; name the right one")]
    TooDeep,
    /// Several documents.
    #[error(
        "the file has {0} YAML documents, and which one counts is up to Compose; edit it by hand"
    )]
    Documents(usize),
    /// Nothing is in it.
    #[error("the file is empty; write `services:` first")]
    Nothing,
    /// A key stands twice.
    #[error("`{key}` stands twice in one mapping, first at {first}; remove one of them first")]
    Twice {
        /// The key.
        key: String,
        /// Where it stands first.
        first: Place,
    },
    /// Somebody else uses the same value.
    #[error(
        "what stands here is used at {used} too, and would change there as well; \
         give each its own value first"
    )]
    Shared {
        /// Where else.
        used: Place,
    },
    /// There is nothing to set it in.
    #[error("there is no `{0}` to set it in; write it first")]
    Missing(String),
    /// A value is no mapping.
    #[error("`{0}` is no mapping; edit it by hand")]
    NoMapping(String),
    /// A comment would be lost.
    #[error("a comment stands here that the edit would remove; move it first")]
    Comment,
    /// The edited file would not be the old one but for the value.
    #[error("this way of writing cannot be edited safely; edit it by hand")]
    Unproved,
    /// A service has no image.
    #[error("`{0}` has no image, it is built; name an image for it first")]
    Built(String),
    /// No service of that name.
    #[error("there is no service `{name}`; the file has: {known}")]
    NoService {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// No reference of an image.
    #[error("`{0}` is no name of an image; write it as name:tag")]
    NoImage(String),
    /// An image is put together from variables.
    #[error("the image is put together from {0}; set them where they come from")]
    Variables(String),
    /// A variable is used elsewhere too.
    #[error(
        "{variable} is used at {used} too, and would change there as well; write the image out"
    )]
    Variable {
        /// Its name.
        variable: String,
        /// Where else.
        used: Place,
    },
    /// A variable has another value already.
    #[error("{0} has another value in .env already; give this one another name")]
    Taken(String),
    /// A value that a `.env` file cannot hold.
    #[error("a value with a line end or a sign of control cannot stand in a .env file")]
    NoDotenv,
    /// A quote that is not closed.
    #[error("the quote that begins here is not closed; close it first")]
    Unclosed,
}
