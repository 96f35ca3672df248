//! One visit to the database: connect, read the greeting, leave politely.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::{host, packet, worded};

const PATIENCE: Duration = Duration::from_secs(2);
/// The first byte of a greeting.
const PROTOCOL: u8 = 10;
/// The first byte of "use another plugin".
const SWITCH: u8 = 0xfe;
/// More switches than that are not a login any more.
const MOST_SWITCHES: usize = 3;

/// Whether the database greets; the error is in the client library's words.
pub(super) fn greet(target: &str) -> Result<(), String> {
    let mut stream = connect(target)?;
    let (sequence, greeting) =
        packet::read(&mut stream).map_err(|error| worded(host(target), &error))?;
    if let Some(refusal) = packet::error(&greeting) {
        return Err(refusal);
    }
    if greeting.first() != Some(&PROTOCOL) {
        return Err(worded(host(target), &io::ErrorKind::InvalidData.into()));
    }
    // The greeting is the proof; how the good-bye goes proves nothing more.
    let _ = leave(&mut stream, sequence, packet::plugin(&greeting));
    Ok(())
}

fn connect(target: &str) -> Result<TcpStream, String> {
    let unknown = || format!("Unknown MySQL server host '{}' (-2)", host(target));
    let mut last = None;
    for address in target.to_socket_addrs().map_err(|_| unknown())? {
        let connected = TcpStream::connect_timeout(&address, PATIENCE).and_then(|stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Ok(stream)
        });
        match connected {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(unknown, |error| worded(host(target), &error)))
}

/// Logs in as nobody until the server says yes or no.
fn leave(stream: &mut TcpStream, sequence: u8, plugin: &[u8]) -> io::Result<()> {
    packet::write(stream, sequence.wrapping_add(1), &packet::login(plugin))?;
    for _ in 0..MOST_SWITCHES {
        let (sequence, reply) = packet::read(stream)?;
        if reply.first() != Some(&SWITCH) {
            break;
        }
        packet::write(stream, sequence.wrapping_add(1), b"")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// A database that says `said` to one visitor.
    fn saying(said: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(said).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        });
        target
    }

    #[test]
    fn a_greeting_is_enough() {
        assert_eq!(greet(&saying(b"\x06\0\0\0\x0a8.0\0\0")), Ok(()));
    }

    #[test]
    fn refusals_silence_and_absence_are_told() {
        let refused = greet(&saying(b"\x08\0\0\0\xff\x10\x04Too m")).unwrap_err();
        assert_eq!(refused, "Too m (1040)");
        let lost = greet(&saying(b"")).unwrap_err();
        assert!(lost.starts_with("Lost connection"), "{lost}");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let absent = greet(&format!("127.0.0.1:{port}")).unwrap_err();
        assert_eq!(absent, "Can't connect to MySQL server on '127.0.0.1' (111)");
        assert!(greet("no port at all").unwrap_err().starts_with("Unknown MySQL server host"));
    }
}
