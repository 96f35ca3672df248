//! The console's other half: commands typed on standard input.
//!
//! `practice` commands work here even when the server is frozen: somebody has
//! to be able to thaw it.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::thread;

use crate::command;
use crate::world::World;

/// The longest command, in bytes; RCON has the same bound.
const LONGEST: u64 = 4086;

/// Reads commands until the end of the input, in a thread of its own.
pub(crate) fn listen(world: Arc<World>) -> io::Result<()> {
    thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || obey(&world, &mut io::stdin().lock()))
        .map(drop)
}

fn obey(world: &Arc<World>, input: &mut impl BufRead) {
    let mut line = Vec::new();
    while !world.is_dead() {
        line.clear();
        match input.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let line = String::from_utf8_lossy(&line);
        if world.frozen.holds() && !line.trim_start().starts_with("practice") {
            continue;
        }
        let answer = command::run_now(world, &line);
        if !answer.is_empty() {
            world.print(answer.trim_end());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Console};

    #[test]
    fn obeys_line_by_line_and_a_freeze_leaves_only_practice_commands() {
        let (console, said) = Console::captured();
        let world = Arc::new(World::new(Config::loopback(""), 1, console));
        let mut input =
            "echo one\npractice freeze\necho two\npractice heal\necho three\n".as_bytes();
        obey(&world, &mut input);
        let said = said.text();
        assert!(said.contains("one") && said.contains("three"), "{said}");
        assert!(!said.contains("two"), "{said}");
    }
}
