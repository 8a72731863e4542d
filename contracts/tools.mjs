// forge, anvil and cast without npm's launcher: that one ends with 0 whatever the tool ended with, so a failing test
// run would look like a good one. `node tools.mjs forge test` runs the tool itself and ends as it ended.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const ARCHITECTURES = { x64: "amd64", arm64: "arm64" };

/** The path of the platform's binary. */
export function tool(name) {
  const suffix = process.platform === "win32" ? ".exe" : "";
  const folder = `@foundry-rs/${name}-${process.platform}-${ARCHITECTURES[process.arch]}`;
  return createRequire(import.meta.url).resolve(`${folder}/bin/${name}${suffix}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name, ...args] = process.argv.slice(2);
  const { status, error } = spawnSync(tool(name), args, { stdio: "inherit" });
  if (error) throw error;
  process.exit(status ?? 1);
}
