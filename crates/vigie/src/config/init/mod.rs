//! Does: makes a first configuration from a compose project. Asks nothing: what it guesses, it says
//! in a comment beside the key. Never copies a secret.

mod compose;
mod guess;
#[cfg(test)]
mod tests;
mod write;

use std::path::{Path, PathBuf};

pub use compose::{ComposeProject, ComposeService, Port};
pub use guess::Guess;

use super::ConfigError;

/// The names that Compose itself looks for, in its order.
const NAMES: [&str; 4] =
    ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// What `vigie init` is about to write.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The compose file it was made from.
    pub compose: PathBuf,
    /// `vigie.toml`.
    pub text: String,
    /// What was found, for people: name, role, why.
    pub found: Vec<(String, String, String)>,
    /// What the user still has to do, in words.
    pub todo: Vec<String>,
}

/// Drafts a configuration for the project in `directory`.
///
/// # Errors
/// When there is no compose file, or it cannot be read; says where.
pub fn draft(directory: &Path) -> Result<Draft, ConfigError> {
    let name = NAMES.iter().find(|name| directory.join(name).is_file());
    let Some(name) = name else {
        let what = format!("there is no compose file here (looked for {})", NAMES.join(", "));
        let hint = String::from(
            "go to the project's directory: vigie init DIRECTORY; or see vigie at work first: vigie demo",
        );
        return Err(ConfigError::whole(directory, what, Some(hint)));
    };
    let path = directory.join(name);
    let variables = compose::variables(directory);
    let project = read_project(&path)?;
    let guesses: Vec<_> =
        project.services.iter().map(|service| guess::guess(service, &variables)).collect();
    let stack = project.name.clone().unwrap_or_else(|| directory_name(directory));
    let text = write::write(&stack, name, &project, &guesses);
    let mut todo: Vec<String> = guesses.iter().flat_map(|guess| guess.todo.clone()).collect();
    if !guesses.iter().any(|guess| guess.role == vigie_core::stack::Role::Game) {
        todo.push(String::from(
            "no game server was recognised: set role = \"game\" and an a2s address for it in vigie.toml",
        ));
    }
    let found = project.services.iter().zip(&guesses).map(|(service, guess)| {
        let role = format!("{:?}", guess.role).to_lowercase();
        (service.name.clone(), role, guess.why.clone())
    });
    Ok(Draft { compose: path, text, found: found.collect(), todo })
}

/// Reads the compose file at `path`, with the `.env` beside it.
///
/// # Errors
/// When it cannot be read; says where.
pub fn read_project(path: &Path) -> Result<ComposeProject, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError::whole(path, format!("cannot be read: {error}"), None))?;
    let variables = compose::variables(path.parent().unwrap_or(Path::new(".")));
    compose::read(path, &text, &variables)
}

fn directory_name(directory: &Path) -> String {
    let absolute = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    absolute
        .file_name()
        .map_or_else(|| String::from("stack"), |name| name.to_string_lossy().into_owned())
}
