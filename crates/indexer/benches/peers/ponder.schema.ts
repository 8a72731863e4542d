// The same tables as the index has, for the events that the bench emits.
import { index, onchainTable, primaryKey } from "ponder";

export const event = onchainTable(
  "event",
  (t) => ({
    block: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    at: t.bigint().notNull(),
    tx: t.hex().notNull(),
    kind: t.text().notNull(),
    job: t.hex(),
    resource: t.hex(),
    provider: t.integer(),
    who: t.hex(),
    earned: t.bigint(),
    detail: t.json().notNull(),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.block, table.logIndex] }),
    ofJob: index().on(table.job),
    ofProvider: index().on(table.provider, table.at),
  }),
);

export const provider = onchainTable("provider", (t) => ({
  id: t.integer().primaryKey(),
  owner: t.hex().notNull(),
  agent: t.hex().notNull(),
  payout: t.hex().notNull(),
  registeredAt: t.bigint().notNull(),
  jobsStarted: t.bigint().notNull(),
  jobsSucceeded: t.bigint().notNull(),
  changed: t.bigint().notNull(),
}));

export const resource = onchainTable(
  "resource",
  (t) => ({
    id: t.hex().primaryKey(),
    provider: t.integer().notNull(),
    key: t.hex().notNull(),
    model: t.text().notNull(),
    gpus: t.integer().notNull(),
    vramMib: t.bigint().notNull(),
    cpus: t.integer().notNull(),
    memoryMib: t.bigint().notNull(),
    diskMib: t.bigint().notNull(),
    simulated: t.boolean().notNull(),
    details: t.text().notNull(),
    price: t.bigint().notNull(),
    available: t.boolean().notNull(),
    heldBy: t.hex(),
    listedAt: t.bigint().notNull(),
    changed: t.bigint().notNull(),
  }),
  (table) => ({ changed: index().on(table.changed) }),
);

export const job = onchainTable(
  "job",
  (t) => ({
    id: t.hex().primaryKey(),
    renter: t.hex().notNull(),
    controller: t.hex().notNull(),
    resource: t.hex().notNull(),
    provider: t.integer().notNull(),
    pricePerHour: t.bigint().notNull(),
    minCharge: t.bigint().notNull(),
    maxDuration: t.integer().notNull(),
    specDigest: t.hex().notNull(),
    salt: t.bigint().notNull(),
    feeBps: t.integer().notNull(),
    status: t.integer().notNull(),
    outcome: t.integer().notNull(),
    since: t.bigint().notNull(),
    createdBlock: t.bigint().notNull(),
    createdLog: t.integer().notNull(),
    createdAt: t.bigint().notNull(),
    acceptedAt: t.bigint(),
    startedAt: t.bigint(),
    endedAt: t.bigint(),
    readyRecord: t.hex(),
    locked: t.bigint().notNull(),
    paidSeconds: t.integer().notNull(),
    paid: t.bigint().notNull(),
    secondsRun: t.integer(),
    refunded: t.bigint().notNull(),
    fee: t.bigint(),
    resultDigest: t.hex(),
    endedBy: t.hex(),
    changed: t.bigint().notNull(),
  }),
  (table) => ({
    ofRenter: index().on(table.renter, table.createdBlock),
    ofProvider: index().on(table.provider, table.createdBlock),
    ofResource: index().on(table.resource, table.createdBlock),
  }),
);
