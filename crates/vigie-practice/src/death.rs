//! The ways to die: what the console says last, and the exit code.
//!
//! | name | last line | exit code |
//! | --- | --- | --- |
//! | `segv` | `Segmentation fault (core dumped)` | 139 (128 + SIGSEGV) |
//! | `lua-panic` | `Engine error: Lua Panic! Something went horribly wrong!` | 134 (128 + SIGABRT) |
//! | `engine-error` | `Engine error: ED_Alloc: no free edicts` | 100 |
//! | `watchdog` | `WatchDog! Server took too long to process` | 134 (128 + SIGABRT) |
//! | `quit` | `Server Quit` | 0 |
//! | `exit CODE` | `Server restart in 10 seconds` | CODE |
//! | `port-taken` | `ERROR: Port N was unavailable - quitting due to "-strictportbind"` | 1 |
//!
//! The process leaves with the code a shell would report instead of raising
//! the signal: the first process of a container is immune to its own signals.

use std::fmt;
use std::str::FromStr;

/// One way to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// A segmentation fault.
    Segv,
    /// The engine's Lua panic handler.
    LuaPanic,
    /// A fatal error of the engine that is not Lua's.
    EngineError,
    /// The watchdog thread saw the main loop stuck.
    Watchdog,
    /// A clean stop.
    Quit,
    /// Some exit code, with the launcher's line.
    Exit(u8),
    /// The port belongs to somebody else.
    PortTaken,
}

/// A name that is no way to die.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no way to die: write segv, lua-panic, engine-error, watchdog, quit, exit CODE (0 to 255) or port-taken"
)]
pub struct UnknownDeath(String);

impl Death {
    /// The exit code of the process.
    pub fn code(self) -> u8 {
        match self {
            Self::Segv => 139,
            Self::LuaPanic | Self::Watchdog => 134,
            Self::EngineError => 100,
            Self::Quit => 0,
            Self::Exit(code) => code,
            Self::PortTaken => 1,
        }
    }

    /// The last line of the console, for a server on `port`.
    pub fn line(self, port: u16) -> String {
        match self {
            Self::Segv => "Segmentation fault (core dumped)".to_owned(),
            Self::LuaPanic => "Engine error: Lua Panic! Something went horribly wrong!".to_owned(),
            Self::EngineError => "Engine error: ED_Alloc: no free edicts".to_owned(),
            Self::Watchdog => "WatchDog! Server took too long to process".to_owned(),
            Self::Quit => "Server Quit".to_owned(),
            Self::Exit(_) => "Server restart in 10 seconds".to_owned(),
            Self::PortTaken => {
                format!("ERROR: Port {port} was unavailable - quitting due to \"-strictportbind\"")
            }
        }
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segv => f.write_str("segv"),
            Self::LuaPanic => f.write_str("lua-panic"),
            Self::EngineError => f.write_str("engine-error"),
            Self::Watchdog => f.write_str("watchdog"),
            Self::Quit => f.write_str("quit"),
            Self::Exit(code) => write!(f, "exit {code}"),
            Self::PortTaken => f.write_str("port-taken"),
        }
    }
}

impl FromStr for Death {
    type Err = UnknownDeath;

    /// The names of the table; `exit:3` also stands for `exit 3`, and an empty
    /// name (an unset Compose variable) for `segv`.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name.trim() {
            "" | "segv" => Ok(Self::Segv),
            "lua-panic" => Ok(Self::LuaPanic),
            "engine-error" => Ok(Self::EngineError),
            "watchdog" => Ok(Self::Watchdog),
            "quit" => Ok(Self::Quit),
            "port-taken" => Ok(Self::PortTaken),
            other => other
                .strip_prefix("exit")
                .and_then(|code| code.strip_prefix([' ', ':']))
                .and_then(|code| code.trim().parse().ok())
                .map(Self::Exit)
                .ok_or_else(|| UnknownDeath(name.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for death in [
            Death::Segv,
            Death::LuaPanic,
            Death::EngineError,
            Death::Watchdog,
            Death::Quit,
            Death::Exit(7),
            Death::PortTaken,
        ] {
            assert_eq!(death.to_string().parse(), Ok(death));
        }
        assert_eq!("exit:255".parse(), Ok(Death::Exit(255)));
        assert!("exit 256".parse::<Death>().is_err());
        assert!("exit3".parse::<Death>().is_err());
        assert!("explode".parse::<Death>().is_err());
    }

    #[test]
    fn the_port_is_the_real_one() {
        assert_eq!(
            Death::PortTaken.line(27016),
            "ERROR: Port 27016 was unavailable - quitting due to \"-strictportbind\""
        );
    }
}
