//! Does: finds the login for a registry where `docker login` left it: Docker's own configuration, or the
//! helper program that it names. What is secret is shown nowhere.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard::auth::DockerCredentials;
use serde::Deserialize;
use tokio::process::Command;

use crate::runner;

/// The registry of a name that tells none.
const HUB: &str = "https://index.docker.io/v1/";
/// What a helper calls a login that is a token.
const TOKEN: &str = "<token>";
const LIMIT: Duration = Duration::from_secs(30);

/// Where logins are.
#[derive(Debug, Clone)]
pub struct Logins {
    directory: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct File {
    auths: HashMap<String, Auth>,
    creds_store: Option<String>,
    cred_helpers: HashMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: Option<String>,
    identitytoken: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

impl Logins {
    /// Those of the account that runs this: `DOCKER_CONFIG`, or `~/.docker`.
    #[must_use]
    pub fn usual() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let home = || Some(PathBuf::from(set("HOME")?).join(".docker"));
        Self { directory: set("DOCKER_CONFIG").map(PathBuf::from).or_else(home) }
    }

    /// Those in a directory with a `config.json`.
    #[must_use]
    pub fn at(directory: &Path) -> Self {
        Self { directory: Some(directory.to_owned()) }
    }

    /// The login for the registry of `repository`; an empty one where there is none.
    ///
    /// # Errors
    /// Why it cannot be had, in words without anything secret.
    pub(super) async fn of(&self, repository: &str) -> Result<DockerCredentials, String> {
        let registry = registry(repository);
        let Some(file) = self.read()? else { return Ok(DockerCredentials::default()) };
        let helper = file.cred_helpers.get(registry).or(file.creds_store.as_ref());
        let found = match helper {
            Some(helper) => {
                let mut command = runner::program(format!("docker-credential-{helper}"));
                ask(&mut command, helper, registry).await?
            }
            None => None,
        };
        let kept = || file.auths.iter().find(|(name, _)| host(name) == host(registry));
        let login = match (found, kept()) {
            (Some(login), _) => login,
            (None, Some((_, auth))) => decoded(auth, registry)?,
            (None, None) => DockerCredentials::default(),
        };
        let login = DockerCredentials { serveraddress: Some(registry.to_owned()), ..login };
        can_be_sent(&login)?;
        Ok(login)
    }

    fn read(&self) -> Result<Option<File>, String> {
        let Some(path) = self.directory.as_ref().map(|it| it.join("config.json")) else {
            return Ok(None);
        };
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{} cannot be read: {error}", path.display())),
        };
        // What the reader complains of can be a part of the file: only where is told.
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            format!("{}:{}: this is not Docker's configuration", path.display(), error.line())
        })
    }
}

/// The registry of a repository, by the rule of Docker's own: its first part, when it looks like a host.
fn registry(repository: &str) -> &str {
    match repository.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => first,
        _ => HUB,
    }
}

/// A registry's host: older files have whole addresses.
fn host(name: &str) -> &str {
    let name =
        name.strip_prefix("https://").or_else(|| name.strip_prefix("http://")).unwrap_or(name);
    name.split('/').next().unwrap_or(name)
}

/// Asks a helper; `None` when it has no login.
async fn ask(
    command: &mut Command,
    helper: &str,
    registry: &str,
) -> Result<Option<DockerCredentials>, String> {
    let wrong =
        |why: &str| format!("docker-credential-{helper} {why}; try: docker login {registry}");
    let output = runner::run_with(command.arg("get"), registry.as_bytes(), LIMIT).await;
    let output = match output {
        Ok(Some(output)) => output,
        Ok(None) => return Err(wrong("does not answer")),
        Err(error) => return Err(wrong(&format!("cannot be run: {error}"))),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout).to_ascii_lowercase();
        return if said.contains("not found") { Ok(None) } else { Err(wrong("fails")) };
    }
    let answer: Answer =
        serde_json::from_slice(&output.stdout).map_err(|_| wrong("answers something else"))?;
    Ok(Some(if answer.username == TOKEN {
        DockerCredentials { identitytoken: Some(answer.secret), ..DockerCredentials::default() }
    } else {
        login(answer.username, answer.secret)
    }))
}

fn decoded(auth: &Auth, registry: &str) -> Result<DockerCredentials, String> {
    if let Some(token) = auth.identitytoken.clone().filter(|token| !token.is_empty()) {
        return Ok(DockerCredentials {
            identitytoken: Some(token),
            ..DockerCredentials::default()
        });
    }
    let Some(text) = auth.auth.as_ref().filter(|text| !text.is_empty()) else {
        return Ok(DockerCredentials::default());
    };
    let read = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let read = read.as_deref().and_then(|text| text.split_once(':'));
    let wrong = || format!("the login for {registry} is broken; try: docker login {registry}");
    let (user, password) = read.ok_or_else(wrong)?;
    Ok(login(user.to_owned(), password.trim_end_matches('\0').to_owned()))
}

fn login(user: String, password: String) -> DockerCredentials {
    DockerCredentials { username: Some(user), password: Some(password), ..Default::default() }
}

/// The engine reads the login in the alphabet for addresses, and the library writes it in the other one:
/// a login in which they differ would silently count as none.
fn can_be_sent(login: &DockerCredentials) -> Result<(), String> {
    let sent = serde_json::to_string(login).map(|text| STANDARD.encode(text)).unwrap_or_default();
    if sent.contains(['+', '/']) {
        return Err(String::from(
            "this login's password has characters (`?`, `>`, `~`, or beyond ASCII) that do not reach \
             the engine; use an access token instead: docker login",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    async fn of(config: &str, repository: &str) -> Result<DockerCredentials, String> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("config.json"), config).unwrap();
        Logins::at(directory.path()).of(repository).await
    }

    #[tokio::test]
    async fn the_login_of_the_right_registry_is_taken() {
        let encoded = STANDARD.encode("ada:a:pass");
        let config = format!(
            "{{\"auths\": {{\"https://r.example.org/v1/\": {{\"auth\": \"{encoded}\"}}, \
             \"127.0.0.1:5000\": {{\"identitytoken\": \"abc\"}}}}, \"credsStore\": \"\"}}"
        );
        let config = config.replace(", \"credsStore\": \"\"", "");
        let login = of(&config, "r.example.org/team/gmod").await.unwrap();
        assert_eq!(
            (login.username.as_deref(), login.password.as_deref()),
            (Some("ada"), Some("a:pass"))
        );
        let token = of(&config, "127.0.0.1:5000/gmod").await.unwrap();
        assert_eq!(token.identitytoken.as_deref(), Some("abc"));
        assert_eq!(of(&config, "team/gmod").await.unwrap().username, None);
        let nowhere = tempfile::tempdir().unwrap();
        assert_eq!(
            Logins::at(nowhere.path()).of("a/b").await.unwrap(),
            DockerCredentials::default()
        );
    }

    #[tokio::test]
    async fn what_cannot_be_used_is_said_without_the_secret() {
        let broken = of("{\"auths\": {\"r.io\": {\"auth\": \"c2VjcmV0\"}}}", "r.io/x").await;
        let secret = of("{\"auths\": {\"r.io\": \"secret\"", "r.io/x").await;
        let encoded = STANDARD.encode("ada:secret~~~???>>>");
        let config = format!("{{\"auths\": {{\"r.io\": {{\"auth\": \"{encoded}\"}}}}}}");
        let unsent = of(&config, "r.io/x").await;
        let helper = of("{\"credHelpers\": {\"r.io\": \"nobody-has-this\"}}", "r.io/x").await;
        for error in [broken, secret, unsent, helper] {
            let error = error.unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_helper_is_asked_by_the_registrys_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("helper");
        let run = async |script: &str| {
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            ask(&mut runner::program(&path), "test", "r.io").await
        };
        let echo = r#"read -r host; printf '{"ServerURL":"x","Username":"%s","Secret":"%s-pass"}' "$host" "$1""#;
        let login = run(echo).await.unwrap().unwrap();
        assert_eq!(
            (login.username.as_deref(), login.password.as_deref()),
            (Some("r.io"), Some("get-pass"))
        );
        let token = run(r#"echo '{"Username":"<token>","Secret":"abc"}'"#).await.unwrap().unwrap();
        assert_eq!(token.identitytoken.as_deref(), Some("abc"));
        let none = run("echo credentials not found in native keychain; exit 1").await;
        assert_eq!(none.unwrap(), None);
        assert!(run("echo secret; exit 1").await.unwrap_err().contains("docker login r.io"));
        assert!(!run("echo secret").await.unwrap_err().contains("secret"));
    }
}
