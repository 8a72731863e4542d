#!/usr/bin/env node
// forge wants a compiler it can execute; npm's `solc` is WebAssembly behind a JavaScript door.
// This answers the two questions forge asks: which version are you, and compile this standard JSON.
const solc = require("solc");

if (process.argv.includes("--version")) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`);
} else {
  process.stdout.write(solc.compile(require("fs").readFileSync(0, "utf8")));
}
