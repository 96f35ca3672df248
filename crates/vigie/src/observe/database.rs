//! Does: the database's proof of life: a login and `SELECT 1`, as an addon would do it, with its
//! connections and slow queries. `mysqladmin ping` would be content with "Access denied".

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, OptsBuilder};
use vigie_core::observe::{DatabaseSample, Fact, Observation, Refusal};
use vigie_core::stack::ServiceId;

use super::tcp::refusal;
use super::{Eyes, Rhythm};
use crate::config::DatabaseConfig;

/// MySQL's codes for a login that was refused.
const ACCESS_DENIED: [u16; 3] = [1044, 1045, 1698];

pub(super) async fn watch(eyes: Eyes, service: ServiceId, probe: DatabaseConfig, rhythm: Rhythm) {
    let password = match eyes.config.vault.reveal(&probe.password) {
        Ok(password) => password,
        Err(error) => {
            tracing::warn!(%error, "the database is not asked");
            return;
        }
    };
    let mut beat = rhythm.beat();
    while eyes.stop.run_until_cancelled(beat.next()).await.is_some() {
        let at = eyes.clock.now();
        let result = query(&probe, &password).await;
        let denied = result == Err(Refusal::Credentials);
        let observed =
            vigie_core::Event::Observed(Observation { service, at, fact: Fact::Database(result) });
        if eyes.handle.event(observed).await.is_err() {
            return;
        }
        if denied {
            // Asking again and again would fill the server's log and can block this host.
            tracing::warn!(
                user = probe.user,
                "the database refuses the login; asking once a minute"
            );
            let pause = tokio::time::sleep(Duration::from_secs(60));
            if eyes.stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }
}

/// Logs in and asks, within the probe's time.
///
/// # Errors
/// Why it did not work.
pub async fn query(probe: &DatabaseConfig, password: &str) -> Result<DatabaseSample, Refusal> {
    let (host, port) = probe.address.rsplit_once(':').unwrap_or((&probe.address, "3306"));
    let port = port.parse().unwrap_or(3306);
    let options = OptsBuilder::default()
        .ip_or_hostname(host)
        .tcp_port(port)
        .user(Some(&probe.user))
        .pass(Some(password))
        .db_name(probe.schema.as_ref())
        .prefer_socket(false);
    let began = Instant::now();
    let ask = async {
        let mut connection = Conn::new(options).await?;
        let _: Option<u8> = connection.query_first("SELECT 1").await?;
        let latency = began.elapsed();
        let status: Vec<(String, String)> = connection
            .query(
                "SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_connected', 'Slow_queries')",
            )
            .await?;
        connection.disconnect().await?;
        let value = |name: &str| -> u64 {
            let found = status.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
        };
        let connections = u32::try_from(value("Threads_connected")).unwrap_or(u32::MAX);
        Ok(DatabaseSample {
            latency,
            connections: connections.saturating_sub(1),
            slow_queries: value("Slow_queries"),
        })
    };
    match tokio::time::timeout(probe.timeout, ask).await {
        Ok(Ok(sample)) => Ok(sample),
        Ok(Err(error)) => Err(explain(&error)),
        Err(_) => Err(Refusal::Timeout),
    }
}

fn explain(error: &Error) -> Refusal {
    match error {
        Error::Server(server) if ACCESS_DENIED.contains(&server.code) => Refusal::Credentials,
        Error::Server(server) => Refusal::Garbled(format!("error {}", server.code)),
        Error::Io(mysql_async::IoError::Io(error)) => refusal(error),
        other => Refusal::Garbled(other.to_string()),
    }
}
