//! Does: opens the repositories of the configured sites. Every one has the same password and the same
//! way of cutting data into pieces, so that what one has can be copied to another as it is.

use std::path::Path;
use std::sync::Arc;

use vigie_backup::{Access, HostKeys, Meter, Rclone, Repository, Rest, S3, Sftp, Site, WebDav};

use super::BackupError;
use crate::config::{BackupConfig, Config, Secret, SiteConfig};

/// The configured sites.
#[derive(Debug)]
pub struct Sites<'a> {
    config: &'a Config,
    backup: &'a BackupConfig,
    password: String,
    meter: Option<Arc<dyn Meter>>,
}

impl<'a> Sites<'a> {
    /// The sites of `config`.
    ///
    /// # Errors
    /// When nothing is configured or the password cannot be had.
    pub fn of(config: &'a Config) -> Result<Self, BackupError> {
        let backup = config.file.backup.as_ref().ok_or(BackupError::NotConfigured)?;
        let password = reveal(config, "the repositories", &backup.password)?;
        if password.is_empty() {
            let why = String::from("it is empty");
            return Err(BackupError::Secret(String::from("the repositories"), why));
        }
        Ok(Self { config, backup, password, meter: None })
    }

    /// The same, telling `meter` how far each work is.
    #[must_use]
    pub fn with_meter(self, meter: Arc<dyn Meter>) -> Self {
        Self { meter: Some(meter), ..self }
    }

    /// Their password.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Their configuration.
    #[must_use]
    pub const fn backup(&self) -> &'a BackupConfig {
        self.backup
    }

    /// The site that is written first.
    ///
    /// # Errors
    /// When there is none.
    pub fn primary(&self) -> Result<&'a str, BackupError> {
        self.backup.primary().ok_or(BackupError::NotConfigured)
    }

    /// The others.
    pub fn others(&self) -> impl Iterator<Item = &'a str> {
        let first = self.backup.primary();
        self.names().filter(move |name| Some(*name) != first)
    }

    /// All of them.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.backup.site.keys().map(String::as_str)
    }

    /// One of them.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn site(&self, name: &str) -> Result<&'a SiteConfig, BackupError> {
        self.backup.site.get(name).ok_or_else(|| {
            let known = self.names().collect::<Vec<_>>().join(", ");
            BackupError::NoSite(name.to_owned(), known)
        })
    }

    /// Opens a repository.
    ///
    /// # Errors
    /// When there is none, it cannot be reached, or the password is wrong.
    pub fn open(&self, name: &str) -> Result<Repository, BackupError> {
        let (site, access) = self.place(name)?;
        let opened = Repository::open_at(&site, &access, &self.password);
        let failed = |error| match error {
            vigie_backup::Error::Missing(place) => {
                BackupError::NoRepository(name.to_owned(), place)
            }
            error => BackupError::Site(name.to_owned(), error),
        };
        Ok(self.told(opened.map_err(failed)?))
    }

    /// Makes a repository; its pieces are cut as those of `like` are, where there is one.
    ///
    /// # Errors
    /// When there is one already, or it cannot be reached.
    pub fn create(&self, name: &str, like: Option<&Repository>) -> Result<Repository, BackupError> {
        let (site, access) = self.place(name)?;
        let made = match like {
            Some(like) => like.create_like(&site, &access, &self.password),
            None => Repository::create_at(&site, &access, &self.password),
        };
        Ok(self.told(made.map_err(|error| BackupError::Site(name.to_owned(), error))?))
    }

    /// Where a site is, for people.
    ///
    /// # Errors
    /// As [`Sites::site`].
    pub fn shown(&self, name: &str) -> Result<String, BackupError> {
        self.place(name).map(|(site, _)| site.to_string())
    }

    fn told(&self, repository: Repository) -> Repository {
        match &self.meter {
            Some(meter) => repository.with_meter(Arc::clone(meter)),
            None => repository,
        }
    }

    fn place(&self, name: &str) -> Result<(Site, Access), BackupError> {
        let config = self.site(name)?;
        let secret = |secret: &Secret| reveal(self.config, &format!("the site {name}"), secret);
        let site = place(name, config, &self.config.directory(), &secret)?;
        let bandwidth = self.backup.bandwidth.filter(|_| config.local.is_none());
        let access = Access { append_only: config.append_only, bandwidth, ..Access::default() };
        Ok((site, access))
    }
}

/// Where a site is, with its secrets; paths are relative to `directory`.
pub(super) fn place(
    name: &str,
    config: &SiteConfig,
    directory: &Path,
    reveal: &dyn Fn(&Secret) -> Result<String, BackupError>,
) -> Result<Site, BackupError> {
    let secret = |secret: &Secret| reveal(secret).map(vigie_backup::Secret::new);
    let server = |secret_of: &Option<Secret>| match secret_of {
        Some(one) => secret(one),
        None => Ok(vigie_backup::Secret::default()),
    };
    if let Some(path) = &config.local {
        Ok(Site::Local(directory.join(path)))
    } else if let Some(s3) = &config.s3 {
        Ok(Site::S3(S3 {
            bucket: s3.bucket.clone(),
            endpoint: s3.endpoint.clone(),
            region: s3.region.clone(),
            prefix: s3.prefix.clone(),
            access_key: s3.access_key.clone(),
            secret_key: secret(&s3.secret_key)?,
        }))
    } else if let Some(sftp) = &config.sftp {
        Ok(Site::Sftp(Sftp {
            host: sftp.host.clone(),
            port: sftp.port,
            user: sftp.user.clone(),
            key_file: sftp.key_file.as_ref().map(|file| directory.join(file)),
            path: sftp.path.clone(),
            known_hosts: sftp.known_hosts.as_ref().map(|file| directory.join(file)),
            host_keys: if sftp.trust_first { HostKeys::FirstSeen } else { HostKeys::Known },
        }))
    } else if let Some(dav) = &config.webdav {
        Ok(Site::WebDav(WebDav {
            endpoint: dav.url.clone(),
            path: dav.path.clone(),
            user: dav.user.clone(),
            password: server(&dav.password)?,
        }))
    } else if let Some(rest) = &config.rest {
        Ok(Site::Rest(Rest {
            endpoint: rest.url.clone(),
            user: rest.user.clone(),
            password: server(&rest.password)?,
        }))
    } else if let Some(rclone) = &config.rclone {
        Ok(Site::Rclone(Rclone {
            remote: rclone.remote.clone(),
            config: rclone.config.as_ref().map(|file| directory.join(file)),
        }))
    } else {
        Err(BackupError::Refused(format!("the site {name} is of no kind")))
    }
}

fn reveal(config: &Config, what: &str, secret: &Secret) -> Result<String, BackupError> {
    let found = config.vault.reveal(secret);
    found.map_err(|error| BackupError::Secret(what.to_owned(), error.to_string()))
}
