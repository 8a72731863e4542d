// Holds every `.tree` to the tests beside it, and the market's verbs to their trees: each branch is one test of that
// name, each test one branch, and each external function of the market has both files. Exits 1 on any difference.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(fileURLToPath(import.meta.url));
const FOLDERS = ["test/market", "test/multicall", "test/register", "test/token", "test/x402"];
/** From OpenZeppelin as it is, with tests of its own there. */
const INHERITED = ["authority", "eip712Domain", "isConsumingScheduledOp", "setAuthority"];

const problems = [];
for (const folder of FOLDERS) {
  const names = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(".t.sol"));
  for (const name of names) compare(folder, name.slice(0, -".t.sol".length));
}
const { abi } = JSON.parse(readFileSync(join(ROOT, "abi", "Market.json"), "utf8"));
for (const { type, name } of abi) {
  if (type !== "function" || INHERITED.includes(name)) continue;
  if (!existsSync(join(ROOT, "test/market", `${name}.t.sol`))) problems.push(`test/market/${name}.t.sol is missing`);
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);

function compare(folder, verb) {
  const tree = join(ROOT, folder, `${verb}.tree`);
  if (!existsSync(tree)) return problems.push(`${folder}/${verb}.tree is missing`);
  const wanted = branches(readFileSync(tree, "utf8"));
  const found = tests(readFileSync(join(ROOT, folder, `${verb}.t.sol`), "utf8"));
  for (const [name, says] of wanted) {
    if (found.get(name) !== says) problems.push(`${folder}/${verb}.tree: no test ${name} that says "${says}"`);
  }
  for (const name of found.keys()) {
    if (!wanted.has(name)) problems.push(`${folder}/${verb}.t.sol: ${name} is not in the tree`);
  }
}

/** Test name → what it says, from a tree's "when …" lines and the "it …" line below each. */
function branches(text) {
  const lines = text.split("\n").map((line) => line.replace(/^[│├└─\s]+/, ""));
  const named = new Map();
  lines.forEach((line, i) => {
    if (!line.startsWith("when ")) return;
    const says = lines[i + 1];
    const condition = line.slice("when ".length).split(" ").map((word) => word[0].toUpperCase() + word.slice(1));
    const kind = says.startsWith("it reverts") ? "RevertWhen" : "When";
    named.set(`${kind}_${condition.join("")}`, says);
  });
  return named;
}

/** The same from the test functions and the comment that opens each. */
function tests(source) {
  const pattern = /function test(?:Fuzz)?_((?:RevertWhen|When)_\w+)\([^)]*\)[^{]*\{\s*\/\/ (it [^\n]*)/g;
  return new Map([...source.matchAll(pattern)].map(([, name, says]) => [name, says]));
}
