//! Decides the closed set of things that a console line can say. All texts are printable.

/// How a server said that it dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CrashKind {
    /// A segmentation fault.
    Segfault,
    /// The Lua machine gave up.
    LuaPanic,
    /// Any other error of the engine.
    Engine,
    /// The watchdog.
    Watchdog,
    /// An orderly end.
    Quit,
    /// The start script's announcement.
    Restart,
}

/// What is wrong with a script, beside errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScriptFault {
    /// A timer's function failed.
    Timer,
    /// A file to include is not there.
    Include,
    /// A file to send to clients is not there.
    ClientFile,
    /// A binary module cannot be loaded: the wrong architecture, most often.
    ModuleLoad,
    /// A binary module is not there.
    ModuleMissing,
}

/// A Lua error.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LuaError {
    /// The player whose own game relayed it; none for the server's own.
    pub client: Option<String>,
    /// The addon's title, where the tag names one.
    pub title: Option<String>,
    /// The message.
    pub message: String,
    /// The file of the error itself.
    pub file: Option<String>,
    /// The line of the guilty place.
    pub line: Option<u32>,
    /// The file of the guilty frame: the first that is neither `[C]` nor below `lua/includes/`.
    pub guilty: Option<String>,
    /// The same for the same cause, whatever numbers and names the message holds.
    pub signature: u64,
}

/// What a console line said.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleEvent {
    /// Ready for players.
    Ready,
    /// A dying server's word.
    Crash {
        /// How.
        kind: CrashKind,
        /// The line.
        line: String,
    },
    /// The port is taken.
    PortTaken {
        /// The line.
        line: String,
    },
    /// The Workshop is being read, or downloaded again.
    Workshop {
        /// The line.
        line: String,
    },
    /// A Lua error.
    LuaError(LuaError),
    /// Something else is wrong with a script.
    Script {
        /// What.
        what: ScriptFault,
        /// The line.
        line: String,
    },
    /// A player's net messages are rejected.
    RateLimit {
        /// The nick.
        nick: String,
        /// The SteamID.
        steamid: String,
        /// Messages a minute.
        per_minute: u32,
    },
    /// The game lost its database.
    DatabaseLost {
        /// Why.
        error: String,
    },
    /// The game has its database.
    DatabaseFound {
        /// Where.
        host: String,
    },
    /// A module of the addon was loaded.
    ModuleLoaded {
        /// Which.
        name: String,
    },
    /// The map changes.
    MapChange {
        /// To which, where the line says it.
        map: Option<String>,
    },
}
