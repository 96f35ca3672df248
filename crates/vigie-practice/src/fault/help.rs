//! `practice help`, also the last part of `--help`.

/// The commands that break the server.
pub(crate) const TEXT: &str = "\
practice commands (over RCON, or on standard input with --console):
  practice crash KIND                       die; last console line, exit code:
      segv          Segmentation fault (core dumped)                    139
      lua-panic     Engine error: Lua Panic! Something went...          134
      engine-error  Engine error: ED_Alloc: no free edicts              100
      watchdog      WatchDog! Server took too long to process           134
      quit          Server Quit                                           0
      exit CODE     Server restart in 10 seconds                       CODE
      port-taken    ERROR: Port N was unavailable - quitting...           1
  practice freeze [SECONDS]                 nothing answers, nothing is printed
  practice deaf a2s|rcon [SECONDS]          only one of the two goes silent
  practice leak MIB_PER_SECOND [MAX_MIB]    take memory (limit 1024 MiB unless said)
  practice cpu SECONDS                      keep every processor busy
  practice spew lua N_PER_SECOND [SECONDS]  Lua errors of several signatures
  practice spew flood N_PER_SECOND SECONDS  numbered plain lines, up to 1000000/s
  practice spew abuse NICK STEAMID N        N rejected net messages of a player
  practice spew db [down|up]                the addon's database lines
  practice long BYTES                       an answer of that length, up to 1048576
  practice heal                             undo all of it, RCON bans included
Crashes, freezes and deafness asked for over RCON strike 100 ms after the answer.
SIGTERM and SIGINT quit, SIGUSR1 crashes (segv), SIGUSR2 freezes and thaws.";
