//! Signals: SIGTERM and SIGINT stop it, SIGUSR1 crashes it, SIGUSR2 freezes
//! and thaws it.
//!
//! The handlers matter most when it is the first process of a container: the
//! kernel drops a signal that such a process does not handle.

use std::sync::Arc;
use std::{io, thread};

use signal_hook::consts::signal::{SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

use crate::death::Death;
use crate::world::World;

/// Signals caught from now on, to be obeyed once there is a server.
pub(crate) struct Caught(Signals);

/// Catches the signals; done first of all, so that none is missed.
pub(crate) fn catch() -> io::Result<Caught> {
    Signals::new([SIGTERM, SIGINT, SIGUSR1, SIGUSR2]).map(Caught)
}

/// Obeys them in a thread of their own, for as long as the process lives.
pub(crate) fn obey(caught: Caught, world: Arc<World>) -> io::Result<()> {
    let Caught(mut signals) = caught;
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                match signal {
                    SIGUSR1 => world.die(Death::Segv),
                    SIGUSR2 if world.frozen.holds() => world.frozen.lift(),
                    SIGUSR2 => world.frozen.impose(None),
                    _ => world.die(Death::Quit),
                }
            }
        })
        .map(drop)
}
