//! Does: the journal's tables and how older ones become newer ones. A migration is never changed
//! once it was released; a new one is added.

use rusqlite::Transaction;
use rusqlite_migration::{M, Migrations};

use super::columns;

/// The journal and the register.
pub(super) const FIRST: &str = "CREATE TABLE record (
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
     );";

/// What is asked of many incidents at once, in columns; what is known from before.
const LEARN: &str = "
     ALTER TABLE incident ADD COLUMN grp TEXT NOT NULL DEFAULT '';
     -- The bits of all kinds of symptoms, and the signature of the first Lua error.
     ALTER TABLE incident ADD COLUMN symptoms INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE incident ADD COLUMN fingerprint INTEGER;
     -- Wall time of the detection, the rest counted from there on the steady clock.
     ALTER TABLE incident ADD COLUMN started_earliest INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE incident ADD COLUMN started_latest INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE incident ADD COLUMN acknowledged INTEGER;
     ALTER TABLE incident ADD COLUMN restored INTEGER;
     ALTER TABLE incident ADD COLUMN resolved INTEGER;
     ALTER TABLE incident ADD COLUMN title TEXT NOT NULL DEFAULT '';
     ALTER TABLE incident ADD COLUMN fixed_en TEXT;
     ALTER TABLE incident ADD COLUMN fixed_fr TEXT;
     -- The last word of a person.
     ALTER TABLE incident ADD COLUMN note TEXT;
     ALTER TABLE incident ADD COLUMN noted_by TEXT;
     -- Holds all that figures and filters read: they never touch a body.
     CREATE INDEX incident_facts ON incident (detected, severity, state, service, grp, symptoms,
         started_earliest, started_latest, acknowledged, restored, resolved);
     -- Outages, however old: few, and asked for with every figure.
     CREATE INDEX incident_outages ON incident (detected, severity, service, grp, symptoms,
         started_earliest, started_latest, acknowledged, restored, resolved)
         WHERE severity = 'P1' AND grp = 'availability';
     CREATE INDEX incident_by_fingerprint ON incident (fingerprint)
         WHERE fingerprint IS NOT NULL;
     -- One of each, so that the newest of equals come first without sorting.
     CREATE INDEX incident_by_symptoms ON incident (symptoms);
     CREATE INDEX incident_by_symptoms_of ON incident (symptoms, service);
     CREATE INDEX incident_by_service ON incident (service);
     CREATE TABLE known (
         id   TEXT PRIMARY KEY,
         body TEXT NOT NULL
     );";

/// What waits to be told, and the message that stands for an incident on a channel.
const OUTBOX: &str = "
     CREATE TABLE notice (
         id   INTEGER PRIMARY KEY AUTOINCREMENT,
         body TEXT NOT NULL
     );
     CREATE TABLE card (
         channel  TEXT NOT NULL,
         incident INTEGER NOT NULL,
         message  TEXT NOT NULL,
         PRIMARY KEY (channel, incident)
     );";

/// The development journal, kept for ever, and which incidents its entries are about.
const JOURNAL: &str = "
     CREATE TABLE entry (
         id   INTEGER PRIMARY KEY,
         wall INTEGER NOT NULL,
         body TEXT NOT NULL
     );
     CREATE TABLE entry_about (
         incident INTEGER NOT NULL,
         entry    INTEGER NOT NULL,
         PRIMARY KEY (incident, entry)
     ) WITHOUT ROWID;";

/// How many there are: the version of an up-to-date journal.
pub(super) const VERSION: i64 = 4;

/// Every migration, oldest first, to be applied.
pub(super) fn migrations() -> Migrations<'static> {
    let fill = |transaction: &Transaction<'_>| Ok(columns::fill(transaction)?);
    Migrations::new(vec![M::up(FIRST), M::up_with_hook(LEARN, fill), M::up(OUTBOX), M::up(JOURNAL)])
}
