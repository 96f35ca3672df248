//! The `practice` commands: the ways to break the server, one file each, and
//! `heal`, which undoes all that can be undone.

mod args;
mod cpu;
mod deaf;
mod freeze;
mod help;
mod leak;
mod long;
mod lua_errors;
mod pace;
mod spew_abuse;
mod spew_db;
mod spew_flood;
mod spew_lua;

pub(crate) use help::TEXT as HELP;

use std::sync::Arc;

use crate::command::{Effect, Ran};
use crate::death::Death;
use crate::world::World;

/// One fault, ready to strike.
#[derive(Debug, PartialEq)]
pub(crate) enum Fault {
    Crash(Death),
    Freeze(freeze::Freeze),
    Deaf(deaf::Deaf),
    Leak(leak::Leak),
    SpewLua(spew_lua::SpewLua),
    SpewFlood(spew_flood::SpewFlood),
    SpewAbuse(spew_abuse::SpewAbuse),
    SpewDb(spew_db::SpewDb),
    Cpu(cpu::Cpu),
    Long(long::Long),
    Heal,
    Help,
}

impl Fault {
    /// Reads what follows `practice`; the error is an answer that says how.
    pub(crate) fn parse(words: &[String]) -> Result<Self, String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["crash", kind @ ..] => kind
                .join(" ")
                .parse()
                .map(Self::Crash)
                .map_err(|error: crate::UnknownDeath| error.to_string()),
            ["freeze", rest @ ..] => freeze::Freeze::parse(rest).map(Self::Freeze),
            ["deaf", rest @ ..] => deaf::Deaf::parse(rest).map(Self::Deaf),
            ["leak", rest @ ..] => leak::Leak::parse(rest).map(Self::Leak),
            ["spew", "lua", rest @ ..] => spew_lua::SpewLua::parse(rest).map(Self::SpewLua),
            ["spew", "flood", rest @ ..] => spew_flood::SpewFlood::parse(rest).map(Self::SpewFlood),
            ["spew", "abuse", rest @ ..] => spew_abuse::SpewAbuse::parse(rest).map(Self::SpewAbuse),
            ["spew", "db", rest @ ..] => spew_db::SpewDb::parse(rest).map(Self::SpewDb),
            ["cpu", rest @ ..] => cpu::Cpu::parse(rest).map(Self::Cpu),
            ["long", rest @ ..] => long::Long::parse(rest).map(Self::Long),
            ["heal"] => Ok(Self::Heal),
            [] | ["help"] => Ok(Self::Help),
            _ => Err(format!("practice: unknown fault `{}`; see practice help", words.join(" "))),
        }
    }

    /// Strikes, now or right after the answer.
    pub(crate) fn strike(self, world: &Arc<World>) -> Ran {
        match self {
            Self::Crash(death) => Ran::then(format!("practice: crash {death}"), Effect::Die(death)),
            Self::Freeze(freeze) => freeze.strike(),
            Self::Deaf(deaf) => deaf.strike(),
            Self::Leak(leak) => started(leak.strike(world)),
            Self::SpewLua(spew) => started(spew.strike(world)),
            Self::SpewFlood(spew) => started(spew.strike(world)),
            Self::SpewAbuse(spew) => started(spew.strike(world)),
            Self::SpewDb(spew) => Ran::says(spew.strike(world)),
            Self::Cpu(cpu) => started(cpu.strike(world)),
            Self::Long(long) => Ran::says(long.strike()),
            Self::Heal => {
                world.heal();
                Ran::says("practice: healed")
            }
            Self::Help => Ran::says(help::TEXT),
        }
    }
}

/// Both outcomes of a start are answers.
fn started(outcome: Result<String, String>) -> Ran {
    Ran::says(outcome.unwrap_or_else(|reason| format!("practice: {reason}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn parse(line: &str) -> Result<Fault, String> {
        Fault::parse(&crate::words::words(line))
    }

    #[test]
    fn reads_every_fault() {
        assert_eq!(parse("crash exit 3"), Ok(Fault::Crash(Death::Exit(3))));
        assert_eq!(parse("crash segv"), Ok(Fault::Crash(Death::Segv)));
        for line in [
            "freeze",
            "freeze 5",
            "deaf a2s",
            "deaf rcon 2s",
            "leak 10",
            "leak 10 100",
            "spew lua 5",
            "spew lua 5 10",
            "spew flood 100000 1",
            "spew abuse \"Jean Bon\" STEAM_0:1:2 12",
            "spew db",
            "spew db down",
            "spew db up",
            "cpu 1",
            "long 5000",
            "heal",
            "help",
            "",
        ] {
            assert!(parse(line).is_ok(), "{line}: {:?}", parse(line));
        }
    }

    #[test]
    fn refuses_the_rest_and_says_how() {
        for line in [
            "dance",
            "freeze never",
            "deaf",
            "deaf nose",
            "leak",
            "leak 0",
            "leak 10 x",
            "spew",
            "spew lua",
            "spew flood 5",
            "spew flood 99999999 1",
            "spew abuse x",
            "spew db sideways",
            "cpu",
            "long -1",
            "long 99999999",
            "crash hard",
            "heal me",
        ] {
            let refusal = parse(line).expect_err(line);
            assert!(refusal.contains("practice") || refusal.contains("write"), "{line}: {refusal}");
        }
    }

    #[test]
    fn a_freeze_has_an_end_or_none() {
        assert_eq!(
            parse("freeze 2"),
            Ok(Fault::Freeze(freeze::Freeze { lasting: Some(Duration::from_secs(2)) }))
        );
        assert_eq!(parse("freeze"), Ok(Fault::Freeze(freeze::Freeze { lasting: None })));
    }
}
