// Proves the properties of test/proofs with halmos, for every input in their range. Ends as halmos ends: 1 when one is
// refuted or undecided. `node prove.mjs [options of halmos]`; `make setup` does not install it, `setup --for deep` does.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { tool } from "./tools.mjs";

const ROOT = dirname(fileURLToPath(import.meta.url));
const PROGRAMS = join(ROOT, ".venv", "bin");
/** Per property; all of them together take about two minutes on two cores. */
const ANSWER_WITHIN = "120s";

const solver = `${join(PROGRAMS, "python")} ${join(ROOT, "solver.py")}`;
const args = ["--root", ROOT, "--forge-build-out", "cache/proofs/out", "--no-status", "--solver-command", solver];
args.push("--solver-timeout-assertion", ANSWER_WITHIN, ...process.argv.slice(2));
// Of a property that was taken away forge would leave what it built, and halmos would try that.
rmSync(join(ROOT, "cache", "proofs"), { recursive: true, force: true });
// It runs forge itself. FOUNDRY_PROFILE of a deep campaign would build something else.
const PATH = [dirname(tool("forge")), PROGRAMS, process.env.PATH].join(":");
const env = { ...process.env, PATH, FOUNDRY_PROFILE: "proofs" };
const { status, error } = spawnSync(join(PROGRAMS, "halmos"), args, { cwd: ROOT, env, stdio: "inherit" });
if (error) throw error;
process.exit(status ?? 1);
