//! Does: backups of what a stack cannot lose. What belongs to which moment is decided in
//! `vigie_core`; nothing here decides it.

pub mod binlog;
pub mod database;
