//! A running server: started, asked, waited for, stopped.
//!
//! A death here ends the server and not the process, so tests can crash as
//! many as they like; only the binary turns the death into an exit code.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::console::Console;
use crate::death::Death;
use crate::world::World;
use crate::{a2s, boot, command, database, rcon};

/// How often a free port is looked for that is free for UDP and TCP alike.
const PORT_TRIES: usize = 64;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Somebody else has the port.
    #[error("port {0} is taken; stop what listens there or choose another --port")]
    PortTaken(u16),
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}: {cause}; check --bind and --port")]
    Bind {
        /// The address asked for.
        addr: SocketAddr,
        /// Why not.
        cause: io::Error,
    },
    /// The file that counts the starts cannot be used.
    #[error("cannot count this start: {0}; check --crash-counter")]
    Counter(io::Error),
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

/// Starts practice servers.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Starts a server and returns at once; it boots in the background. A
    /// [`Handle::wait_up`] tells when it answers.
    pub fn start(config: Config, console: Console) -> Result<Handle, StartError> {
        let config = config.bounded();
        let crash = match &config.crash {
            Some(plan) if plan.is_due().map_err(StartError::Counter)? => {
                Some((plan.after, plan.how))
            }
            _ => None,
        };
        let (udp, tcp) = sockets(&config)?;
        let addr = udp.local_addr().map_err(|cause| StartError::Bind {
            addr: SocketAddr::new(config.bind, config.port),
            cause,
        })?;
        let world = Arc::new(World::new(config, addr.port(), console));
        let mut handle = Handle { world, addr, threads: Vec::new() };
        handle.spawn("boot", move |world| live(world, &udp, tcp))?;
        if let Some((after, how)) = crash {
            handle.spawn("crash", move |world| {
                if world.pause(after) {
                    world.die(how);
                }
            })?;
        }
        Ok(handle)
    }
}

/// Boots, opens RCON, and answers A2S until the end.
fn live(world: &Arc<World>, udp: &UdpSocket, tcp: Option<TcpListener>) {
    if !boot::run(world) {
        return;
    }
    let addr = SocketAddr::new(world.config().bind, world.port());
    let Ok(listener) = tcp.map_or_else(|| TcpListener::bind(addr), Ok) else {
        return world.die(Death::PortTaken);
    };
    let others = [
        helper("rcon", world, move |world| rcon::listen(world, &listener)),
        helper("database", world, |world| database::watch(world)),
    ];
    boot::announce_ready(world);
    world.rise();
    a2s::serve(world, udp);
    for other in others.into_iter().flatten() {
        // Its panic, if any, was printed by its own thread.
        let _ = other.join();
    }
}

fn helper(
    name: &str,
    world: &Arc<World>,
    body: impl FnOnce(&Arc<World>) + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let world = Arc::clone(world);
    thread::Builder::new().name(name.to_owned()).spawn(move || body(&world))
}

/// The UDP socket, and the TCP one when it can be had before the boot ends
/// without showing it: only a boot that takes no time has it at once.
fn sockets(config: &Config) -> Result<(UdpSocket, Option<TcpListener>), StartError> {
    let addr = SocketAddr::new(config.bind, config.port);
    let refused = |cause: io::Error| match cause.kind() {
        io::ErrorKind::AddrInUse => StartError::PortTaken(addr.port()),
        _ => StartError::Bind { addr, cause },
    };
    let keep = |tcp| config.boot.is_zero().then_some(tcp);
    if addr.port() != 0 {
        let udp = UdpSocket::bind(addr).map_err(refused)?;
        let tcp = TcpListener::bind(addr).map_err(refused)?;
        return Ok((udp, keep(tcp)));
    }
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..PORT_TRIES {
        let udp = UdpSocket::bind(addr).map_err(refused)?;
        // The kernel chose a port for UDP: TCP may have it taken.
        match udp.local_addr().and_then(TcpListener::bind) {
            Ok(tcp) => return Ok((udp, keep(tcp))),
            Err(error) => last = error,
        }
    }
    Err(refused(last))
}

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Handle {
    world: Arc<World>,
    addr: SocketAddr,
    threads: Vec<JoinHandle<()>>,
}

impl Handle {
    /// Where it listens, UDP and TCP alike.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Runs a console line, effects included, and returns the answer.
    pub fn command(&self, line: &str) -> String {
        command::run_now(&self.world, line)
    }

    /// Whether the boot is finished and the server lives.
    pub fn is_up(&self) -> bool {
        self.world.is_up()
    }

    /// Waits for the end of the boot; `false` when it died or took longer.
    pub fn wait_up(&self, patience: Duration) -> bool {
        let begun = Instant::now();
        while !self.world.is_up() {
            if begun.elapsed() >= patience || !self.world.pause(Duration::from_millis(5)) {
                return false;
            }
        }
        true
    }

    /// What it died of, if it is dead.
    pub fn death(&self) -> Option<Death> {
        self.world.death()
    }

    /// Waits until it dies.
    pub fn wait(&self) -> Death {
        loop {
            if let Some(death) = self.world.wait_death(Duration::MAX) {
                return death;
            }
        }
    }

    /// Waits until it dies, at most `patience`.
    pub fn wait_timeout(&self, patience: Duration) -> Option<Death> {
        self.world.wait_death(patience)
    }

    /// Stops it cleanly; its ports are free afterwards.
    pub fn stop(self) {
        drop(self);
    }

    pub(crate) fn world(&self) -> &Arc<World> {
        &self.world
    }

    fn spawn(
        &mut self,
        name: &str,
        body: impl FnOnce(&Arc<World>) + Send + 'static,
    ) -> Result<(), StartError> {
        self.threads.push(helper(name, &self.world, body).map_err(StartError::Thread)?);
        Ok(())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.world.die(Death::Quit);
        // A claim elsewhere may still be saying its last words.
        self.wait();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
