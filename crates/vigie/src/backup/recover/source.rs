//! Decides how a site is written in one word, as the recovery sheet has it: `/mnt/backup`,
//! `s3:https://KEY@host/bucket/prefix`, `sftp:user@host:/path`, `webdav:https://…`, `rest:https://…`,
//! `rclone:remote:path`. Never takes a secret in it: a command line is read by everybody on the host.

use std::path::{Path, PathBuf};

use reqwest::Url;
use serde::Deserialize;

use crate::config::{
    BackupConfig, RcloneConfig, S3Config, Secret, ServerConfig, SftpConfig, SiteConfig,
};

/// The variable that has the password of the repositories.
pub const PASSWORD: &str = "VIGIE_BACKUP_PASSWORD";
/// The variable that has the secret of the site itself: S3's secret key, WebDAV's or REST's password.
pub const SECRET: &str = "VIGIE_SITE_SECRET";

/// A site, and where its secrets are.
#[derive(Debug, Clone)]
pub struct Source {
    /// What people call it.
    pub name: String,
    /// What it is.
    pub site: SiteConfig,
    /// Where the password of its repository is.
    pub password: Secret,
    /// What relative paths and secret files are relative to.
    pub directory: PathBuf,
}

/// Why that is no site.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No known form.
    #[error(
        "`{0}` is no site; write /DIRECTORY, s3:https://KEY@HOST/BUCKET/PREFIX, sftp:USER@HOST:/PATH, \
         webdav:https://USER@HOST/PATH, rest:https://USER@HOST:8000/PATH, rclone:REMOTE:PATH; or its name, \
         with --config FILE that has its [backup]"
    )]
    Form(String),
    /// A known form with something wrong in it.
    #[error("`{0}`: {1}")]
    Wrong(String, String),
    /// A password in it. The word itself is not repeated.
    #[error(
        "there is a password in the address, which everybody on this host can read; take it out, and give it \
         in the variable {SECRET} or when it is asked for"
    )]
    Told,
    /// The file.
    #[error("{0}: {1}; it needs [backup] with its password and [backup.site.NAME]")]
    File(String, String),
    /// No such site in it.
    #[error("there is no site `{0}` in {1}; known there: {2}")]
    Unknown(String, String, String),
}

/// The only part of a configuration that is needed.
#[derive(Deserialize)]
struct Small {
    backup: BackupConfig,
}

impl Source {
    /// Reads one from a word.
    ///
    /// # Errors
    /// What is wrong with it, and how it is written.
    pub fn parse(word: &str) -> Result<Self, SourceError> {
        let directory = std::env::current_dir().unwrap_or_default();
        let form = || SourceError::Form(word.to_owned());
        let mut site = SiteConfig::default();
        if word.starts_with(['/', '.', '~']) {
            site.local = Some(PathBuf::from(word));
        } else {
            let (kind, rest) = word.split_once(':').ok_or_else(form)?;
            match kind {
                "file" => site.local = Some(PathBuf::from(rest.trim_start_matches("//"))),
                "s3" => site.s3 = Some(s3(word, rest)?),
                "sftp" => site.sftp = Some(sftp(word, rest)?),
                "webdav" => site.webdav = Some(server(word, rest)?),
                "rest" => site.rest = Some(server(word, rest)?),
                "rclone" => site.rclone = Some(rclone(word, rest)?),
                _ => return Err(form()),
            }
        }
        let password = Secret::Env(PASSWORD.to_owned());
        Ok(Self { name: word.to_owned(), site, password, directory })
    }

    /// Takes the site `name` of a file that has a `[backup]`; whatever else is in it is not read.
    ///
    /// # Errors
    /// What is wrong with the file, or that it has no such site.
    pub fn read(name: &str, file: &Path) -> Result<Self, SourceError> {
        let shown = file.display().to_string();
        let wrong = |why: String| SourceError::File(shown.clone(), why);
        let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
        // Only the message: the line could be one with a secret that was written there by mistake.
        let small: Small =
            toml::from_str(&text).map_err(|error| wrong(error.message().to_owned()))?;
        let site = small.backup.site.get(name).cloned().ok_or_else(|| {
            let known = small.backup.site.keys().cloned().collect::<Vec<_>>().join(", ");
            SourceError::Unknown(name.to_owned(), shown.clone(), known)
        })?;
        if site.kinds() != 1 {
            let kinds = "one of local, s3, sftp, webdav, rest, rclone";
            return Err(wrong(format!(
                "the site {name} is of {} kinds; write {kinds}",
                site.kinds()
            )));
        }
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let directory = file.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Self { name: name.to_owned(), site, password: small.backup.password, directory })
    }
}

/// The word for a site whose paths are relative to `directory`; none where no word says all of it.
#[must_use]
pub fn word(site: &SiteConfig, directory: &Path) -> Option<String> {
    let path = |path: &PathBuf| directory.join(path).display().to_string();
    let login = |url: &str, user: &str| {
        let mut url = Url::parse(url).ok()?;
        url.set_username(user).ok()?;
        Some(url.to_string())
    };
    let text = if let Some(local) = &site.local {
        path(local)
    } else if let Some(s3) = &site.s3 {
        let address = login(&s3.endpoint, &s3.access_key)?;
        let mut text = format!("s3:{}/{}", address.trim_end_matches('/'), s3.bucket);
        if !s3.prefix.trim_matches('/').is_empty() {
            text += &format!("/{}", s3.prefix.trim_matches('/'));
        }
        with(text, &[("region", (!s3.region.is_empty()).then(|| s3.region.clone()))])
    } else if let Some(sftp) = &site.sftp {
        let user = if sftp.user.is_empty() { String::new() } else { format!("{}@", sftp.user) };
        let port = sftp.port.map(|port| format!(":{port}")).unwrap_or_default();
        let text = format!("sftp:{user}{}{port}:{}", sftp.host, sftp.path);
        let first = sftp.trust_first.then(|| String::from("yes"));
        let files = [
            ("key", sftp.key_file.as_ref().map(path)),
            ("known_hosts", sftp.known_hosts.as_ref().map(path)),
            ("trust_first", first),
        ];
        with(text, &files)
    } else if let Some(dav) = &site.webdav {
        let whole = format!("{}/{}", dav.url.trim_end_matches('/'), dav.path.trim_matches('/'));
        format!("webdav:{}", login(whole.trim_end_matches('/'), &dav.user)?)
    } else if let Some(rest) = &site.rest {
        format!("rest:{}", login(&rest.url, &rest.user)?)
    } else {
        let rclone = site.rclone.as_ref()?;
        let config = rclone.config.as_ref().map(path);
        with(format!("rclone:{}", rclone.remote), &[("config", config)])
    };
    // A word that is not read back as it was meant is none.
    let again = Source::parse(&text).ok()?;
    let is_same = match &site.local {
        Some(local) => again.site.local == Some(directory.join(local)),
        None => again.site.kinds() == 1 && parts(&again.site, directory) == parts(site, directory),
    };
    is_same.then_some(text)
}

/// All that a word has to say of a site.
fn parts(site: &SiteConfig, directory: &Path) -> Vec<String> {
    let path = |path: &Option<PathBuf>| {
        path.as_ref().map(|path| directory.join(path).display().to_string()).unwrap_or_default()
    };
    let mut parts = Vec::new();
    if let Some(s3) = &site.s3 {
        let place = [&s3.bucket, s3.endpoint.trim_end_matches('/'), &s3.region];
        parts.extend(place.map(str::to_owned));
        parts.extend([s3.prefix.trim_matches('/').to_owned(), s3.access_key.clone()]);
    }
    if let Some(sftp) = &site.sftp {
        parts.extend([sftp.host.clone(), sftp.user.clone(), sftp.path.clone()]);
        parts.extend([path(&sftp.key_file), path(&sftp.known_hosts)]);
        parts.push(format!("{:?} {}", sftp.port, sftp.trust_first));
    }
    for server in site.webdav.iter().chain(&site.rest) {
        let whole = format!("{}/{}", server.url.trim_end_matches('/'), server.path);
        parts.extend([whole.trim_end_matches('/').to_owned(), server.user.clone()]);
    }
    if let Some(rclone) = &site.rclone {
        parts.extend([rclone.remote.clone(), path(&rclone.config)]);
    }
    parts
}

/// `text` with what is set of `options` behind a `?`.
fn with(text: String, options: &[(&str, Option<String>)]) -> String {
    let set = options.iter().filter_map(|(key, value)| Some(format!("{key}={}", value.as_ref()?)));
    let set = set.collect::<Vec<_>>().join("&");
    if set.is_empty() { text } else { format!("{text}?{set}") }
}

/// What stands before the `?`, and the names and values behind it.
type Split<'a> = (&'a str, Vec<(&'a str, &'a str)>);

/// What stands before the `?`, and the options behind it, each of which has to be one of `known`.
fn options<'a>(word: &str, rest: &'a str, known: &[&str]) -> Result<Split<'a>, SourceError> {
    let Some((place, behind)) = rest.split_once('?') else { return Ok((rest, Vec::new())) };
    let mut found = Vec::new();
    for one in behind.split('&') {
        match one.split_once('=') {
            Some((key, value)) if known.contains(&key) => found.push((key, value)),
            _ => {
                let why = format!("`{one}` behind the ? is none of {}", known.join(", "));
                return Err(SourceError::Wrong(word.to_owned(), why));
            }
        }
    }
    Ok((place, found))
}

fn option(options: &[(&str, &str)], key: &str) -> Option<String> {
    options.iter().find(|(known, _)| *known == key).map(|(_, value)| (*value).to_owned())
}

/// An address and whoever logs in there.
fn address(word: &str, text: &str) -> Result<(Url, String), SourceError> {
    let wrong = |why: &str| SourceError::Wrong(word.to_owned(), why.to_owned());
    let mut url = Url::parse(text).map_err(|_| wrong("write it like https://host/path"))?;
    if url.password().is_some() {
        return Err(SourceError::Told);
    }
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong("the address begins with https:// (or http://) and a host"));
    }
    let user = url.username().to_owned();
    url.set_username("").map_err(|()| wrong("nobody can log in there"))?;
    Ok((url, user))
}

fn s3(word: &str, rest: &str) -> Result<S3Config, SourceError> {
    let (place, options) = options(word, rest, &["region"])?;
    let (mut url, access_key) = address(word, place)?;
    let path = url.path().trim_matches('/').to_owned();
    let (bucket, prefix) = path.split_once('/').unwrap_or((&path, ""));
    let wrong = |why: &str| SourceError::Wrong(word.to_owned(), why.to_owned());
    if bucket.is_empty() {
        return Err(wrong("the bucket is missing: s3:https://KEY@HOST/BUCKET/PREFIX"));
    }
    if access_key.is_empty() {
        return Err(wrong("the access key is missing: s3:https://KEY@HOST/BUCKET/PREFIX"));
    }
    url.set_path("");
    Ok(S3Config {
        bucket: bucket.to_owned(),
        endpoint: url.to_string().trim_end_matches('/').to_owned(),
        region: option(&options, "region").unwrap_or_default(),
        prefix: prefix.to_owned(),
        access_key,
        secret_key: Secret::Env(SECRET.to_owned()),
    })
}

fn sftp(word: &str, rest: &str) -> Result<SftpConfig, SourceError> {
    let (place, options) = options(word, rest, &["key", "known_hosts", "trust_first"])?;
    let wrong = |why: &str| SourceError::Wrong(word.to_owned(), why.to_owned());
    let (user, behind) = place.split_once('@').unwrap_or(("", place));
    if user.contains(':') {
        return Err(SourceError::Told);
    }
    let shape = "write sftp:USER@HOST:/PATH, or sftp:USER@HOST:PORT:/PATH";
    let (host, behind) = behind.split_once(':').ok_or_else(|| wrong(shape))?;
    let (port, path) = match behind.split_once(':') {
        Some((port, path)) if !port.contains('/') => {
            (Some(port.parse().map_err(|_| wrong(shape))?), path)
        }
        _ => (None, behind),
    };
    if host.is_empty() || path.is_empty() {
        return Err(wrong(shape));
    }
    Ok(SftpConfig {
        host: host.to_owned(),
        port,
        user: user.to_owned(),
        key_file: option(&options, "key").map(PathBuf::from),
        path: path.to_owned(),
        known_hosts: option(&options, "known_hosts").map(PathBuf::from),
        trust_first: option(&options, "trust_first").is_some_and(|word| word == "yes"),
    })
}

fn server(word: &str, rest: &str) -> Result<ServerConfig, SourceError> {
    let (url, user) = address(word, rest)?;
    // Who logs in has a password.
    let password = (!user.is_empty()).then(|| Secret::Env(SECRET.to_owned()));
    Ok(ServerConfig { url: url.to_string(), path: String::new(), user, password })
}

fn rclone(word: &str, rest: &str) -> Result<RcloneConfig, SourceError> {
    let (remote, options) = options(word, rest, &["config"])?;
    if !remote.contains(':') {
        let why = String::from("write rclone:REMOTE:PATH");
        return Err(SourceError::Wrong(word.to_owned(), why));
    }
    let config = option(&options, "config").map(PathBuf::from);
    Ok(RcloneConfig { remote: remote.to_owned(), config })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(word_of: &str) -> Option<String> {
        word(&Source::parse(word_of).unwrap().site, Path::new("/srv/town"))
    }

    #[test]
    fn every_form_is_read_and_written() {
        for one in [
            "/mnt/backup",
            "s3:https://AKIA@s3.example.org/bucket",
            "s3:http://AKIA@127.0.0.1:9000/bucket/a/b?region=eu-west-1",
            "sftp:me@example.org:/srv/backup",
            "sftp:me@example.org:2222:backup?key=/root/.ssh/id&known_hosts=/root/kh&trust_first=yes",
            "webdav:https://me@dav.example.org/remote.php/dav",
            "rest:https://me@example.org:8000/town",
            "rest:http://127.0.0.1:8000/",
            "rclone:drive:backups/town?config=/root/rclone.conf",
        ] {
            assert_eq!(again(one).as_deref(), Some(one));
        }
        let s3 = Source::parse("s3:https://AKIA@s3.example.org/bucket/a/b").unwrap().site.s3;
        let s3 = s3.unwrap();
        assert_eq!(
            (s3.endpoint.as_str(), s3.bucket.as_str(), s3.prefix.as_str()),
            ("https://s3.example.org", "bucket", "a/b")
        );
        let relative = SiteConfig { local: Some("sites/near".into()), ..SiteConfig::default() };
        let told = word(&relative, Path::new("/srv/town"));
        assert_eq!(told.as_deref(), Some("/srv/town/sites/near"));
        // What a word cannot say is not said half.
        let odd = SftpConfig {
            host: "h".into(),
            port: None,
            user: String::new(),
            key_file: None,
            path: "/a?b".into(),
            known_hosts: None,
            trust_first: false,
        };
        let odd = SiteConfig { sftp: Some(odd), ..SiteConfig::default() };
        assert_eq!(word(&odd, Path::new("/")), None);
    }

    #[test]
    fn what_is_wrong_is_said_and_a_password_is_not_repeated() {
        for (text, told) in [
            ("disk", "is no site"),
            ("ftp:host", "is no site"),
            ("s3:https://AKIA@host", "the bucket is missing"),
            ("s3:https://host/bucket", "the access key is missing"),
            ("s3:host/bucket", "write it like https://"),
            ("s3:https://A@host/b?regoin=x", "none of region"),
            ("sftp:me@host", "write sftp:"),
            ("rclone:drive", "write rclone:"),
        ] {
            let said = Source::parse(text).unwrap_err().to_string();
            assert!(said.contains(told), "{text}: {said}");
        }
        for text in ["rest:https://me:hunter2@host/", "sftp:me:hunter2@host:/p"] {
            let said = Source::parse(text).unwrap_err().to_string();
            assert!(said.contains(SECRET) && !said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn a_file_with_a_backup_alone_is_enough() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("site.toml");
        let text = "[backup]\npassword = { env = \"P\" }\n[backup.site.disk]\nlocal = \"d\"\n";
        std::fs::write(&file, text).unwrap();
        let source = Source::read("disk", &file).unwrap();
        assert_eq!(source.directory, directory.path());
        let said = Source::read("disc", &file).unwrap_err().to_string();
        assert!(said.contains("known there: disk"), "{said}");
        std::fs::write(&file, "[backup]\npassword = \"hunter2\"\n").unwrap();
        let said = Source::read("disk", &file).unwrap_err().to_string();
        assert!(said.contains("never written here") && !said.contains("hunter2"), "{said}");
    }
}
