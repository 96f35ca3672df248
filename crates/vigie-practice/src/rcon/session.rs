//! One RCON connection, from its first byte to its last.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::inbox::Inbox;
use super::packet::{self, AUTH, AUTH_RESPONSE, EXEC, Packet, RESPONSE};
use crate::command;
use crate::world::World;

/// How often a quiet session looks whether it is dead or gagged.
const LOOK: Duration = Duration::from_millis(50);
/// How long a client may take to read an answer.
const WRITE: Duration = Duration::from_secs(5);
/// How long a client may say nothing before and after it is known.
const IDLE_STRANGER: Duration = Duration::from_secs(30);
const IDLE_KNOWN: Duration = Duration::from_secs(600);

/// Between the two packets of a login. A real server sends them apart too, and
/// there are clients that lose the second when both come in one segment.
const AUTH_GAP: Duration = Duration::from_millis(5);

/// What follows the mirror of an end marker on a real server.
const TRAILER: &[u8] = &[0, 1, 0, 0];

/// Serves one client until it leaves, misbehaves or the server dies.
pub(super) fn hold(world: &Arc<World>, stream: TcpStream, peer: SocketAddr) {
    // An error here or below is a client that is gone: nobody to tell.
    let _ = Session { world, stream, peer, known: false }.run();
}

struct Session<'a> {
    world: &'a Arc<World>,
    stream: TcpStream,
    peer: SocketAddr,
    known: bool,
}

impl Session<'_> {
    fn run(&mut self) -> io::Result<()> {
        self.stream.set_nonblocking(false)?;
        self.stream.set_nodelay(true)?;
        self.stream.set_read_timeout(Some(LOOK))?;
        self.stream.set_write_timeout(Some(WRITE))?;
        let mut inbox = Inbox::new();
        let mut heard = Instant::now();
        loop {
            if self.world.is_dead() || self.world.bans().holds(self.peer.ip()) {
                return Ok(());
            }
            if self.world.is_stuck() || self.world.deaf_rcon.holds() {
                self.world.pause(LOOK / 5);
                heard = Instant::now();
                continue;
            }
            match inbox.next() {
                Ok(Some(packet)) => {
                    if !self.obey(&packet)? {
                        return Ok(());
                    }
                    continue;
                }
                Ok(None) => {}
                Err(packet::Junk) => {
                    self.fail("junk");
                    return Ok(());
                }
            }
            match inbox.fill(&mut self.stream) {
                Ok(0) => return Ok(()),
                Ok(_) => heard = Instant::now(),
                Err(error) if is_quiet(&error) => {
                    let patience = if self.known { IDLE_KNOWN } else { IDLE_STRANGER };
                    if heard.elapsed() > patience {
                        return Ok(());
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Answers one packet; `false` ends the connection.
    fn obey(&mut self, packet: &Packet<'_>) -> io::Result<bool> {
        match packet.kind {
            AUTH => self.auth(packet)?,
            EXEC | RESPONSE if !self.known => {
                self.send(&packet::encode(-1, AUTH_RESPONSE, b""))?;
            }
            EXEC => self.exec(packet)?,
            RESPONSE => self.mirror(packet)?,
            _ => {
                self.fail("junk");
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn auth(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.known = self.world.config().rcon_password.admits(packet.body);
        if self.known {
            self.world.bans().succeeded(self.peer.ip());
        } else {
            self.fail("Bad Password");
        }
        let id = if self.known { packet.id } else { -1 };
        self.send(&packet::encode(packet.id, RESPONSE, b""))?;
        thread::sleep(AUTH_GAP);
        self.send(&packet::encode(id, AUTH_RESPONSE, b""))
    }

    fn exec(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        let line = String::from_utf8_lossy(packet.body);
        let shown = self.world.config().rcon_password.scrub(&line);
        self.world.print(&format!("rcon from \"{}\": command \"{}\"", self.peer, shown.trim()));
        let command::Ran { answer, effects } = command::run(self.world, &line);
        let sent = self.send(&packet::answer(packet.id, answer.as_bytes()));
        // What was ordered happens, whether the client waits for it or not.
        self.world.light_fuse(effects);
        sent
    }

    fn mirror(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        let mut bytes = packet::encode(packet.id, RESPONSE, packet.body);
        if self.world.config().rcon_trailer {
            bytes.extend(packet::encode(packet.id, RESPONSE, TRAILER));
        }
        self.send(&bytes)
    }

    fn fail(&self, what: &str) {
        self.world.print(&format!("rcon from \"{}\": {what}", self.peer));
        if self.world.bans().failed(self.peer.ip()) {
            self.world.print(&format!("Banning {} for rcon hacking attempts", self.peer.ip()));
        }
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }
}

fn is_quiet(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}
