// Measures full transactions on a real anvil, prints them as `bench:` lines and keeps gas-snapshot.json.
// `--check` exits 1 when a figure is over its limit or more than 1% over the snapshot; without it the snapshot is
// written. Block times are set, so that equal code gives equal figures.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { tool } from "./tools.mjs";

const ROOT = dirname(fileURLToPath(import.meta.url));
const SNAPSHOT = join(ROOT, "gas-snapshot.json");
const RISE_MAX = 0.01;
const TRIES = 500;
const TRY_EVERY_MS = 20;
const GENESIS = 1_800_000_000;
const CHAIN_ID = 31337;
/** Seconds that a job may be disputed after its end. */
const WINDOW = 3600;
/** Most gas a transaction may take, its 21,000 included. */
const LIMITS = {
  create_job: 82_000,
  accept_job: 48_000,
  start_job: 48_000,
  accept_and_start: 54_000,
  process_payment: 57_000,
  complete_job: 82_000,
  finalize: 50_000,
};
const TERMS =
  "(address,address,bytes32,uint96,uint96,uint32,uint40,uint16,bytes32,uint32,uint64,bytes32)";
const LISTING = "(bytes32,uint72,bool,string,uint16,uint32,uint16,uint32,uint64,string)";
const MAX_UINT = "0x" + "f".repeat(64);

const port = await freePort();
const anvil = spawn(
  tool("anvil"),
  ["--port", port, "--chain-id", CHAIN_ID, "--timestamp", GENESIS, "--silent"].map(String),
  { stdio: ["ignore", "ignore", "inherit"] },
);
try {
  const figures = await measure();
  for (const [name, gas] of Object.entries(figures)) console.log(`bench: gas.${name}=${gas} gas`);
  if (!judge(figures)) process.exitCode = 1;
} finally {
  anvil.kill();
}

async function measure() {
  await until(() => rpc("eth_chainId"), "answer from anvil");
  const [admin, renter, owner, agent, payout, controller] = await rpc("eth_accounts");
  let now = GENESIS + 1000;

  const send = async (from, to, data, seconds = 10) => {
    now += seconds;
    await rpc("evm_setNextBlockTimestamp", now);
    const hash = await rpc("eth_sendTransaction", { from, to, data, gas: "0x989680" });
    const receipt = await until(() => rpc("eth_getTransactionReceipt", hash), `receipt of ${hash}`);
    if (receipt.status !== "0x1") throw new Error(`reverted: ${(data ?? "").slice(0, 10)}`);
    return receipt;
  };
  const deploy = async (contract, types, ...values) => {
    const { bytecode } = JSON.parse(readFileSync(join(ROOT, "abi", `${contract}.json`), "utf8"));
    const tail = cast("abi-encode", `constructor(${types})`, ...values).slice(2);
    return (await send(admin, undefined, bytecode.object + tail)).contractAddress;
  };
  const call = async (to, signature, ...values) =>
    rpc("eth_call", { to, data: cast("calldata", signature, ...values) }, "latest");

  const authority = await deploy("AccessManager", "address", admin);
  const token = await deploy("GPUToken", "address", authority);
  const court = await deploy("MarketCourt", "address", token);
  const market = await deploy("Market", "address,address,uint16,address", token, authority, 200, court);

  for (const holder of [renter, owner, payout, market]) {
    await send(admin, token, cast("calldata", "mint(address,uint256)", holder, "1000000000"));
  }
  await send(renter, token, cast("calldata", "approve(address,uint256)", market, MAX_UINT));
  await send(owner, market, cast("calldata", "registerProvider(address,address)", agent, payout));
  const key = "0x" + "5a".repeat(32);
  const listing = `(${key},1200000,false,H200,1,144384,16,131072,65536,gas)`;
  await send(owner, market, cast("calldata", `registerResource(${LISTING})`, listing));
  const resourceId = await call(market, "resourceIdOf(address,bytes32)", owner, key);
  // An hour of stake, and as much again, so that a job that is not final yet leaves the next one covered.
  await send(renter, market, cast("calldata", "stake(bytes32,uint72)", resourceId, "2400000"));

  const termsOf = (salt) =>
    `(${renter},${controller},${resourceId},1200000,20000,7200,0,0,0x${"c3".repeat(32)},0,${salt},0x${"00".repeat(32)})`;
  const verb = (name, terms) => cast("calldata", `${name}(${TERMS})`, terms);
  const start = async (terms) => {
    const at = now + 10;
    const jobId = await call(market, `jobIdOf(${TERMS})`, terms);
    const readyRecord = "0x" + "7e".repeat(32);
    const signature = await rpc("eth_signTypedData_v4", controller, ready(market, { jobId, readyRecord, at }));
    return cast("calldata", `startJob(${TERMS},(bytes32,uint40),bytes)`, terms, `(${readyRecord},${at})`, signature);
  };
  const complete = (terms) =>
    cast("calldata", `completeJob(${TERMS},uint8,bytes32)`, terms, "1", "0x" + "9d".repeat(32));
  const finalize = (terms) => cast("calldata", `finalize(${TERMS}[])`, `[${terms}]`);
  const gas = (receipt) => Number(receipt.gasUsed);

  const figures = {
    erc20_transfer: gas(await send(renter, token, cast("calldata", "transfer(address,uint256)", owner, "20000"))),
  };
  const first = termsOf("0x9f3c51d7a2b8e604");
  figures.create_job = gas(await send(renter, market, verb("createJob", first)));
  figures.accept_job = gas(await send(agent, market, verb("acceptJob", first)));
  figures.start_job = gas(await send(agent, market, await start(first)));
  const payment = gas(await send(agent, market, verb("processPayment", first), 600));
  const nextPayment = gas(await send(agent, market, verb("processPayment", first), 60));
  figures.process_payment = Math.max(payment, nextPayment);
  figures.complete_job = gas(await send(agent, market, complete(first), 300));

  const second = termsOf("0x9f3c51d7a2b8e605");
  await send(renter, market, verb("createJob", second));
  figures.accept_and_start = gas(await send(agent, market, await start(second)));
  const unpaid = gas(await send(agent, market, complete(second), 300));
  figures.complete_job = Math.max(figures.complete_job, unpaid);

  // The first books into an empty account; every later one finds fees there.
  await send(agent, market, finalize(first), WINDOW);
  figures.finalize = gas(await send(agent, market, finalize(second), 400));
  return figures;
}

/** Compares with the limits and the snapshot; true when all is well. */
function judge(figures) {
  const over = Object.entries(LIMITS).filter(([name, limit]) => figures[name] > limit);
  for (const [name, limit] of over) console.error(`gas.${name}=${figures[name]} is over its limit of ${limit}`);
  if (!process.argv.includes("--check")) {
    writeFileSync(SNAPSHOT, JSON.stringify(figures, null, 2) + "\n");
    return over.length === 0;
  }
  const before = existsSync(SNAPSHOT) ? JSON.parse(readFileSync(SNAPSHOT, "utf8")) : {};
  const risen = Object.entries(figures).filter(([name, gas]) => !(gas <= before[name] * (1 + RISE_MAX)));
  for (const [name, gas] of risen) console.error(`gas.${name}=${gas}, in the snapshot ${before[name]}`);
  return over.length === 0 && risen.length === 0;
}

function ready(market, message) {
  return {
    domain: { name: "Bourse Market", version: "1", chainId: CHAIN_ID, verifyingContract: market },
    types: {
      EIP712Domain: [
        { name: "name", type: "string" },
        { name: "version", type: "string" },
        { name: "chainId", type: "uint256" },
        { name: "verifyingContract", type: "address" },
      ],
      Ready: [
        { name: "jobId", type: "bytes32" },
        { name: "readyRecord", type: "bytes32" },
        { name: "at", type: "uint40" },
      ],
    },
    primaryType: "Ready",
    message,
  };
}

function cast(...args) {
  return execFileSync(tool("cast"), args, { encoding: "utf8" }).trim();
}

async function rpc(method, ...params) {
  const response = await fetch(`http://127.0.0.1:${port}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  const { result, error } = await response.json();
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}

/** Asks until there is an answer, at most ten seconds. */
async function until(ask, what) {
  for (let i = 0; i < TRIES; i++) {
    const answer = await ask().catch(() => null);
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
  }
  throw new Error(`no ${what} in time`);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
