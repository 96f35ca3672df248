//! Whatever call of a site fails, at whatever moment: the error is told, the repository stays sound, and
//! what was kept is there.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::sites::noise;
use crate::store::memory::{Memory, Plan};
use crate::store::{Store, Trouble};
use crate::*;

const PASSWORD: &str = "a password";

struct Two {
    memories: [Arc<Memory>; 2],
    first: Repository,
    second: Repository,
}

impl Two {
    fn new() -> Self {
        let memories = [Arc::new(Memory::default()), Arc::new(Memory::default())];
        let store = |which: usize| -> Arc<dyn Store> { Arc::<Memory>::clone(&memories[which]) };
        let access = Access { tries: 1, ..Access::default() };
        let first = Repository::create_in(store(0), &access, PASSWORD, None).unwrap();
        let second = Repository::create_in(store(1), &access, PASSWORD, Some(&first)).unwrap();
        Self { memories, first, second }
    }

    fn work(&self, what: u8, at: &Path, round: usize) -> Result<Option<String>, Error> {
        match what {
            0 => {
                std::fs::write(at.join("tree/f"), noise(40_000 + 997 * round)).unwrap();
                let stored = self.first.put_tree("volume", "one", &at.join("tree"))?;
                Ok(Some(stored.id))
            }
            1 => {
                let dump = std::io::Cursor::new(noise(30_000 + 991 * round));
                self.first
                    .put_stream("database", "one", "dump.sql", dump, || Ok(()))
                    .map(|stored| Some(stored.id))
            }
            2 => self.first.copy_to(&self.second).map(|_| None),
            3 => self.first.prune().map(|()| None),
            4 => self.first.verify(100).map(|_| None),
            _ => {
                let back = tempfile::tempdir().unwrap();
                match self.first.snapshots()?.last() {
                    Some((id, _, _)) => {
                        self.first.get_tree(id, &back.path().join("x")).map(|()| None)
                    }
                    None => Ok(None),
                }
            }
        }
    }
}

/// The same numbers each time, so that a failure can be looked at again.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % sides
    }
}

#[test]
fn any_fault_at_any_call_is_told_and_harms_nothing() {
    let two = Two::new();
    let kept = tempfile::tempdir().unwrap();
    std::fs::create_dir(kept.path().join("tree")).unwrap();
    let troubles = [Trouble::Passing, Trouble::Refused, Trouble::Full, Trouble::Late];
    let (mut dice, mut ids, mut failed) = (Dice(0x5eed), BTreeSet::new(), 0);
    for round in 0..90 {
        let plan = Plan {
            fine: dice.throw(40) as u32,
            failing: 1 + dice.throw(3) as u32,
            trouble: troubles[dice.throw(4) as usize],
            done: dice.throw(2) == 0,
        };
        two.memories[dice.throw(2) as usize].fail(plan);
        let what = dice.throw(6) as u8;
        match two.work(what, kept.path(), round) {
            Ok(id) => ids.extend(id),
            Err(error) => {
                failed += 1;
                assert!(error.to_string().contains("memory"), "{what} {plan:?}: {error}");
            }
        }
        for memory in &two.memories {
            memory.fail(Plan::FINE);
        }
        for repository in [&two.first, &two.second] {
            let found = repository.verify(100).unwrap();
            assert!(found.is_sound(), "{what} {plan:?}: {found}");
        }
        let there = two.first.snapshots().unwrap();
        for id in &ids {
            assert!(there.iter().any(|(known, _, _)| known == id), "{what} {plan:?}: {id}");
        }
    }
    assert!(failed > 20 && ids.len() > 5, "{failed} failed, {} kept", ids.len());
    two.first.prune().unwrap();
    two.first.copy_to(&two.second).unwrap();
    two.second.prune().unwrap();
    for repository in [&two.first, &two.second] {
        repository.check().unwrap();
    }
}
