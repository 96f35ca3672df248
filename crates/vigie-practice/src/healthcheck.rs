//! Asks a server once whether it answers A2S_INFO, for a container's health check: the scratch image
//! holds no other program that could ask.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

const QUESTION: &[u8] = b"\xff\xff\xff\xffTSource Engine Query\0";
const CHALLENGE: u8 = b'A';
const LIMIT: Duration = Duration::from_secs(2);

/// Asks the server on this machine's `port`.
///
/// # Errors
/// When nothing answers within two seconds, or something that is no answer.
pub(crate) fn ask(port: u16) -> io::Result<()> {
    let socket = UdpSocket::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    socket.set_read_timeout(Some(LIMIT))?;
    let mut buffer = [0; 1500];
    let mut question = QUESTION.to_vec();
    // The second time with the challenge, where one was asked for.
    for _ in 0..2 {
        socket.send(&question)?;
        let length = socket.recv(&mut buffer)?;
        match buffer[..length] {
            [0xff, 0xff, 0xff, 0xff, CHALLENGE, ref challenge @ ..] => {
                question.truncate(QUESTION.len());
                question.extend_from_slice(challenge);
            }
            [0xff, 0xff, 0xff, 0xff, b'I', ..] | [0xfe, 0xff, 0xff, 0xff, ..] => return Ok(()),
            _ => break,
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is none of A2S_INFO"))
}
