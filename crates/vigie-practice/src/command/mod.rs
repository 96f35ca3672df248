//! The console commands: one file each, run the same way from RCON, from
//! standard input and from a test.
//!
//! A command answers at once and may leave an effect for later, because a
//! server that breaks before it answers tells its caller nothing.

mod archive;
mod changelevel;
mod construction;
mod effect;
mod players;
mod status;

use std::sync::Arc;

pub(crate) use archive::Archive;
pub(crate) use effect::Effect;

use crate::fault::Fault;
use crate::words::{commands, tail, words};
use crate::world::World;

/// How many commands one line may hold.
const MOST_COMMANDS: usize = 64;

/// What a line came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Ran {
    /// The text for whoever asked.
    pub(crate) answer: String,
    /// What is still to happen.
    pub(crate) effects: Vec<Effect>,
}

impl Ran {
    /// An answer and nothing else.
    pub(crate) fn says(answer: impl Into<String>) -> Self {
        Self { answer: answer.into(), effects: Vec::new() }
    }

    /// An answer, and an effect after it.
    pub(crate) fn then(answer: impl Into<String>, effect: Effect) -> Self {
        Self { answer: answer.into(), effects: vec![effect] }
    }
}

/// Runs every command of a line; the caller sees to the effects.
pub(crate) fn run(world: &Arc<World>, line: &str) -> Ran {
    let mut all = Ran::default();
    for command in commands(line).into_iter().take(MOST_COMMANDS) {
        let Ran { answer, effects } = one(world, command);
        if !answer.is_empty() {
            all.answer.push_str(answer.trim_end_matches('\n'));
            all.answer.push('\n');
        }
        all.effects.extend(effects);
    }
    all
}

/// Runs a line and its effects, and returns the answer.
pub(crate) fn run_now(world: &Arc<World>, line: &str) -> String {
    let Ran { answer, effects } = run(world, line);
    effects.into_iter().for_each(|effect| effect.apply(world));
    answer
}

fn one(world: &Arc<World>, command: &str) -> Ran {
    let words = words(command);
    let Some((name, args)) = words.split_first() else { return Ran::default() };
    match name.to_ascii_lowercase().as_str() {
        "status" => Ran::says(status::text(world)),
        "say" => say(world, tail(command)),
        "echo" => Ran::says(tail(command)),
        "construction_logs" => Ran::says(construction::logs(world, args)),
        "construction_stats" => Ran::says(construction::stats(world)),
        "changelevel" => changelevel::run(args),
        "players" => Ran::says(players::run(world, args)),
        "quit" | "exit" => Ran::then("", Effect::Die(crate::Death::Quit)),
        "practice" => Fault::parse(args).map_or_else(Ran::says, |fault| fault.strike(world)),
        _ => Ran::says(format!("Unknown command \"{name}\"")),
    }
}

fn say(world: &World, text: &str) -> Ran {
    let line = format!("Console: {text}");
    world.print(&world.config().rcon_password.scrub(&line));
    Ran::says(line)
}

#[cfg(test)]
mod tests;
