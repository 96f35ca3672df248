//! Does: the connection over which a server sends its log. It is vigie's own because the libraries
//! cannot ask MariaDB for its annotations, without which the log is not the server's byte for byte.
//! Logs in as `mysql_async` did just before on another connection; asks nothing but the log.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use mysql_common::scramble::{scramble_native, scramble_sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use super::{Address, BinlogError, Source};

/// Protocol 4.1, a secure login, plugins for it: what every server of this century has.
const CAPABILITIES: u32 = 0x0000_0200 | 0x0000_8000 | 0x0008_0000;
/// The largest packet of the protocol; a longer payload goes on in the next.
const WHOLE: usize = 0x00ff_ffff;
/// No event may be longer: `max_allowed_packet` has this limit, and a little for what is around.
const LONGEST: usize = (1 << 30) + (1 << 20);
/// Annotations too (`BINLOG_SEND_ANNOTATE_ROWS_EVENT`).
const WITH_ANNOTATIONS: u16 = 2;
const UTF8MB4: u8 = 45;

const COM_QUERY: u8 = 0x03;
const COM_BINLOG_DUMP: u8 = 0x12;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
    /// The beginning of a payload of several packets.
    begun: BytesMut,
    sequence: u8,
    address: String,
    user: String,
    /// What is asked for, for a refusal.
    asked: String,
}

impl Wire {
    /// Connects and logs in.
    pub(super) async fn open(source: &Source) -> Result<Self, BinlogError> {
        let address = source.address.to_string();
        let stream: std::io::Result<Box<dyn Stream>> = match &source.address {
            Address::Tcp(host, port) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await;
                stream.map(|stream| {
                    let _ = stream.set_nodelay(true);
                    Box::new(stream) as Box<dyn Stream>
                })
            }
            Address::Socket(path) => {
                UnixStream::connect(path).await.map(|stream| Box::new(stream) as Box<dyn Stream>)
            }
        };
        let stream = stream.map_err(|error| BinlogError::Unreachable(address.clone(), error))?;
        let mut wire = Self {
            stream,
            buffer: BytesMut::with_capacity(64 * 1024),
            begun: BytesMut::new(),
            sequence: 0,
            address,
            user: source.user.clone(),
            asked: String::new(),
        };
        wire.log_in(source).await?;
        Ok(wire)
    }

    async fn log_in(&mut self, source: &Source) -> Result<(), BinlogError> {
        let greeting = self.payload().await?;
        if greeting.first() == Some(&0xff) {
            return Err(self.refusal(&greeting));
        }
        let (mut nonce, mut plugin) =
            greet(&greeting).ok_or_else(|| self.garbled("its greeting does not read"))?;
        let answer = self.proof(&plugin, &source.password, &nonce)?;
        let mut login = BytesMut::new();
        login.put_u32_le(CAPABILITIES);
        login.put_u32_le(u32::MAX >> 2);
        login.put_u8(UTF8MB4);
        login.put_bytes(0, 23);
        login.put_slice(source.user.as_bytes());
        login.put_u8(0);
        login.put_u8(u8::try_from(answer.len()).unwrap_or(0));
        login.put_slice(&answer);
        login.put_slice(plugin.as_bytes());
        login.put_u8(0);
        self.send(&login).await?;
        // A login takes a few turns at most.
        for _ in 0..4 {
            let said = self.payload().await?;
            match (said.first(), said.get(1)) {
                (Some(0x00), _) => return Ok(()),
                (Some(0xff), _) => return Err(self.refusal(&said)),
                (Some(0xfe), Some(_)) => {
                    let mut parts = said[1..].splitn(2, |byte| *byte == 0);
                    plugin = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
                    nonce = unended(parts.next().unwrap_or_default()).to_vec();
                    let answer = self.proof(&plugin, &source.password, &nonce)?;
                    self.send(&answer).await?;
                }
                // The server knows the password from the login just before.
                (Some(0x01), Some(0x03)) => {}
                _ => return Err(self.garbled("it asks for a login of a kind that is not known")),
            }
        }
        Err(self.garbled("its login does not end"))
    }

    /// What proves the password without telling it.
    fn proof(&self, plugin: &str, password: &str, nonce: &[u8]) -> Result<Vec<u8>, BinlogError> {
        let password = password.as_bytes();
        let proof = match plugin {
            _ if password.is_empty() => Some(Vec::new()),
            "mysql_native_password" => scramble_native(nonce, password).map(Vec::from),
            "caching_sha2_password" => scramble_sha256(nonce, password).map(Vec::from),
            _ => None,
        };
        proof.ok_or_else(|| {
            let plugin = crate::text::cut(&crate::text::printable(plugin), 60);
            BinlogError::Plugin { user: self.user.clone(), plugin }
        })
    }

    /// Says a statement that answers nothing.
    pub(super) async fn say(&mut self, sql: &str) -> Result<(), BinlogError> {
        self.sequence = 0;
        let mut command = BytesMut::new();
        command.put_u8(COM_QUERY);
        command.put_slice(sql.as_bytes());
        self.send(&command).await?;
        let said = self.payload().await?;
        match said.first() {
            Some(0x00) => Ok(()),
            Some(0xff) => Err(self.refusal(&said)),
            _ => Err(self.garbled("it answers where nothing was asked")),
        }
    }

    /// Asks for the log; an empty `file` is the oldest that the server has.
    pub(super) async fn ask(
        &mut self,
        replica: u32,
        file: &str,
        offset: u32,
        asked: String,
    ) -> Result<(), BinlogError> {
        self.sequence = 0;
        self.asked = asked;
        let mut command = BytesMut::new();
        command.put_u8(COM_BINLOG_DUMP);
        command.put_u32_le(offset);
        command.put_u16_le(WITH_ANNOTATIONS);
        command.put_u32_le(replica);
        command.put_slice(file.as_bytes());
        self.send(&command).await
    }

    /// The next event. Nothing is lost when whoever waits for it is given up.
    pub(super) async fn event(&mut self) -> Result<Bytes, BinlogError> {
        let mut payload = self.payload().await?;
        match payload.first() {
            Some(0x00) => {
                payload.advance(1);
                Ok(payload)
            }
            Some(0xff) => Err(self.refusal(&payload)),
            Some(0xfe) => {
                let error = std::io::Error::other("the server ended its log");
                Err(BinlogError::Unreachable(self.address.clone(), error))
            }
            _ => Err(self.garbled("what comes is no event")),
        }
    }

    async fn payload(&mut self) -> Result<Bytes, BinlogError> {
        loop {
            if let Some(payload) = self.whole()? {
                return Ok(payload);
            }
            let read = self.stream.read_buf(&mut self.buffer).await;
            let lost = match read {
                Ok(0) => std::io::Error::other("the connection was closed"),
                Ok(_) => continue,
                Err(error) => error,
            };
            return Err(BinlogError::Unreachable(self.address.clone(), lost));
        }
    }

    /// A payload that has come as a whole.
    fn whole(&mut self) -> Result<Option<Bytes>, BinlogError> {
        while let Some(head) = self.buffer.get(..4) {
            let length =
                usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16;
            self.sequence = head[3].wrapping_add(1);
            if self.begun.len() + length > LONGEST {
                return Err(self.garbled("an event is longer than any can be"));
            }
            if self.buffer.len() < 4 + length {
                return Ok(None);
            }
            self.buffer.advance(4);
            let piece = self.buffer.split_to(length);
            if length == WHOLE {
                self.begun.extend_from_slice(&piece);
                continue;
            }
            if self.begun.is_empty() {
                return Ok(Some(piece.freeze()));
            }
            self.begun.extend_from_slice(&piece);
            return Ok(Some(std::mem::take(&mut self.begun).freeze()));
        }
        Ok(None)
    }

    async fn send(&mut self, payload: &[u8]) -> Result<(), BinlogError> {
        let mut packet = BytesMut::with_capacity(payload.len() + 4);
        let length = u32::try_from(payload.len()).unwrap_or(0);
        packet.put_u32_le(length | u32::from(self.sequence) << 24);
        packet.put_slice(payload);
        let sent = self.stream.write_all(&packet).await;
        sent.map_err(|error| BinlogError::Unreachable(self.address.clone(), error))
    }

    fn refusal(&self, payload: &[u8]) -> BinlogError {
        let code = payload.get(1..3).map_or(0, |code| u16::from_le_bytes([code[0], code[1]]));
        let text = payload.get(3..).unwrap_or_default();
        // `#42000` in front of it.
        let text =
            if text.first() == Some(&b'#') { text.get(6..).unwrap_or_default() } else { text };
        BinlogError::refused(&self.user, code, &String::from_utf8_lossy(text), &self.asked)
    }

    fn garbled(&self, why: &str) -> BinlogError {
        BinlogError::Garbled(self.address.clone(), why.to_owned())
    }
}

/// A server's greeting: the number to prove the password with, and how.
fn greet(bytes: &[u8]) -> Option<(Vec<u8>, String)> {
    let rest = bytes.get(1..).filter(|_| bytes[0] == 10)?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    // The connection's id is in front of it.
    let rest = rest.get(end + 1 + 4..)?;
    let mut nonce = rest.get(..8)?.to_vec();
    let length = usize::from(*rest.get(8 + 1 + 2 + 1 + 2 + 2)?);
    let rest = rest.get(8 + 1 + 2 + 1 + 2 + 2 + 1 + 10..)?;
    let second = length.saturating_sub(8).max(13);
    nonce.extend(unended(rest.get(..second)?));
    let plugin = String::from_utf8_lossy(unended(rest.get(second..)?)).into_owned();
    Some((nonce, plugin))
}

/// Without the zero at its end.
fn unended(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(&[0]).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wire(stream: tokio::io::DuplexStream) -> Wire {
        Wire {
            stream: Box::new(stream),
            buffer: BytesMut::new(),
            begun: BytesMut::new(),
            sequence: 0,
            address: String::from("here"),
            user: String::from("ada"),
            asked: String::from("bin.000001"),
        }
    }

    fn packet(payload: &[u8], number: u8) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
        [&length[..3], &[number], payload].concat()
    }

    #[tokio::test]
    async fn an_event_of_several_packets_is_one_also_when_nobody_waits_for_a_while() {
        let (mut server, client) = tokio::io::duplex(4_096);
        let whole = vec![7; WHOLE - 1];
        let sent = [packet(&[&[0][..], &whole].concat(), 1), packet(&[8, 9], 2)].concat();
        let give = tokio::spawn(async move {
            for piece in sent.chunks(1 << 20) {
                server.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            server.write_all(&packet(&[0, 5], 3)).await.unwrap();
            server
        });
        let mut wire = wire(client);
        let event = loop {
            // Whoever waits is given up again and again.
            let wait = std::time::Duration::from_micros(300);
            if let Ok(event) = tokio::time::timeout(wait, wire.event()).await {
                break event.unwrap();
            }
        };
        assert_eq!(event.len(), WHOLE + 1);
        assert!(event.starts_with(&[7]) && event.ends_with(&[7, 8, 9]));
        assert_eq!(wire.event().await.unwrap().as_ref(), &[5]);
        drop(give.await.unwrap());
        assert!(wire.event().await.unwrap_err().is_passing(), "the connection is gone");
    }

    #[tokio::test]
    async fn a_refusal_comes_as_what_it_means() {
        let (mut server, client) = tokio::io::duplex(4_096);
        let text = [&[0xff, 0xd4, 0x04][..], b"#HY000Could not find first log file name"].concat();
        server.write_all(&packet(&text, 1)).await.unwrap();
        let error = wire(client).event().await.unwrap_err();
        assert!(matches!(error, BinlogError::Gap(_)), "{error}");
        assert!(error.to_string().contains("from bin.000001 on: Could not find"), "{error}");
    }

    proptest! {
        #[test]
        fn whatever_greets_nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = greet(&bytes);
            let mut bytes = bytes;
            bytes.splice(0..0, *b"\x0a8.0.36\0");
            let _ = greet(&bytes);
        }
    }
}
