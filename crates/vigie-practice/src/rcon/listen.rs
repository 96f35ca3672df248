//! Accepts RCON connections, one thread each, a bounded number of them.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::session;
use crate::world::World;

/// Connections at once; the next ones are closed unheard.
const MOST: usize = 32;

/// How often a quiet listener looks for a connection, or its death.
const LOOK: Duration = Duration::from_millis(10);

/// Accepts until the server dies.
pub(crate) fn listen(world: &Arc<World>, listener: &TcpListener) {
    // Blocking accepts cannot be interrupted without a file descriptor trick.
    if let Err(error) = listener.set_nonblocking(true) {
        return world.print(&format!("practice: RCON cannot listen: {error}"));
    }
    let open = Arc::new(AtomicUsize::new(0));
    while !world.is_dead() {
        // A stuck main loop accepts nothing; the kernel does it in its place.
        if world.is_stuck() || world.deaf_rcon.holds() {
            world.pause(LOOK);
            continue;
        }
        match listener.accept() {
            Ok((stream, peer)) => welcome(world, &open, stream, peer),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => drop(world.pause(LOOK)),
        }
    }
}

fn welcome(world: &Arc<World>, open: &Arc<AtomicUsize>, stream: TcpStream, peer: SocketAddr) {
    let seat = Seat::take(open);
    if world.bans().holds(peer.ip()) || seat.is_none() {
        return;
    }
    let world = Arc::clone(world);
    // No thread: the connection is closed unheard, like one too many.
    let _ = thread::Builder::new().name("rcon-session".to_owned()).spawn(move || {
        let _seat = seat;
        session::hold(&world, stream, peer);
    });
}

/// One of the places; given back when dropped.
struct Seat(Arc<AtomicUsize>);

impl Seat {
    fn take(open: &Arc<AtomicUsize>) -> Option<Self> {
        open.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |taken| {
            (taken < MOST).then_some(taken + 1)
        })
        .ok()
        .map(|_| Self(Arc::clone(open)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
