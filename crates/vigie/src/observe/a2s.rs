//! Does: the Source query over UDP, as a player's server browser asks it. Only replies from the
//! address that was asked count: the socket is connected.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use vigie_core::observe::{A2sSample, Fact, Observation, Refusal};
use vigie_core::stack::ServiceId;
use vigie_core::wire::a2s::{Info, Progress, Query};

use super::tcp::{refusal, resolve};
use super::{Eyes, Rhythm};
use crate::config::A2sConfig;
use crate::text::{cut, printable};

pub(super) async fn watch(eyes: Eyes, service: ServiceId, probe: A2sConfig, rhythm: Rhythm) {
    let mut beat = rhythm.beat();
    while eyes.stop.run_until_cancelled(beat.next()).await.is_some() {
        let at = eyes.clock.now();
        let fact = Fact::A2s(query(&probe.address, probe.timeout).await);
        let observed = vigie_core::Event::Observed(Observation { service, at, fact });
        if eyes.handle.event(observed).await.is_err() {
            return;
        }
    }
}

/// Asks `address` for its state.
///
/// # Errors
/// Why there was no answer.
pub async fn query(address: &str, limit: Duration) -> Result<A2sSample, Refusal> {
    let target = resolve(address).await?;
    let began = Instant::now();
    match tokio::time::timeout(limit, ask(target)).await {
        Ok(Ok(info)) => Ok(A2sSample {
            players: info.players,
            max_players: info.max_players,
            map: Arc::from(cut(&printable(&info.map), 64)),
            latency: began.elapsed(),
        }),
        Ok(Err(why)) => Err(why),
        Err(_) => Err(Refusal::Timeout),
    }
}

async fn ask(target: SocketAddr) -> Result<Info, Refusal> {
    let io = |error: std::io::Error| refusal(&error);
    let local = if target.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket =
        UdpSocket::bind(local).await.map_err(|error| Refusal::Unable(error.to_string()))?;
    socket.connect(target).await.map_err(io)?;
    let mut query = Query::info();
    socket.send(query.request()).await.map_err(io)?;
    // Source servers split what is longer than 1,400 bytes.
    let mut buffer = [0_u8; 4096];
    loop {
        let length = socket.recv(&mut buffer).await.map_err(io)?;
        match query.datagram(&buffer[..length]) {
            Ok(Progress::Wait) => {}
            Ok(Progress::Send(bytes)) => {
                socket.send(&bytes).await.map_err(io)?;
            }
            Ok(Progress::Done(info)) => return Ok(*info),
            Err(error) => return Err(Refusal::Garbled(error.to_string())),
        }
    }
}
