// The market runs its court's code on its own storage. Holds the two to each other: the same slots, and no verb in both
// but those that they inherit. Reads forge's output; exits 1 on any difference.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(fileURLToPath(import.meta.url));
/** From the bases of both, where either answers the same. A verb of the court by such a name would never be reached. */
const SHARED = ["authority", "eip712Domain", "isConsumingScheduledOp", "setAuthority", "token"];

const market = artifact("Market");
const court = artifact("MarketCourt");
const problems = [];
const [own, lent] = [slots(market), slots(court)];
if (own.length === 0) problems.push("the market's layout is missing: build again");
for (let i = 0; i < Math.max(own.length, lent.length); i++) {
  if (own[i] !== lent[i]) problems.push(`Market has ${own[i] ?? "nothing"}, MarketCourt ${lent[i] ?? "nothing"}`);
}
for (const name of verbs(market)) {
  if (verbs(court).includes(name) && !SHARED.includes(name)) problems.push(`${name} is in both contracts`);
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);

function artifact(contract) {
  return JSON.parse(readFileSync(join(ROOT, "out", `${contract}.sol`, `${contract}.json`), "utf8"));
}

/** Where each variable lies and of which type, structs by their members; the compiler's own numbers are left out. */
function slots({ storageLayout: { storage = [], types } = {} }) {
  const plain = (id) => id.replace(/\)\d+/g, ")");
  const shape = (id) => {
    const { members, value, encoding, numberOfBytes } = types[id];
    const parts = (members ?? []).map(({ label, slot, offset, type }) => `${label}@${slot}+${offset}:${shape(type)}`);
    return `${plain(id)}/${encoding}/${numberOfBytes}{${parts}}${value ? shape(value) : ""}`;
  };
  return storage.map(({ label, slot, offset, type }) => `${label} at ${slot}+${offset} of ${shape(type)}`);
}

function verbs({ abi }) {
  return abi.filter(({ type }) => type === "function").map(({ name }) => name);
}
