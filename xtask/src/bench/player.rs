//! A player who keeps asking whether the server answers: A2S_INFO every 20 ms.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use vigie_testkit::lab::Stack;

const QUESTION: &[u8] = b"\xff\xff\xff\xffTSource Engine Query\0";
const PATIENCE: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_millis(20);

/// Who asks.
pub(super) struct Player {
    port: u16,
}

impl Player {
    pub(super) fn of(stack: &Stack) -> Self {
        Self { port: stack.spec.ports.game }
    }

    /// Waits for an answer.
    pub(super) fn wait(&self, limit: Duration) -> Result<()> {
        let begun = Instant::now();
        while !self.is_answered() {
            if begun.elapsed() > limit {
                bail!("no answer within {limit:?}");
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// A challenge is an answer too: only a living server gives one.
    fn is_answered(&self) -> bool {
        let ask = || {
            // A fresh socket, so that no late answer to an earlier question counts.
            let socket = UdpSocket::bind("127.0.0.1:0")?;
            socket.connect(("127.0.0.1", self.port))?;
            socket.set_read_timeout(Some(PATIENCE))?;
            socket.send(QUESTION)?;
            socket.recv(&mut [0; 1500])
        };
        ask().is_ok_and(|length: usize| length >= 5)
    }
}
