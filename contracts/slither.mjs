// Runs slither over the contracts, apart from their dependencies. Findings in slither.triage.json are answered in
// docs/security.md; any other ends this with 1, and so does an answer to a finding that is no more.
//
//   node slither.mjs            compares
//   node slither.mjs --triage   writes the findings of now, to be answered
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { tool } from "./tools.mjs";

const ROOT = dirname(fileURLToPath(import.meta.url));
const PROGRAMS = join(ROOT, ".venv", "bin");
const TRIAGE = join(ROOT, "slither.triage.json");

const copy = mkdtempSync(join(tmpdir(), "slither-"));
process.on("exit", () => rmSync(copy, { recursive: true, force: true }));
for (const name of ["src", "foundry.toml", "solc.cjs", "slither.config.json"]) {
  cpSync(join(ROOT, name), join(copy, name), { recursive: true });
}
symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
run(tool("forge"), ["build", "src", "--build-info"], (status) => status === 0);
const report = join(copy, "report.json");
const args = [".", "--ignore-compile", "--foundry-out-directory", "out", "--json", report];
// It ends with another status than 0 whenever it finds something.
run(join(PROGRAMS, "slither"), args, () => true);
const { success, error, results } = JSON.parse(readFileSync(report, "utf8"));
if (!success) throw new Error(`slither failed: ${error}`);

const found = (results.detectors ?? []).map(({ id, check, impact, description }) => {
  return { id, check, impact, what: description.split("\n")[0].replace(/ ?\(?src\/[^ )]*#[0-9-]+\)?/g, "").trim() };
});
// By what is found, so that the same findings give the same file.
found.sort((a, b) => (a.check + a.what + a.id < b.check + b.what + b.id ? -1 : 1));
if (process.argv.includes("--triage")) {
  writeFileSync(TRIAGE, JSON.stringify(found, null, 2) + "\n");
} else {
  const answered = JSON.parse(readFileSync(TRIAGE, "utf8"));
  const without = (some, others) => some.filter(({ id }) => !others.some((other) => other.id === id));
  const [fresh, gone] = [without(found, answered), without(answered, found)];
  for (const { check, what } of fresh) console.error(`new: ${check}: ${what}`);
  for (const { check, what } of gone) console.error(`no more: ${check}: ${what}`);
  console.log(`slither: ${found.length} findings, ${fresh.length} of them new; ${gone.length} answers without a finding`);
  process.exitCode = fresh.length + gone.length === 0 ? 0 : 1;
}

function run(program, args, isFine) {
  const PATH = [dirname(tool("forge")), PROGRAMS, process.env.PATH].join(":");
  const env = { ...process.env, PATH, FOUNDRY_PROFILE: "mutants" };
  const done = spawnSync(program, args, { cwd: copy, env, encoding: "utf8", maxBuffer: 1 << 28 });
  if (done.error) throw done.error;
  if (!isFine(done.status)) throw new Error(`${program} failed\n${done.stdout}${done.stderr}`);
}
