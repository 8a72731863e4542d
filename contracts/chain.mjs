// A chain for measuring: anvil on a free port, with block times that are set, so that equal code gives equal gas.
import { execFileSync, spawn } from "node:child_process";
import { createServer } from "node:net";
import { tool } from "./tools.mjs";

const TRIES = 500;
const TRY_EVERY_MS = 20;
const GENESIS = 1_800_000_000;
const GAS_PER_TRANSACTION = "0x1c9c380";

/** Runs `work` against a fresh chain and ends it afterwards. */
export async function withChain(chainId, work) {
  const port = await freePort();
  const anvil = spawn(
    tool("anvil"),
    ["--port", port, "--chain-id", chainId, "--timestamp", GENESIS, "--silent"].map(String),
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  try {
    const chain = new Chain(port);
    await until(() => chain.rpc("eth_chainId"), "answer from anvil");
    return await work(chain);
  } finally {
    anvil.kill();
  }
}

class Chain {
  constructor(port) {
    this.port = port;
    this.now = GENESIS + 1000;
  }

  /** The receipt of a transaction `seconds` after the one before; throws when it reverts. */
  async send(from, to, data, seconds = 10) {
    this.now += seconds;
    await this.rpc("evm_setNextBlockTimestamp", this.now);
    const hash = await this.rpc("eth_sendTransaction", { from, to, data, gas: GAS_PER_TRANSACTION });
    const receipt = await until(() => this.rpc("eth_getTransactionReceipt", hash), `receipt of ${hash}`);
    if (receipt.status !== "0x1") throw new Error(`reverted: ${(data ?? "").slice(0, 10)}`);
    return receipt;
  }

  /** The gas of a whole transaction. */
  async gas(from, to, data, seconds) {
    return Number((await this.send(from, to, data, seconds)).gasUsed);
  }

  /** The address of a contract from creation code and constructor arguments. */
  async deploy(from, code, types = "", ...values) {
    const tail = types === "" ? "" : cast("abi-encode", `constructor(${types})`, ...values).slice(2);
    return (await this.send(from, undefined, code + tail)).contractAddress;
  }

  call(to, data) {
    return this.rpc("eth_call", { to, data }, "latest");
  }

  async rpc(method, ...params) {
    const response = await fetch(`http://127.0.0.1:${this.port}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    const { result, error } = await response.json();
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }
}

/** What `cast` prints. */
export function cast(...args) {
  return execFileSync(tool("cast"), args, { encoding: "utf8" }).trim();
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
