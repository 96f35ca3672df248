//! Raw clients, written from the protocol and from nothing else.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use vigie_practice::{Capture, Config, Console, Handle, Server};

pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const INFO: &[u8] = b"\xff\xff\xff\xffTSource Engine Query\0";

/// A server that is up.
pub(crate) fn start(config: Config) -> (Handle, Capture) {
    let (console, said) = Console::captured();
    let handle = Server::start(config, console).unwrap();
    assert!(handle.wait_up(Duration::from_secs(10)), "{}", said.text());
    (handle, said)
}

/// A loopback server with the password of the tests.
pub(crate) fn up() -> (Handle, Capture) {
    start(Config::loopback(PASSWORD))
}

/// Waits until something is so.
pub(crate) fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < Duration::from_secs(10), "not so after 10 s: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// An A2S client.
pub(crate) struct Asker(UdpSocket);

impl Asker {
    pub(crate) fn new(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        Self(socket)
    }

    pub(crate) fn patience(self, patience: Duration) -> Self {
        self.0.set_read_timeout(Some(patience)).unwrap();
        self
    }

    pub(crate) fn send(&self, bytes: &[u8]) {
        self.0.send(bytes).unwrap();
    }

    pub(crate) fn receive(&self) -> Option<Vec<u8>> {
        let mut buffer = [0; 2048];
        self.0.recv(&mut buffer).ok().map(|length| buffer[..length].to_vec())
    }

    /// One request and the first datagram of its reply.
    pub(crate) fn ask(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.send(bytes);
        self.receive()
    }

    /// A request with its challenge, its reply put together again.
    pub(crate) fn query(&self, request: &[u8]) -> Vec<u8> {
        let challenge = self.ask(request).unwrap();
        assert_eq!((challenge.len(), challenge[4]), (9, b'A'));
        let first = self.ask(&[request, &challenge[5..]].concat()).unwrap();
        self.whole(first)
    }

    fn whole(&self, first: Vec<u8>) -> Vec<u8> {
        if !first.starts_with(b"\xfe\xff\xff\xff") {
            return first;
        }
        let mut parts = vec![first];
        while parts.len() < usize::from(parts[0][8]) {
            parts.push(self.receive().unwrap());
        }
        parts.sort_by_key(|part| part[9]);
        parts.iter().flat_map(|part| part[12..].to_vec()).collect()
    }

    /// Whether A2S_INFO is answered.
    pub(crate) fn answers(&self) -> bool {
        self.ask(INFO).is_some()
    }
}

/// An RCON client.
pub(crate) struct Rcon(pub(crate) TcpStream);

impl Rcon {
    pub(crate) fn connect(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        Self(stream)
    }

    /// A client that is let in.
    pub(crate) fn login(server: SocketAddr) -> Self {
        let mut rcon = Self::connect(server);
        assert_eq!(rcon.auth(PASSWORD), 1);
        rcon
    }

    pub(crate) fn send(&mut self, id: i32, kind: i32, body: &[u8]) {
        let size = i32::try_from(body.len() + 10).unwrap();
        let mut packet = Vec::new();
        for word in [size, id, kind] {
            packet.extend(word.to_le_bytes());
        }
        packet.extend(body);
        packet.extend([0, 0]);
        self.0.write_all(&packet).unwrap();
    }

    /// The next packet: id, kind, body.
    pub(crate) fn receive(&mut self) -> io::Result<(i32, i32, Vec<u8>)> {
        let mut word = [0; 4];
        let mut next = |stream: &mut TcpStream| {
            stream.read_exact(&mut word).map(|()| i32::from_le_bytes(word))
        };
        let (size, id, kind) = (next(&mut self.0)?, next(&mut self.0)?, next(&mut self.0)?);
        assert!((10..=4096).contains(&size), "size {size}");
        let mut body = vec![0; usize::try_from(size).unwrap() - 8];
        self.0.read_exact(&mut body)?;
        assert!(body.ends_with(&[0, 0]));
        body.truncate(body.len() - 2);
        Ok((id, kind, body))
    }

    /// The id of the answer to a password, its empty packet seen first.
    pub(crate) fn auth(&mut self, password: &str) -> i32 {
        self.send(1, 3, password.as_bytes());
        assert_eq!(self.receive().unwrap(), (1, 0, Vec::new()));
        let (id, kind, body) = self.receive().unwrap();
        assert_eq!((kind, body.len()), (2, 0));
        id
    }

    /// The whole answer to a command, by way of the end marker.
    pub(crate) fn run(&mut self, command: &str) -> String {
        self.send(10, 2, command.as_bytes());
        self.send(11, 0, b"");
        let mut answer = Vec::new();
        loop {
            match self.receive().unwrap() {
                (10, 0, body) => answer.extend(body),
                (11, 0, body) if body.is_empty() => break,
                other => panic!("unexpected {other:?}"),
            }
        }
        assert_eq!(self.receive().unwrap(), (11, 0, vec![0, 1, 0, 0]));
        String::from_utf8(answer).unwrap()
    }

    /// Whether the server hangs up, with or without a reset.
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.0.read(&mut [0; 64]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}
