//! Does: finds the master key that a password opens. A key file that is damaged is passed over, since
//! there is a second one; one that asks for more memory than keys need is refused.

use rustic_core::Id;
use rustic_core::repofile::{KeyFile, MasterKey};

use crate::crypt::hash;
use crate::store::{Area, Fault, Object, Store, Trouble};

/// Restic's own keys need 32 MiB.
const MEMORY: u64 = 256 << 20;
/// A key file is much smaller.
const SIZE: u64 = 64 << 10;

/// What became of a password.
pub(crate) enum Found {
    /// It opens the repository.
    Key(MasterKey),
    /// It is another one.
    Wrong,
    /// No key file can be read, so nobody can tell.
    Damaged,
}

/// Tries the password on every key file.
pub(crate) fn find(store: &dyn Store, password: &str) -> Result<Found, Fault> {
    let mut keys = store.list(Area::Keys)?;
    // The same order wherever it is looked for.
    keys.sort_unstable();
    let (mut sound, mut refused) = (false, None);
    for (id, size) in keys {
        match read(store, id, size)? {
            None => {}
            Some(file) if costs(&file).is_none_or(|cost| cost > MEMORY) => {
                let why = format!("keys/{} asks for more memory than a key needs", short(id));
                refused = Some(Fault::new(Trouble::Wrong, why));
            }
            Some(file) => {
                sound = true;
                if let Ok(key) = file.key_from_password(&password) {
                    let mut master = MasterKey::new();
                    (master.encrypt, master.mac.k, master.mac.r) = key.to_keys();
                    return Ok(Found::Key(master));
                }
            }
        }
    }
    match refused {
        Some(fault) if !sound => Err(fault),
        _ => Ok(if sound { Found::Wrong } else { Found::Damaged }),
    }
}

fn short(id: Id) -> String {
    id.to_hex().as_str()[..8].to_owned()
}

/// A key file that is what its name says.
fn read(store: &dyn Store, id: Id, size: u64) -> Result<Option<KeyFile>, Fault> {
    if size > SIZE {
        return Ok(None);
    }
    let content = store.read(&Object::new(Area::Keys, id), None)?;
    if hash(&content) != id {
        return Ok(None);
    }
    Ok(serde_json::from_slice(&content).ok())
}

/// Bytes that trying it takes; none when it cannot be tried.
fn costs(file: &KeyFile) -> Option<u64> {
    let sane = file.n.is_power_of_two() && file.n > 1 && (1..=64).contains(&file.p) && file.r > 0;
    sane.then(|| u64::from(file.n).checked_mul(u64::from(file.r))?.checked_mul(128))?
}
