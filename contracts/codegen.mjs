// Writes abi/*.json from forge's output, so that Rust builds without Node. `--check` compares instead and exits 1 on
// any difference.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(fileURLToPath(import.meta.url));
/** Contract name → source file that forge compiled it from. */
const CONTRACTS = {
  Market: "Market.sol",
  MarketCourt: "MarketCourt.sol",
  GPUToken: "GPUToken.sol",
  CommitRegister: "CommitRegister.sol",
  AccessManager: "AccessManager.sol",
  AccrualHarness: "AccrualHarness.sol",
  BatchSettlement: "BatchSettlement.sol",
  ERC3009DepositCollector: "ERC3009DepositCollector.sol",
  Permit2DepositCollector: "Permit2DepositCollector.sol",
  DevUSDC: "DevUSDC.sol",
  DevMulticall: "DevMulticall.sol",
  JobDeposits: "JobDeposits.sol",
  Tills: "Tills.sol",
  ProviderTill: "ProviderTill.sol",
  Till: "Till.sol",
  Reputation: "Reputation.sol",
  Versions: "Versions.sol",
};
/** Placed on development chains at addresses that clients know, without a constructor; so their running code is kept. */
const PLACED = ["BatchSettlement", "ERC3009DepositCollector", "Permit2DepositCollector", "DevUSDC", "DevMulticall"];
/** Contract → the one whose code it runs on its own state: their ABI is one, so that bindings see one contract. */
const DELEGATES = { Market: "MarketCourt" };
const KINDS = ["constructor", "fallback", "function", "event", "error"];

/** The bytes that must stand in the committed file. */
function render(contract, source) {
  const { abi, bytecode, deployedBytecode } = artifact(contract, source);
  if (!/^0x[0-9a-f]+$/.test(bytecode.object)) throw new Error(`${contract} has no linked bytecode`);
  const delegate = DELEGATES[contract];
  const whole = delegate ? merged(abi, artifact(delegate, CONTRACTS[delegate]).abi) : abi;
  const file = { abi: whole, bytecode: { object: bytecode.object } };
  if (PLACED.includes(contract)) {
    const unset = Object.keys(deployedBytecode.immutableReferences ?? {});
    if (unset.length !== 0) throw new Error(`${contract} has immutables that only a constructor could set`);
    file.deployedBytecode = { object: deployedBytecode.object };
  }
  return JSON.stringify(file, null, 2) + "\n";
}

function artifact(contract, source) {
  const path = join(ROOT, "out", source, `${contract}.json`);
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`npm run build\` first`);
  return JSON.parse(readFileSync(path, "utf8"));
}

/** Both ABIs without doubles, by kind and then by name. */
function merged(abi, other) {
  const known = new Set(abi.map((entry) => JSON.stringify(entry)));
  const added = other.filter((entry) => entry.type !== "constructor" && !known.has(JSON.stringify(entry)));
  const rank = ({ type, name }) => `${KINDS.indexOf(type)}${name ?? ""}`;
  return [...abi, ...added].sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
}

const check = process.argv.includes("--check");
let drifted = false;
mkdirSync(join(ROOT, "abi"), { recursive: true });
for (const [contract, source] of Object.entries(CONTRACTS)) {
  const path = join(ROOT, "abi", `${contract}.json`);
  const wanted = render(contract, source);
  const found = existsSync(path) ? readFileSync(path, "utf8") : "";
  if (found === wanted) continue;
  if (check) {
    console.error(`abi/${contract}.json differs from the sources: run \`npm run codegen\` and commit it`);
    drifted = true;
  } else {
    writeFileSync(path, wanted);
    console.log(`wrote abi/${contract}.json`);
  }
}
process.exit(drifted ? 1 : 0);
