// Writes abi/*.json from forge's output, so that Rust builds without Node. `--check` compares instead and exits 1 on
// any difference.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(fileURLToPath(import.meta.url));
/** Contract name → source file that forge compiled it from. */
const CONTRACTS = {
  Market: "Market.sol",
  GPUToken: "GPUToken.sol",
  CommitRegister: "CommitRegister.sol",
  AccessManager: "AccessManager.sol",
  AccrualHarness: "AccrualHarness.sol",
  BatchSettlement: "BatchSettlement.sol",
  ERC3009DepositCollector: "ERC3009DepositCollector.sol",
  Permit2DepositCollector: "Permit2DepositCollector.sol",
  DevUSDC: "DevUSDC.sol",
};
/** Placed on development chains at addresses that clients know, without a constructor; so their running code is kept. */
const PLACED = ["BatchSettlement", "ERC3009DepositCollector", "Permit2DepositCollector", "DevUSDC"];

/** The bytes that must stand in the committed file. */
function render(contract, source) {
  const path = join(ROOT, "out", source, `${contract}.json`);
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`npm run build\` first`);
  const { abi, bytecode, deployedBytecode } = JSON.parse(readFileSync(path, "utf8"));
  if (!/^0x[0-9a-f]+$/.test(bytecode.object)) throw new Error(`${contract} has no linked bytecode`);
  const file = { abi, bytecode: { object: bytecode.object } };
  if (PLACED.includes(contract)) {
    const unset = Object.keys(deployedBytecode.immutableReferences ?? {});
    if (unset.length !== 0) throw new Error(`${contract} has immutables that only a constructor could set`);
    file.deployedBytecode = { object: deployedBytecode.object };
  }
  return JSON.stringify(file, null, 2) + "\n";
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
