// The market's events on the chain of the bench, from its first block.
import { readFileSync } from "node:fs";
import { createConfig } from "ponder";

const artefact = JSON.parse(readFileSync(process.env.MARKET_ABI!, "utf8"));

const postgres = process.env.DATABASE_URL;

export default createConfig({
  database: postgres
    ? { kind: "postgres", connectionString: postgres }
    : { kind: "pglite", directory: process.env.PGLITE_FOLDER! },
  chains: { bench: { id: 31337, rpc: process.env.MARKET_RPC! } },
  contracts: {
    Market: {
      chain: "bench",
      abi: artefact.abi ?? artefact,
      address: process.env.MARKET_ADDRESS as `0x${string}`,
      startBlock: 1,
    },
  },
});
