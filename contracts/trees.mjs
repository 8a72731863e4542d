// Holds every `.tree` to the tests beside it, and the contracts' verbs to their trees: each branch is one test of that
// name, each test one branch, and each external function of a contract has both files. Exits 1 on any difference.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(fileURLToPath(import.meta.url));
/** Folder → the contracts whose every external function has its tests there. */
const FOLDERS = {
  "test/market": ["Market"],
  "test/multicall": [],
  "test/register": ["CommitRegister"],
  "test/token": [],
  "test/x402": ["BatchSettlement"],
  "test/x402/deposits": ["JobDeposits"],
  "test/x402/tills": ["Tills", "ProviderTill"],
  "test/wallet": ["Till"],
  "test/reputation": ["Reputation"],
  "test/versions": ["Versions"],
};
/** Functions that are tried together with another: views with the verb that changes what they show. */
const TOGETHER = {
  BatchSettlement: {
    channels: "deposit",
    receivers: "settle",
    refundNonce: "refund",
    pendingWithdrawals: "initiateWithdraw",
    getVoucherDigest: "digests",
    getRefundDigest: "digests",
    getClaimBatchDigest: "digests",
    getCloseDigest: "digests",
    eip712Domain: "digests",
  },
  JobDeposits: { market: "depositAddress" },
  Tills: { tillOf: "open", feePayee: "setFeePayee", market: "open" },
  ProviderTill: {
    initialize: "open",
    providerId: "open",
    feeBps: "open",
    received: "share",
    claim: "forward",
    refund: "forward",
  },
  Till: { token: "deposit", treasury: "deposit" },
  Reputation: {
    market: "report",
    submitValidationReport: "report",
    partsOf: "report",
    reportDowntime: "penalise",
    reportInvalidData: "penalise",
    reportInvalidSignature: "penalise",
    penaltiesOf: "penalise",
  },
  Versions: { version: "latest", count: "publish", numberOf: "publish" },
};
/** From OpenZeppelin as it is, with tests of its own there. */
const INHERITED = ["authority", "eip712Domain", "isConsumingScheduledOp", "setAuthority"];

const problems = [];
for (const folder of Object.keys(FOLDERS)) {
  const names = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(".t.sol"));
  for (const name of names) compare(folder, name.slice(0, -".t.sol".length));
}
for (const [folder, contracts] of Object.entries(FOLDERS)) {
  for (const contract of contracts) covered(folder, contract);
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);

/** Each function of the contract has its tests; constants are tried where what they are constants of is. */
function covered(folder, contract) {
  const { abi } = JSON.parse(readFileSync(join(ROOT, "abi", `${contract}.json`), "utf8"));
  for (const { type, name } of abi) {
    const together = TOGETHER[contract]?.[name];
    if (type !== "function" || /^[A-Z0-9_]+$/.test(name) || (!together && INHERITED.includes(name))) continue;
    const file = `${folder}/${together ?? name}.t.sol`;
    if (!existsSync(join(ROOT, file))) problems.push(`${file} is missing, for ${contract}.${name}`);
  }
}

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
