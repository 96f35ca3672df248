//! Does: whether vigie's own network works, before anybody else is blamed: packets to itself come
//! back, and one of the addresses that the user named answers.

use std::time::Duration;

use tokio::net::UdpSocket;
use vigie_core::observe::Fact;

use super::{Eyes, connect_tcp};

const EVERY: Duration = Duration::from_secs(5);
const LIMIT: Duration = Duration::from_secs(1);

pub(super) async fn watch(eyes: Eyes) {
    let host = eyes.config.stack.host();
    let mut beat = tokio::time::interval(EVERY);
    let mut known = true;
    while eyes.stop.run_until_cancelled(beat.tick()).await.is_some() {
        let works = loopback_works().await && outside_works(&eyes.config.file.host.network).await;
        if works == known {
            continue;
        }
        known = works;
        if !works {
            tracing::warn!("vigie's own network does not work: silence blames nobody now");
        }
        if eyes.handle.saw(&eyes.clock, host, Fact::OwnNetwork(works)).await.is_err() {
            return;
        }
    }
}

async fn loopback_works() -> bool {
    let echo = async {
        let receiver = UdpSocket::bind("127.0.0.1:0").await?;
        let sender = UdpSocket::bind("127.0.0.1:0").await?;
        sender.send_to(b"vigie", receiver.local_addr()?).await?;
        let mut buffer = [0_u8; 8];
        receiver.recv_from(&mut buffer).await
    };
    matches!(tokio::time::timeout(LIMIT, echo).await, Ok(Ok(_)))
}

async fn outside_works(addresses: &[String]) -> bool {
    if addresses.is_empty() {
        return true;
    }
    for address in addresses {
        match connect_tcp(address, LIMIT, false).await {
            // A refusal came over the network: it works.
            Ok(_) | Err(vigie_core::observe::Refusal::Refused) => return true,
            Err(_) => {}
        }
    }
    false
}
