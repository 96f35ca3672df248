//! Passwords of a stack, made afresh each time.

use std::fs::File;
use std::io::Read as _;

use anyhow::{Context as _, Result};

/// The secrets of one stack; they are written to its `.env` (mode 0600) and nowhere else.
#[derive(Clone)]
pub struct Secrets {
    /// RCON password of the game.
    pub rcon: String,
    /// Password of the database's `root`.
    pub database_root: String,
    /// Password of the database user `gmod`.
    pub database_user: String,
    /// The reference stack's `AUTHKEY`.
    pub authkey: String,
}

impl Secrets {
    /// New random ones.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn fresh() -> Result<Self> {
        Ok(Self {
            rcon: random_hex()?,
            database_root: random_hex()?,
            database_user: random_hex()?,
            authkey: random_hex()?,
        })
    }
}

// A test that prints a stack must not print its passwords.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// 96 random bits: short enough to type into an RCON prompt.
fn random_hex() -> Result<String> {
    let mut bytes = [0_u8; 12];
    let mut source = File::open("/dev/urandom").context("cannot open /dev/urandom")?;
    source.read_exact(&mut bytes).context("cannot read /dev/urandom")?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}
