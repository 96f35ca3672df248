//! Does: asks a server what has to be known before its log is read, and how far the log is.

use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use vigie_core::binlog::Position;

use super::{BinlogError, Source};

/// What a server says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Its id (`server_id`).
    pub server: u32,
    /// Its version, as it tells it.
    pub version: String,
    /// Whether it is MariaDB, and not MySQL.
    pub is_mariadb: bool,
}

/// A connection that asks.
pub(super) struct Clerk {
    conn: Conn,
    user: String,
    address: String,
    status: &'static str,
}

impl Clerk {
    /// Logs in and asks.
    pub(super) async fn open(source: &Source) -> Result<(Self, Facts), BinlogError> {
        let address = source.address.to_string();
        let conn = source.client().await;
        let mut clerk = Self {
            conn: conn.map_err(|error| explain(&source.user, &address, error))?,
            user: source.user.clone(),
            address,
            status: "SHOW MASTER STATUS",
        };
        let sql = "SELECT CAST(@@log_bin AS UNSIGNED), CAST(@@server_id AS UNSIGNED), @@version";
        let row: Option<(u8, u32, String)> = clerk.first(sql).await?;
        let Some((log, server, version)) = row else {
            let why = String::from("it says nothing about itself");
            return Err(BinlogError::Garbled(clerk.address, why));
        };
        if log == 0 {
            return Err(BinlogError::NoLog);
        }
        if server == 0 {
            return Err(BinlogError::NoServerId);
        }
        let is_mariadb = version.contains("MariaDB");
        if !is_mariadb && is_renamed(&version) {
            clerk.status = "SHOW BINARY LOG STATUS";
        }
        Ok((clerk, Facts { server, version, is_mariadb }))
    }

    /// A second by the server's clock, and where its log stood after it.
    pub(super) async fn stand(&mut self) -> Result<(i64, Position), BinlogError> {
        let now: Option<i64> =
            self.first("SELECT CAST(UNIX_TIMESTAMP(SYSDATE()) AS SIGNED)").await?;
        let status = self.status;
        let row: Option<mysql_async::Row> = self.first(status).await?;
        let at = row.and_then(|row| Some(Position::new(row.get::<String, _>(0)?, row.get(1)?)));
        let both = now.zip(at);
        both.ok_or_else(|| {
            BinlogError::Garbled(
                self.address.clone(),
                String::from("it does not tell its log's end"),
            )
        })
    }

    async fn first<T>(&mut self, sql: &str) -> Result<Option<T>, BinlogError>
    where
        T: mysql_async::prelude::FromRow + Send + 'static,
    {
        let asked = self.conn.query_first(sql).await;
        asked.map_err(|error| explain(&self.user, &self.address, error))
    }
}

/// MySQL 8.2 has another name for it, and 8.4 no longer the old one.
fn is_renamed(version: &str) -> bool {
    let mut parts = version.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (8, 2)
}

fn explain(user: &str, address: &str, error: mysql_async::Error) -> BinlogError {
    match error {
        mysql_async::Error::Server(server) => {
            BinlogError::refused(user, server.code, &server.message, address)
        }
        mysql_async::Error::Io(mysql_async::IoError::Io(error)) => {
            BinlogError::Unreachable(address.to_owned(), error)
        }
        mysql_async::Error::Driver(mysql_async::DriverError::ConnectionClosed) => {
            let error = std::io::Error::other("the connection was closed");
            BinlogError::Unreachable(address.to_owned(), error)
        }
        other => BinlogError::Garbled(address.to_owned(), other.to_string()),
    }
}
