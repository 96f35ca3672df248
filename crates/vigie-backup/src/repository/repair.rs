//! Does: heals what is damaged in a repository with what another one of the same data has. Nothing is
//! removed before its replacement is there, and what cannot be healed is told.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use rustic_core::repofile::SnapshotFile;
use rustic_core::{Id, KeyOptions};

use super::Repository;
use super::copy::identity;
use super::verify::{Findings, Verified};
use super::work::Work;
use crate::Error;
use crate::lock::Hold;
use crate::pack::{self, Index, Kind, Packer};
use crate::store::{Area, Fault, Object, Store, Trouble};

/// What a repair did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repaired {
    /// What was damaged before.
    pub before: Verified,
    /// What is damaged still; it is sound when all was healed.
    pub after: Verified,
    /// Blobs that came from the other repository.
    pub brought: u64,
    /// Blobs that were sound in packs that were not.
    pub saved: u64,
    /// Snapshots that came from the other repository.
    pub snapshots: u64,
    /// Snapshots whose files could not be read and that the other does not have: they are gone.
    pub lost: u64,
}

impl Repository {
    /// Reads all of this repository and heals what is damaged from `other`. `password` is the one of
    /// this repository, for a new key file in place of a damaged one.
    ///
    /// # Errors
    /// When this site is append-only, either site fails, or somebody else works at this one.
    pub fn repair_from(&self, other: &Self, password: &str) -> Result<Repaired, Error> {
        self.repair(other, password, true)
    }

    /// The same from a repository with other snapshots of the same data: those that cannot be read here are
    /// gone.
    ///
    /// # Errors
    /// As [`Repository::repair_from`].
    pub fn repair_data_from(&self, other: &Self, password: &str) -> Result<Repaired, Error> {
        self.repair(other, password, false)
    }

    fn repair(&self, other: &Self, password: &str, is_copy: bool) -> Result<Repaired, Error> {
        if self.access.append_only {
            return Err(Error::AppendOnly(self.place()));
        }
        other.holding(Hold::Read, |from, _| {
            self.holding(Hold::Alone, |work, _| {
                self.repaired(work, other, from, (password, is_copy))
            })
        })
    }

    fn repaired(
        &self,
        work: &Work<'_>,
        other: &Self,
        from: &Work<'_>,
        (password, is_copy): (&str, bool),
    ) -> Result<Repaired, Error> {
        let mut found = self.findings(work, 100)?;
        let mut done = Repaired { before: found.report.clone(), ..Repaired::default() };
        if found.report.is_sound() {
            done.after.clone_from(&done.before);
            return Ok(done);
        }
        if found.config {
            self.heal_config(work, other, from)?;
        }
        self.heal_keys(work, &found.keys, password)?;
        // Packs that a damaged index knew are in no index until this.
        self.adopt(work)?;
        let failed = |fault| self.failed(fault);
        for id in &found.indexes {
            work.site.remove(&Object::new(Area::Index, *id)).map_err(failed)?;
        }
        if !found.indexes.is_empty() {
            // Only now is it known which packs those knew.
            found = Findings { snapshots: found.snapshots, ..self.findings(work, 100)? };
        }
        if !found.packs.is_empty() || !found.lost.is_empty() {
            self.heal_packs(work, other, from, &found, &mut done)?;
        }
        if !found.snapshots.is_empty() {
            done.snapshots = match is_copy {
                true => self.heal_snapshots(work, other, from, &found.snapshots)?,
                false => self.drop_snapshots(work, &found.snapshots)?,
            };
            done.lost = (found.snapshots.len() as u64).saturating_sub(done.snapshots);
            // They may need what nobody knew to be lost.
            let lost = self.findings(work, 0)?;
            if !lost.lost.is_empty() {
                self.heal_packs(work, other, from, &lost, &mut done)?;
            }
        }
        done.after = self.findings(work, 100)?.report;
        Ok(done)
    }

    /// A new `config` like the other's: of the old one, only the repository's id was its own.
    fn heal_config(&self, work: &Work<'_>, other: &Self, from: &Work<'_>) -> Result<(), Error> {
        let mut config = other.guarded(from, || Ok(from.opened()?.config().clone()))?;
        config.id = Id::random().into();
        config.append_only = None;
        let sealed = serde_json::to_vec(&config).ok().and_then(|plain| {
            let seal = self.seal().ok()?;
            seal.close(&plain).map(Bytes::from)
        });
        let wrong = || Fault::new(Trouble::Wrong, "config could not be written down");
        let written = sealed.ok_or_else(wrong).and_then(|sealed| {
            // Restic refuses to write over it, and some sites do.
            match work.site.remove(&Object::config()) {
                Err(fault) if !fault.is_missing() => return Err(fault),
                _ => {}
            }
            work.site.write(&Object::config(), &[sealed])
        });
        written.map_err(|fault| self.failed(fault))
    }

    fn heal_keys(&self, work: &Work<'_>, damaged: &[Id], password: &str) -> Result<(), Error> {
        for id in damaged {
            self.guarded(work, || work.opened()?.add_key(password, &KeyOptions::default()))?;
            let removed = work.site.remove(&Object::new(Area::Keys, *id));
            removed.map_err(|fault| self.failed(fault))?;
        }
        Ok(())
    }

    /// Writes what damaged packs had into new ones, and then forgets and removes the damaged ones.
    fn heal_packs(
        &self,
        work: &Work<'_>,
        other: &Self,
        from: &Work<'_>,
        found: &Findings,
        done: &mut Repaired,
    ) -> Result<(), Error> {
        let (failed, theirs) = (|fault| self.failed(fault), |fault| other.failed(fault));
        let (seal, other_seal) = (self.seal()?, other.seal()?);
        let here = Index::load(&work.site, &seal).map_err(failed)?;
        let there = Index::load(&from.site, &other_seal).map_err(theirs)?;
        let bad: HashSet<Id> = found.packs.keys().copied().collect();
        let mut needed: HashSet<_> = here.of_packs(&bad).into_iter().collect();
        needed.extend(found.lost.iter().copied());
        let mut needed: Vec<_> = needed.into_iter().collect();
        needed.sort_unstable();
        let packer = Packer::new(&work.site, &seal);
        for (kind, id) in needed {
            let ours = pack::blob(&work.site, &seal, &here, kind, &id);
            let (plain, count) = match ours {
                Ok(plain) => (plain, &mut done.saved),
                Err(pack::Damage::Site(fault)) => return Err(self.failed(fault)),
                Err(_) => match pack::blob(&from.site, &other_seal, &there, kind, &id) {
                    Ok(plain) => (plain, &mut done.brought),
                    Err(pack::Damage::Site(fault)) => return Err(other.failed(fault)),
                    // Nobody has it; the report after all this says whom that concerns.
                    Err(_) => continue,
                },
            };
            packer.add(kind, id, &plain).map_err(failed)?;
            *count += 1;
        }
        packer.finish().map_err(failed)?;
        pack::forget(&work.site, &seal, &bad).map_err(failed)?;
        for (id, _) in found.packs.iter().filter(|(_, there)| **there) {
            work.site.remove(&Object::new(Area::Data, *id)).map_err(failed)?;
        }
        Ok(())
    }

    /// Removes snapshots whose files cannot be read.
    fn drop_snapshots(&self, work: &Work<'_>, damaged: &[Id]) -> Result<u64, Error> {
        for id in damaged {
            let removed = work.site.remove(&Object::new(Area::Snapshots, *id));
            removed.map_err(|fault| self.failed(fault))?;
        }
        Ok(0)
    }

    /// Brings snapshots back whose files cannot be read, and removes those files.
    fn heal_snapshots(
        &self,
        work: &Work<'_>,
        other: &Self,
        from: &Work<'_>,
        damaged: &[Id],
    ) -> Result<u64, Error> {
        let failed = |fault| self.failed(fault);
        // A copy remembers what it is called here. The other way round, nothing says which of the
        // other's snapshots one was that cannot be read, so all that are lacking have to be it.
        let theirs = other.guarded(from, || from.opened()?.get_all_snapshots())?;
        let mut known = BTreeMap::new();
        for id in damaged {
            let copy = theirs.iter().find(|one| one.original.is_some_and(|known| *known == *id));
            known.extend(copy.map(|copy| (*id, copy.clone())));
        }
        let listed = work.site.list(Area::Snapshots).map_err(failed)?;
        let sound = listed.iter().map(|(id, _)| id).filter(|id| !damaged.contains(id));
        let sound: Vec<String> = sound.map(|id| id.to_hex().as_str().to_owned()).collect();
        let ours = match sound.is_empty() {
            true => Vec::new(),
            false => self.guarded(work, || work.opened()?.get_snapshots(&sound))?,
        };
        let ours: HashSet<_> = ours.iter().map(identity).collect();
        let found: HashSet<_> = known.values().map(identity).collect();
        let lacking: Vec<_> = theirs
            .into_iter()
            .filter(|one| !ours.contains(&identity(one)) && !found.contains(&identity(one)))
            .collect();
        let unknown = damaged.len() - known.len();
        let mut back: Vec<SnapshotFile> = known.into_values().collect();
        if lacking.len() == unknown {
            back.extend(lacking);
        }
        let count = back.len() as u64;
        for snapshot in &mut back {
            (snapshot.parent, snapshot.parents) = (None, Vec::new());
        }
        self.guarded(work, || work.opened()?.save_snapshots(back))?;
        // Only now: with them nobody can read any snapshot here.
        for id in damaged {
            work.site.remove(&Object::new(Area::Snapshots, *id)).map_err(failed)?;
        }
        Ok(count)
    }
}

impl Index {
    /// The blobs that are in these packs.
    fn of_packs(&self, packs: &HashSet<Id>) -> Vec<(Kind, Id)> {
        self.blobs()
            .filter(|(_, place)| self.pack(place).is_some_and(|id| packs.contains(&id)))
            .map(|(blob, _)| blob)
            .collect()
    }
}
