// The rules of `crates/indexer/src/apply`, for the events that the bench emits.
import { ponder } from "ponder:registry";
import { event as events, job, provider, resource } from "ponder:schema";

type About = { job?: string; resource?: string; provider?: number; who?: string; earned?: bigint };

const Status = { Created: 1, Accepted: 2, Running: 3, Ended: 6, Final: 8 };

/** Amounts do not fit into JSON's numbers. */
const plain = (args: object): object =>
  JSON.parse(JSON.stringify(args, (_, value) => (typeof value === "bigint" ? value.toString() : value)));

const note = (context: any, event: any, kind: string, about: About) =>
  context.db.insert(events).values({
    block: event.block.number,
    logIndex: event.log.logIndex,
    at: event.block.timestamp,
    tx: event.transaction.hash,
    kind,
    ...about,
    detail: plain(event.args),
  });

const found = async (context: any, id: string) => {
  const row = await context.db.find(job, { id });
  if (!row) throw new Error(`job ${id} is unknown`);
  return row;
};

ponder.on("Market:ProviderRegistered", async ({ event, context }: any) => {
  const { providerId: id, owner, agent, payout } = event.args;
  const at = { registeredAt: event.block.timestamp, changed: event.block.number };
  await context.db.insert(provider).values({ id, owner, agent, payout, jobsStarted: 0n, jobsSucceeded: 0n, ...at });
  await note(context, event, "ProviderRegistered", { provider: id, who: owner });
});

ponder.on("Market:ResourceRegistered", async ({ event, context }: any) => {
  const { resourceId: id, providerId, listing } = event.args;
  const owner = (await context.db.find(provider, { id: providerId })).owner;
  await context.db.insert(resource).values({
    id,
    provider: providerId,
    key: listing.key,
    model: listing.model,
    gpus: listing.gpuCount,
    vramMib: BigInt(listing.vramMib),
    cpus: listing.vcpus,
    memoryMib: BigInt(listing.memoryMib),
    diskMib: BigInt(listing.storageMib),
    simulated: listing.simulated,
    details: listing.details,
    price: listing.pricePerHour,
    available: true,
    listedAt: event.block.timestamp,
    changed: event.block.number,
  });
  await note(context, event, "ResourceRegistered", { resource: id, provider: providerId, who: owner });
});

ponder.on("Market:PriceChanged", async ({ event, context }: any) => {
  const { resourceId: id, pricePerHour: price } = event.args;
  const row = await context.db.update(resource, { id }).set({ price, changed: event.block.number });
  const owner = (await context.db.find(provider, { id: row.provider })).owner;
  await note(context, event, "PriceChanged", { resource: id, provider: row.provider, who: owner });
});

ponder.on("Market:JobCreated", async ({ event, context }: any) => {
  const { jobId: id, resourceId, renter, feeBps, terms } = event.args;
  const on = await context.db.find(resource, { id: resourceId });
  if (!on) throw new Error(`resource ${resourceId} is unknown`);
  await context.db.insert(job).values({
    id,
    renter,
    controller: terms.controller,
    resource: resourceId,
    provider: on.provider,
    pricePerHour: terms.pricePerHour,
    minCharge: terms.minCharge,
    maxDuration: terms.maxDuration,
    specDigest: terms.specDigest,
    salt: terms.salt,
    feeBps,
    status: Status.Created,
    outcome: 0,
    since: event.block.timestamp,
    createdBlock: event.block.number,
    createdLog: event.log.logIndex,
    createdAt: event.block.timestamp,
    locked: (terms.pricePerHour * BigInt(terms.maxDuration)) / 3600n,
    paidSeconds: 0,
    paid: 0n,
    refunded: 0n,
    changed: event.block.number,
  });
  await note(context, event, "JobCreated", { job: id, resource: resourceId, provider: on.provider, who: renter });
});

ponder.on("Market:JobAccepted", async ({ event, context }: any) => {
  const id = event.args.jobId;
  const row = await found(context, id);
  const now = { since: event.block.timestamp, changed: event.block.number };
  await context.db.update(job, { id }).set({ status: Status.Accepted, acceptedAt: event.block.timestamp, ...now });
  await context.db.update(resource, { id: row.resource }).set({ heldBy: id, changed: event.block.number });
  const agent = (await context.db.find(provider, { id: row.provider })).agent;
  await note(context, event, "JobAccepted", { job: id, resource: row.resource, provider: row.provider, who: agent });
});

ponder.on("Market:JobStarted", async ({ event, context }: any) => {
  const { jobId: id, readyRecord } = event.args;
  const row = await found(context, id);
  const now = { since: event.block.timestamp, changed: event.block.number };
  const start = { status: Status.Running, startedAt: event.block.timestamp, readyRecord };
  await context.db.update(job, { id }).set({ ...start, ...now });
  const by = await context.db.update(provider, { id: row.provider }).set((row: any) => ({
    jobsStarted: row.jobsStarted + 1n,
    changed: event.block.number,
  }));
  await note(context, event, "JobStarted", { job: id, resource: row.resource, provider: row.provider, who: by.agent });
});

ponder.on("Market:JobPaid", async ({ event, context }: any) => {
  const { jobId: id, paidSeconds, amount } = event.args;
  const row = await found(context, id);
  await context.db.update(job, { id }).set({ paidSeconds, paid: row.paid + amount, changed: event.block.number });
  const about = { job: id, resource: row.resource, provider: row.provider };
  await note(context, event, "JobPaid", { ...about, earned: amount });
});

ponder.on("Market:JobEnded", async ({ event, context }: any) => {
  const { jobId: id, by, outcome, secondsRun, refunded, resultDigest } = event.args;
  const row = await found(context, id);
  const now = { since: event.block.timestamp, changed: event.block.number };
  const end = { status: Status.Ended, outcome, endedAt: event.block.timestamp, endedBy: by };
  const figures = { secondsRun, paidSeconds: secondsRun, refunded, resultDigest };
  await context.db.update(job, { id }).set({ ...end, ...figures, ...now });
  await context.db.update(resource, { id: row.resource }).set({ heldBy: null, changed: event.block.number });
  if (outcome === 1) {
    await context.db.update(provider, { id: row.provider }).set((row: any) => ({
      jobsSucceeded: row.jobsSucceeded + 1n,
      changed: event.block.number,
    }));
  }
  await note(context, event, "JobEnded", { job: id, resource: row.resource, provider: row.provider, who: by });
});

ponder.on("Market:JobFinalized", async ({ event, context }: any) => {
  const { jobId: id, paid, fee } = event.args;
  const row = await found(context, id);
  const now = { since: event.block.timestamp, changed: event.block.number };
  await context.db.update(job, { id }).set({ status: Status.Final, paid, fee, ...now });
  await note(context, event, "JobFinalized", { job: id, resource: row.resource, provider: row.provider });
});
