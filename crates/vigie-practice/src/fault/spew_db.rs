//! `practice spew db [down|up]`: the addon's database lines, without any
//! database. Both, in that order, when nothing is said.

use super::args;
use crate::database;
use crate::world::World;

const USAGE: &str = "practice spew db [down|up]";

/// Which lines.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SpewDb {
    Down,
    Up,
    Both,
}

impl SpewDb {
    pub(super) fn parse(words: &[&str]) -> Result<Self, String> {
        match words {
            [] => Ok(Self::Both),
            ["down"] => Ok(Self::Down),
            ["up"] => Ok(Self::Up),
            _ => Err(args::wrong(USAGE)),
        }
    }

    pub(super) fn strike(self, world: &World) -> String {
        if self != Self::Up {
            world.print(&database::down_line("Can't connect to MySQL server on 'mysql' (111)"));
        }
        if self != Self::Down {
            world.print(&database::up_line("mysql"));
        }
        "practice: spew db".to_owned()
    }
}
