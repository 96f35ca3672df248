//! Does: makes new repositories. One that is made like another cuts data in the same places, so that
//! what is in the one need not be sent to the other again.

use std::path::Path;
use std::sync::Arc;

use bytesize::ByteSize;
use rustic_core::repofile::MasterKey;
use rustic_core::{ConfigOptions, Credentials, Id, KeyOptions, OpenStatus, RusticResult};

use super::work::Work;
use super::{PATIENCE, Repository};
use crate::Error;
use crate::site::{Access, Site, dressed};
use crate::store::{Area, Fault, Object, Store};

/// Packs of this size need a third of the memory that the default needs when they are restored.
const PACK: u64 = 8 * 1024 * 1024;

impl Repository {
    /// Makes a new repository in a directory of this machine.
    ///
    /// # Errors
    /// When there is one already, or the directory cannot be written.
    pub fn create(directory: &Path, password: &str) -> Result<Self, Error> {
        Self::create_at(&Site::Local(directory.into()), &Access::default(), password)
    }

    /// Makes a new repository at a site.
    ///
    /// # Errors
    /// When there is one already, or the site cannot be used.
    pub fn create_at(site: &Site, access: &Access, password: &str) -> Result<Self, Error> {
        let failed = |fault| Error::site(&site.to_string(), fault);
        Self::create_in(site.open().map_err(failed)?, access, password, None)
    }

    /// Makes a new repository at a site, to which this one will be copied.
    ///
    /// # Errors
    /// When there is one already, or either site cannot be used.
    pub fn create_like(&self, site: &Site, access: &Access, password: &str) -> Result<Self, Error> {
        let failed = |fault| Error::site(&site.to_string(), fault);
        Self::create_in(site.open().map_err(failed)?, access, password, Some(self))
    }

    pub(crate) fn create_in(
        store: Arc<dyn Store>,
        access: &Access,
        password: &str,
        like: Option<&Self>,
    ) -> Result<Self, Error> {
        let place = store.place();
        let there = dressed(Arc::clone(&store), access).size(&Object::config());
        if there.map_err(|fault| Error::site(&place, fault))?.is_some() {
            return Err(Error::Exists(place));
        }
        clear(&*dressed(Arc::clone(&store), access), &place)?;
        let model = match like {
            Some(like) => Some(like.reading(|work| Ok(work.opened()?.config().clone()))?),
            None => None,
        };
        let (access, key) = (access.clone(), MasterKey::new());
        let new = Self { store, access, key, meter: None, patience: PATIENCE };
        let key = new.reading(|work| {
            let password = Credentials::password(password);
            let opened = match model {
                Some(mut model) => {
                    model.id = Id::random().into();
                    model.append_only = None;
                    let options = KeyOptions::default();
                    work.closed()?.init_with_config(&password, &options, model)?
                }
                None => init(work, &password)?,
            };
            // A damaged key file locks nobody out when there is a second one.
            if let Credentials::Password(password) = &password {
                opened.add_key(password, &KeyOptions::default())?;
            }
            Ok(opened.key())
        })?;
        Ok(Self { key, ..new })
    }
}

/// Key files without anything that they open are what a killed making left: the next one would take them
/// for its own. Where there is more, a repository has lost its `config`, and nothing is touched.
fn clear(store: &dyn Store, place: &str) -> Result<(), Error> {
    let failed = |fault| Error::site(place, fault);
    for area in [Area::Snapshots, Area::Index, Area::Data] {
        if !store.list(area).or_else(none).map_err(failed)?.is_empty() {
            let why = format!(
                "{place} has {} of a repository, but not its config; was that lost? Heal it from another \
                 site, or name another place",
                area.name()
            );
            return Err(Error::Strangers(why));
        }
    }
    for (id, _) in store.list(Area::Keys).or_else(none).map_err(failed)? {
        store.remove(&Object::new(Area::Keys, id)).map_err(failed)?;
    }
    Ok(())
}

/// A directory that is not there yet has nothing in it.
fn none(fault: Fault) -> Result<Vec<(Id, u64)>, Fault> {
    if fault.is_missing() { Ok(Vec::new()) } else { Err(fault) }
}

fn init(
    work: &Work<'_>,
    password: &Credentials,
) -> RusticResult<rustic_core::Repository<OpenStatus>> {
    let mut settings = ConfigOptions::default();
    settings.set_datapack_size = Some(ByteSize(PACK));
    settings.set_datapack_growfactor = Some(0);
    work.closed()?.init(password, &KeyOptions::default(), &settings)
}
