//! Finds host ports for a stack. Never hands out the same one twice in a process, and none that the kernel
//! gives to whoever connects: it may be a second until a server is on its port.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Result, bail};

/// Below the kernel's own, which begin at 32768.
const FIRST: u16 = 10_000;
const COUNT: u16 = 22_000;

static GIVEN: AtomicU16 = AtomicU16::new(0);

/// A port of 127.0.0.1 that is free for UDP and for TCP, as a game server needs both.
///
/// # Errors
/// When none of all that there are is free.
pub fn free_port() -> Result<u16> {
    // Processes that run side by side begin at different ones.
    let begin = std::process::id().wrapping_mul(7_919) % u32::from(COUNT);
    for _ in 0..COUNT {
        let number = u32::from(GIVEN.fetch_add(1, Ordering::Relaxed) % COUNT);
        let port = FIRST + u16::try_from((begin + number) % u32::from(COUNT))?;
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, port));
        // All interfaces: another lab's stack may publish on them.
        if udp.is_ok() && TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port from {FIRST} on is free for both UDP and TCP")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ports_differ_and_are_none_of_the_kernels() {
        let ports: BTreeSet<u16> = (0..20).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 20);
        assert!(ports.iter().all(|port| (FIRST..FIRST + COUNT).contains(port)), "{ports:?}");
    }
}
