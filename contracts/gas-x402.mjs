// Measures payment channels on a real anvil, and beside them Sablier's streams from their npm artefacts on the same
// chain with the same token. Prints `bench:` lines and keeps gas-x402-snapshot.json. `--check` exits 1 when a figure of
// ours is over its limit or more than 1% over the snapshot; without it the snapshot is written.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cast, withChain } from "./chain.mjs";

const ROOT = dirname(fileURLToPath(import.meta.url));
const SNAPSHOT = join(ROOT, "gas-x402-snapshot.json");
const RISE_MAX = 0.01;
const CHAIN_ID = 84532;
/** Most gas that may be used: of whole transactions, and of the call alone for a further row of a batch. */
const LIMITS = {
  channel_deposit: 125_000,
  channel_close: 95_000,
  channel_claim_row_50: 15_000,
  channel_claim_try_row_50: 15_000,
  channel_claim_signed_row_50: 16_500,
};
const PLACES = {
  BatchSettlement: "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003",
  ERC3009DepositCollector: "0x4020806089470a89826cB9fB1f4059150b550004",
  DevUSDC: "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
};
const { BatchSettlement: SETTLEMENT, ERC3009DepositCollector: COLLECTOR, DevUSDC: USDC } = PLACES;
const ZERO = "0x" + "00".repeat(20);
const MAX_UINT = "0x" + "f".repeat(64);
const CONFIG = "(address,address,address,address,address,uint40,bytes32)";
const ROW = `((${CONFIG},uint128),bytes,uint128)`;
const ROWS = 50;
const DEPOSIT = 3_600_000n;
const SPENT = 1_234_567n;

const figures = await withChain(CHAIN_ID, measure);
for (const [name, gas] of Object.entries(figures)) console.log(`bench: gas.${name}=${gas} gas`);
process.exitCode = judge(figures) ? 0 : 1;

async function measure(chain) {
  const [payer, session, receiver, authorizer, relayer] = await chain.rpc("eth_accounts");
  for (const [name, place] of Object.entries(PLACES)) {
    await chain.rpc("anvil_setCode", place, artefact(join(ROOT, "abi", `${name}.json`)).deployedBytecode.object);
  }
  for (const holder of [payer, receiver, SETTLEMENT]) {
    await chain.send(relayer, USDC, cast("calldata", "mint(address,uint256)", holder, "1000000000000"));
  }
  return {
    ...(await channels(chain, { payer, session, receiver, authorizer, relayer })),
    ...(await sablier(chain, { sender: payer, recipient: receiver, admin: relayer })),
  };
}

// ── channels ─────────────────────────────────────────────────────────────────────────────────────────────

async function channels(chain, parties) {
  const { receiver, authorizer, relayer } = parties;
  let opened = 0;
  const open = async () => {
    const channel = await channelOf(chain, parties, ++opened);
    channel.gas = await chain.gas(relayer, SETTLEMENT, await deposit(chain, parties, channel));
    return channel;
  };
  const batch = async (count, calldata) => {
    const rows = [];
    for (let i = 0; i < count; i++) rows.push(await row(chain, parties, await open()));
    const data = await calldata(rows);
    return (await chain.gas(authorizer, SETTLEMENT, data)) - intrinsic(data);
  };
  const marginal = async (calldata) => Math.ceil(((await batch(ROWS, calldata)) - (await batch(1, calldata))) / (ROWS - 1));
  const verb = (name) => (rows) => cast("calldata", `${name}(${ROW}[])`, list(rows));

  // The receiver's first payment ever is behind it, as with a provider that does business.
  await close(chain, parties, await open());
  const channel = await open();
  const figures = { channel_deposit: channel.gas, channel_close: await close(chain, parties, channel) };
  figures.channel_claim_row_50 = await marginal(verb("claim"));
  figures.channel_claim_try_row_50 = await marginal(verb("claimTry"));
  figures.channel_claim_signed_row_50 = await marginal(async (rows) => {
    const digest = await chain.call(SETTLEMENT, cast("calldata", `getClaimBatchDigest(${ROW}[])`, list(rows)));
    const claims = rows.map(({ channel, most, total }) => ({
      channelId: channel.id,
      maxClaimableAmount: most,
      totalClaimed: total,
    }));
    const signature = await signBatch(chain, authorizer, claims, digest);
    return cast("calldata", `claimWithSignature(${ROW}[],bytes)`, list(rows), signature);
  });
  figures.channel_settle = await chain.gas(
    relayer,
    SETTLEMENT,
    cast("calldata", "settle(address,address)", receiver, USDC),
  );
  return figures;
}

async function channelOf(chain, { payer, session, receiver, authorizer }, number) {
  const salt = "0x" + number.toString(16).padStart(64, "0");
  const config = `(${[payer, session, receiver, authorizer, USDC, 86400, salt].join(",")})`;
  return { config, id: await chain.call(SETTLEMENT, cast("calldata", `getChannelId(${CONFIG})`, config)) };
}

async function deposit(chain, { payer }, { config, id }) {
  const salt = "0x5eed";
  const nonce = cast("keccak", cast("abi-encode", "f(bytes32,uint256)", id, salt));
  const validBefore = chain.now + 3600;
  const signature = await signTyped(chain, payer, { name: "USDC", version: "2", verifyingContract: USDC }, {
    ReceiveWithAuthorization: {
      from: ["address", payer],
      to: ["address", COLLECTOR],
      value: ["uint256", DEPOSIT.toString()],
      validAfter: ["uint256", "0"],
      validBefore: ["uint256", String(validBefore)],
      nonce: ["bytes32", nonce],
    },
  });
  const data = cast("abi-encode", "f(uint256,uint256,uint256,bytes)", "0", String(validBefore), salt, signature);
  return cast("calldata", `deposit(${CONFIG},uint128,address,bytes)`, config, String(DEPOSIT), COLLECTOR, data);
}

async function row(chain, { session }, channel) {
  const signature = await signChannel(chain, session, {
    Voucher: { channelId: ["bytes32", channel.id], maxClaimableAmount: ["uint128", String(SPENT)] },
  });
  const text = `((${channel.config},${SPENT}),${signature},${SPENT})`;
  return { channel, most: String(SPENT), total: String(SPENT), text };
}

/** Closed by whoever, with the authorizer's signature; everything that was not spent goes back. */
async function close(chain, parties, channel) {
  const { text } = await row(chain, parties, channel);
  const all = (2n ** 128n - 1n).toString();
  const signature = await signChannel(chain, parties.authorizer, {
    Close: {
      channelId: ["bytes32", channel.id],
      maxClaimableAmount: ["uint128", String(SPENT)],
      totalClaimed: ["uint128", String(SPENT)],
      nonce: ["uint256", "0"],
      refundAmount: ["uint128", all],
    },
  });
  const data = cast("calldata", `closeWithSignature(${ROW},uint128,bytes)`, text, all, signature);
  return chain.gas(parties.relayer, SETTLEMENT, data);
}

// ── Sablier ──────────────────────────────────────────────────────────────────────────────────────────────

/** A stream of the same money over two hours, withdrawn from after ten minutes; each the second of its kind. */
async function sablier(chain, { sender, recipient, admin }) {
  const comptroller = await deployComptroller(chain, admin);
  const flow = await deployNpm(chain, admin, "@sablier/flow", "SablierFlow", {}, comptroller, comptroller);
  const libraries = {};
  for (const name of ["LockupHelpers", "LockupMath"]) {
    libraries[name] = await deployNpm(chain, admin, "@sablier/lockup", `libraries/${name}`, {});
  }
  const lockup = await deployNpm(chain, admin, "@sablier/lockup", "SablierLockup", libraries, comptroller, comptroller);
  for (const spender of [flow, lockup]) {
    await chain.send(sender, USDC, cast("calldata", "approve(address,uint256)", spender, MAX_UINT));
    await chain.send(admin, USDC, cast("calldata", "mint(address,uint256)", spender, "1000000"));
  }

  // 500 smallest units a second, in fixed point of 18 decimals, whatever the token's.
  const create = cast(
    "calldata",
    "createAndDeposit(address,address,uint128,uint40,address,bool,uint128)",
    ...[sender, recipient, "500000000000000", "0", USDC, "true", String(DEPOSIT)],
  );
  const lock = cast(
    "calldata",
    "createWithDurationsLL((address,address,uint128,address,bool,bool,string),(uint128,uint128),uint40,(uint40,uint40))",
    ...[`(${sender},${recipient},${DEPOSIT},${USDC},true,true,"")`, "(0,0)", "1", "(0,7200)"],
  );
  const withdraw = (id) => cast("calldata", "withdraw(uint256,address,uint128)", id, recipient, "200000");
  const figures = {};
  for (const id of ["1", "2"]) {
    figures.sablier_flow_create_and_deposit = await chain.gas(sender, flow, create);
    figures.sablier_flow_withdraw = await chain.gas(recipient, flow, withdraw(id), 600);
    figures.sablier_lockup_create = await chain.gas(sender, lockup, lock);
    figures.sablier_lockup_withdraw = await chain.gas(recipient, lockup, withdraw(id), 600);
  }
  return figures;
}

/** Without fees and without an oracle to reckon them: the cheapest that Sablier can be. */
async function deployComptroller(chain, admin) {
  const code = await deployNpm(chain, admin, "@sablier/evm-utils", "SablierComptroller", {}, admin);
  const begin = cast(
    "calldata",
    "initialize(address,uint256,uint256,uint256,uint256,address)",
    ...[admin, "0", "0", "0", "0", ZERO],
  );
  const proxy = npmArtefact("@sablier/evm-utils", "ERC1967Proxy").bytecode.object;
  return chain.deploy(admin, proxy, "address,bytes", code, begin);
}

async function deployNpm(chain, from, folder, name, libraries, ...addresses) {
  const { object, linkReferences } = npmArtefact(folder, name).bytecode;
  let code = object;
  for (const [library, places] of Object.values(linkReferences).flatMap(Object.entries)) {
    for (const { start, length } of places) {
      const at = 2 + 2 * start;
      code = code.slice(0, at) + libraries[library].slice(2) + code.slice(at + 2 * length);
    }
  }
  return chain.deploy(from, code, addresses.map(() => "address").join(","), ...addresses);
}

function npmArtefact(folder, name) {
  return artefact(createRequire(import.meta.url).resolve(`${folder}/artifacts/${name}.json`));
}

function artefact(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

// ── what all share ───────────────────────────────────────────────────────────────────────────────────────

function list(rows) {
  return `[${rows.map(({ text }) => text).join(",")}]`;
}

/** What a transaction costs before its call begins. */
function intrinsic(data) {
  return Buffer.from(data.slice(2), "hex").reduce((sum, byte) => sum + (byte === 0 ? 4 : 16), 21_000);
}

function signChannel(chain, signer, struct) {
  const domain = { name: "x402 Batch Settlement", version: "1", verifyingContract: SETTLEMENT };
  return signTyped(chain, signer, domain, struct);
}

/** An EIP-712 signature over one flat struct: `{Name: {field: [type, value]}}`. */
function signTyped(chain, signer, domain, struct) {
  const [[primaryType, fields]] = Object.entries(struct);
  const types = Object.entries(fields).map(([name, [type]]) => ({ name, type }));
  const message = Object.fromEntries(Object.entries(fields).map(([name, [, value]]) => [name, value]));
  return signWith(chain, signer, domain, { [primaryType]: types }, primaryType, message);
}

/** The authorizer's word for a batch, checked against the digest that the contract reckons. */
async function signBatch(chain, signer, claims, digest) {
  const domain = { name: "x402 Batch Settlement", version: "1", verifyingContract: SETTLEMENT };
  const types = {
    ClaimBatch: [{ name: "claims", type: "ClaimEntry[]" }],
    ClaimEntry: [
      { name: "channelId", type: "bytes32" },
      { name: "maxClaimableAmount", type: "uint128" },
      { name: "totalClaimed", type: "uint128" },
    ],
  };
  if (!/^0x[0-9a-f]{64}$/.test(digest)) throw new Error(`no digest: ${digest}`);
  return signWith(chain, signer, domain, types, "ClaimBatch", { claims });
}

function signWith(chain, signer, domain, types, primaryType, message) {
  const EIP712Domain = [
    { name: "name", type: "string" },
    { name: "version", type: "string" },
    { name: "chainId", type: "uint256" },
    { name: "verifyingContract", type: "address" },
  ];
  return chain.rpc("eth_signTypedData_v4", signer, {
    domain: { ...domain, chainId: CHAIN_ID },
    types: { EIP712Domain, ...types },
    primaryType,
    message,
  });
}

/** Compares ours with the limits and the snapshot; true when all is well. */
function judge(figures) {
  const over = Object.entries(LIMITS).filter(([name, limit]) => !(figures[name] <= limit));
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
