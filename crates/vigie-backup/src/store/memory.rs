//! Does, in tests: keeps a repository in memory, with faults at will.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use rustic_core::Id;

use super::{Area, Fault, Object, Part, Store, Trouble};

/// What goes wrong, and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// The first calls that are answered as they should be.
    pub(crate) fine: u32,
    /// Calls after these that fail.
    pub(crate) failing: u32,
    /// How they fail.
    pub(crate) trouble: Trouble,
    /// Whether a call that fails has been done all the same, as when only its answer is lost.
    pub(crate) done: bool,
}

impl Plan {
    /// Nothing goes wrong.
    pub(crate) const FINE: Self =
        Self { fine: 0, failing: 0, trouble: Trouble::Passing, done: false };
}

/// A repository in memory.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    files: Mutex<BTreeMap<Object, Bytes>>,
    plan: Mutex<Option<Plan>>,
    /// Every so many calls one may be tried again.
    shaky: Mutex<Option<u32>>,
    /// An area that takes nothing.
    full: Mutex<Option<Area>>,
    asked: Mutex<u32>,
}

impl Memory {
    /// From now on things go wrong as planned.
    pub(crate) fn fail(&self, plan: Plan) {
        *self.plan.lock().unwrap() = Some(plan);
        *self.asked.lock().unwrap() = 0;
        *self.full.lock().unwrap() = None;
    }

    /// From now on nothing more is written to an area.
    pub(crate) fn fail_writes(&self, area: Area) {
        *self.full.lock().unwrap() = Some(area);
    }

    /// From now on one of so many calls fails in a way that passes, half of them after they were done.
    pub(crate) fn shake(&self, every: u32) {
        *self.shaky.lock().unwrap() = Some(every);
    }

    /// Calls since the plan was made.
    pub(crate) fn asked(&self) -> u32 {
        *self.asked.lock().unwrap()
    }

    fn call<T>(&self, call: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let number = *asked;
        *asked += 1;
        drop(asked);
        if let Some(every) = *self.shaky.lock().unwrap()
            && number.is_multiple_of(every)
        {
            if number.is_multiple_of(2 * every) {
                let _ = call();
            }
            return Err(Fault::new(Trouble::Passing, "the line is shaky"));
        }
        let plan = *self.plan.lock().unwrap();
        match plan {
            Some(plan) if (plan.fine..plan.fine.saturating_add(plan.failing)).contains(&number) => {
                if plan.done {
                    let _ = call();
                }
                Err(Fault::new(plan.trouble, format!("planned fault {number}")))
            }
            _ => call(),
        }
    }
}

fn missing(object: &Object) -> Fault {
    Fault::new(Trouble::Missing, format!("{object} is not there"))
}

impl Store for Memory {
    fn place(&self) -> String {
        "memory".into()
    }

    fn make(&self) -> Result<(), Fault> {
        self.call(|| Ok(()))
    }

    fn list(&self, area: Area) -> Result<Vec<(Id, u64)>, Fault> {
        self.call(|| {
            let files = self.files.lock().unwrap();
            let of = files.iter().filter(|(object, _)| object.area == area);
            Ok(of.map(|(object, content)| (object.id, content.len() as u64)).collect())
        })
    }

    fn size(&self, object: &Object) -> Result<Option<u64>, Fault> {
        self.call(|| Ok(self.files.lock().unwrap().get(object).map(|found| found.len() as u64)))
    }

    fn read(&self, object: &Object, part: Option<Part>) -> Result<Bytes, Fault> {
        self.call(|| {
            let files = self.files.lock().unwrap();
            let content = files.get(object).ok_or_else(|| missing(object))?;
            let Some(part) = part else { return Ok(content.clone()) };
            let range = part.offset as usize..(part.offset + part.length) as usize;
            let short = || Fault::new(Trouble::Short, "it is shorter than that");
            content.get(range).map(Bytes::copy_from_slice).ok_or_else(short)
        })
    }

    fn write(&self, object: &Object, content: &[Bytes]) -> Result<(), Fault> {
        if *self.full.lock().unwrap() == Some(object.area) {
            return Err(Fault::new(Trouble::Full, format!("no room for {object}")));
        }
        self.call(|| {
            self.files.lock().unwrap().insert(*object, content.concat().into());
            Ok(())
        })
    }

    fn remove(&self, object: &Object) -> Result<(), Fault> {
        self.call(|| {
            let removed = self.files.lock().unwrap().remove(object);
            removed.map(drop).ok_or_else(|| missing(object))
        })
    }
}
