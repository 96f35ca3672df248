//! What a command leaves behind, once it has answered.

use std::sync::Arc;
use std::time::Duration;

use super::changelevel;
use crate::death::Death;
use crate::world::World;

/// One effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The server dies.
    Die(Death),
    /// The main loop is stuck, for a time or until healed.
    Freeze(Option<Duration>),
    /// A2S alone goes silent.
    DeafA2s(Option<Duration>),
    /// RCON alone goes silent.
    DeafRcon(Option<Duration>),
    /// The map changes.
    ChangeLevel(String),
}

impl Effect {
    /// Makes it happen.
    pub(crate) fn apply(self, world: &Arc<World>) {
        match self {
            Self::Die(death) => world.die(death),
            Self::Freeze(lasting) => world.frozen.impose(lasting),
            Self::DeafA2s(lasting) => world.deaf_a2s.impose(lasting),
            Self::DeafRcon(lasting) => world.deaf_rcon.impose(lasting),
            Self::ChangeLevel(map) => changelevel::begin(world, &map),
        }
    }
}
