// Checks the practice server with npm's gamedig, a client nobody here wrote.
//
//     node peers.mjs HOST PORT
//
// run where `gamedig` is installed. Exit code 0 when every check agrees.

import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

// From the working directory: the script itself lies beside no package.
const resolve = createRequire(join(process.cwd(), "peers.mjs")).resolve;
const { GameDig } = await import(pathToFileURL(resolve("gamedig")));

const [host, port] = [process.argv[2], Number(process.argv[3])];
let failed = 0;
const check = (what, agreed, seen) => {
  console.log(`${agreed ? "agrees " : "DIFFERS"} ${what}${agreed ? "" : `: ${JSON.stringify(seen)}`}`);
  failed += agreed ? 0 : 1;
};

const state = await GameDig.query({
  type: "garrysmod",
  host,
  port,
  givenPortOnly: true,
  requestRules: true,
  maxRetries: 1,
});
check("a name and a map", Boolean(state.name) && Boolean(state.map), state);
check("no password to join", state.password === false, state.password);
check("the folder", state.raw.folder === "garrysmod", state.raw.folder);
check("the application", state.raw.appId === 4000, state.raw.appId);
check("the port", state.connect.endsWith(`:${port}`), state.connect);
check("the keywords", state.raw.tags.some((tag) => tag.includes("gm:")), state.raw.tags);
check("as many players as announced", state.players.length === state.numplayers, state);
check("the rules", state.raw.rules?.sv_gravity === "600", state.raw.rules);
console.log(`${failed} differ`);
process.exit(failed ? 1 : 0);
