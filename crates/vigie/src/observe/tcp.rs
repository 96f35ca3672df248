//! Does: a TCP connection, with the server's greeting where its protocol begins with one. The
//! kernel of a frozen server still accepts connections; only a greeting shows that it lives.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use vigie_core::observe::{Fact, Observation, Refusal};
use vigie_core::stack::ServiceId;

use super::{Eyes, Rhythm};
use crate::config::TcpConfig;

pub(super) async fn watch(
    eyes: Eyes,
    service: ServiceId,
    probe: TcpConfig,
    greeted: bool,
    rhythm: Rhythm,
) {
    let mut beat = rhythm.beat();
    while eyes.stop.run_until_cancelled(beat.next()).await.is_some() {
        let at = eyes.clock.now();
        let fact = Fact::Tcp(connect(&probe.address, probe.timeout, greeted).await);
        let observed = vigie_core::Event::Observed(Observation { service, at, fact });
        if eyes.handle.event(observed).await.is_err() {
            return;
        }
    }
}

/// How long a name may take to be resolved.
const NAME: Duration = Duration::from_secs(2);

/// The address to ask. A name that cannot be resolved blames nobody: two probes that fail for it would
/// look like two proofs.
pub(super) async fn resolve(address: &str) -> Result<SocketAddr, Refusal> {
    if let Ok(known) = address.parse() {
        return Ok(known);
    }
    let unable = |why: String| Refusal::Unable(format!("{address}: {why}"));
    let found = tokio::time::timeout(NAME, tokio::net::lookup_host(address)).await;
    let found = found.map_err(|_| unable(String::from("the name is not resolved in time")))?;
    let found = found.map_err(|error| unable(error.to_string()))?.next();
    found.ok_or_else(|| unable(String::from("the name has no address")))
}

/// Connects to `address`; waits for the first byte when `greeted`. The time it took.
///
/// # Errors
/// Why it did not work.
pub async fn connect(address: &str, limit: Duration, greeted: bool) -> Result<Duration, Refusal> {
    let target = resolve(address).await?;
    let began = Instant::now();
    let look = async {
        let mut stream = TcpStream::connect(target).await.map_err(|error| refusal(&error))?;
        if greeted {
            let mut first = [0_u8; 1];
            let read = stream.read(&mut first).await.map_err(|error| refusal(&error))?;
            if read == 0 {
                return Err(Refusal::Garbled(String::from("closed without a greeting")));
            }
        }
        Ok(())
    };
    match tokio::time::timeout(limit, look).await {
        Ok(Ok(())) => Ok(began.elapsed()),
        Ok(Err(why)) => Err(why),
        Err(_) => Err(Refusal::Timeout),
    }
}

/// What an I/O error says of the service.
pub(super) fn refusal(error: &std::io::Error) -> Refusal {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable => Refusal::Refused,
        ErrorKind::TimedOut => Refusal::Timeout,
        _ => Refusal::Unable(error.to_string()),
    }
}
