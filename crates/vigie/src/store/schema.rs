//! Does: the journal's tables and how older ones become newer ones. A migration is never changed
//! once it was released; a new one is added.

use rusqlite_migration::{M, Migrations};

/// Every migration, oldest first.
const ALL: &[M<'_>] = &[M::up(
    "CREATE TABLE record (
         seq      INTEGER PRIMARY KEY AUTOINCREMENT,
         steady   INTEGER NOT NULL,
         wall     INTEGER NOT NULL,
         incident INTEGER,
         body     TEXT NOT NULL
     );
     CREATE INDEX record_by_incident ON record (incident) WHERE incident IS NOT NULL;
     -- The state as of `seq`: what lies before it need not be replayed.
     CREATE TABLE snapshot (
         seq  INTEGER PRIMARY KEY,
         body TEXT NOT NULL
     );
     -- The register: a projection of the records that can be read without replaying them.
     CREATE TABLE incident (
         id       INTEGER PRIMARY KEY,
         severity TEXT NOT NULL,
         state    TEXT NOT NULL,
         service  TEXT NOT NULL,
         detected INTEGER NOT NULL,
         body     TEXT NOT NULL
     );",
), M::up(
    "-- The outbox: what waits to be told, and the message that stands for an incident on a channel.
     CREATE TABLE notice (
         id   INTEGER PRIMARY KEY AUTOINCREMENT,
         body TEXT NOT NULL
     );
     CREATE TABLE card (
         channel  TEXT NOT NULL,
         incident INTEGER NOT NULL,
         message  TEXT NOT NULL,
         PRIMARY KEY (channel, incident)
     );",
)];

/// Every migration, to be applied.
pub(super) const MIGRATIONS: Migrations<'_> = Migrations::from_slice(ALL);
