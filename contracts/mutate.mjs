// Breaks the contracts on purpose, one line at a time, in a copy, and expects the tests to notice. Exits 1 when a
// break goes unseen.
//
//   node mutate.mjs ["pattern of names"]   every break below against unit tests; slow, so it is run by hand
//   node mutate.mjs checks [fast | number …]   every mutant of test/mutants against the one check that must see it
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { MUTANTS } from "./test/mutants/mutants.mjs";
import { tool } from "./tools.mjs";

const ROOT = dirname(fileURLToPath(import.meta.url));
const INVARIANTS = "test/invariant/*";
const EVERYTHING = "test/**";
const PAYMENTS = "test/{x402,wallet,reputation,versions}/**";

/** What is broken, where, and which tests must see it. */
const BREAKS = [
  ["fee rounded up", "src/libraries/Accrual.sol", "* feeBps / BPS", "* feeBps / BPS + 1", INVARIANTS],
  ["lock not a cap", "src/libraries/Accrual.sol", ".max(minCharge).min(locked)", ".max(minCharge)", INVARIANTS],
  ["minimum forgotten", "src/libraries/Accrual.sol", ".max(minCharge).min(locked)", ".min(locked)", INVARIANTS],
  ["minimum owed by the silent", "src/libraries/Settlement.sol", "_waived(job) ? NO_AMOUNT : ", "", INVARIANTS],
  ["payout before the minimum", "src/libraries/Settlement.sol", "if (cost < minimum)", "if (cost < NO_AMOUNT)", INVARIANTS],
  ["earlier payouts forgotten", "src/libraries/Settlement.sol", "if (job.paidSeconds() == 0)", "if (job.paidSeconds() != 0)", INVARIANTS],
  ["resource never freed", "src/market/Registry.sol", "flags &= ~BUSY", "flags |= BUSY", INVARIANTS],
  ["resource accepted twice", "src/market/Registry.sol", "require(resource.flags & BUSY == 0, ResourceBusy(resourceId));\n        Amount", "Amount", INVARIANTS],
  ["failed transfer not credited", "src/market/Escrow.sol", "_credits[account] += Amount.unwrap(amount);", "", INVARIANTS],
  ["credit withdrawn for ever", "src/market/Escrow.sol", "_credits[msg.sender] = 0;", "", INVARIANTS],
  ["silence takes paid seconds back", "src/libraries/Clock.sol", "_later(_later(lastSeen, job.since()), paidUntil)", "_later(lastSeen, job.since())", INVARIANTS],
  ["silence reaches before a resume", "src/libraries/Clock.sol", "_later(_later(lastSeen, job.since()), paidUntil)", "_later(lastSeen, paidUntil)", INVARIANTS],
  ["pauses billed", "src/Market.sol", "job.pausedSeconds() + uint32(block.timestamp - job.endedAt())", "job.pausedSeconds()", INVARIANTS],
  ["pause blocks completing", "src/Market.sol", "function completeJob(Terms calldata terms, Outcome outcome, bytes32 resultDigest) external {", "function completeJob(Terms calldata terms, Outcome outcome, bytes32 resultDigest) external whenNotPaused {", INVARIANTS],
  ["late close pays in full", "src/Market.sol", "Seconds ran = Seconds.wrap(job.paidSeconds());", "Seconds ran = terms.bought(job.extraSeconds());", EVERYTHING],
  ["anyone reports silence", "src/market/court/Incidents.sol", "require(watches, NotAllowed(msg.sender));", "", EVERYTHING],
  ["watchers report any job", "src/market/court/Incidents.sol", "(msg.sender == terms.controller && _isWatcher[msg.sender])", "_isWatcher[msg.sender]", EVERYTHING],
  ["any controller reports", "src/market/court/Incidents.sol", "(msg.sender == terms.controller && _isWatcher[msg.sender])", "msg.sender == terms.controller", EVERYTHING],
  ["silence after the end", "src/market/court/Incidents.sol", "require(standsAt <= last, TooLate(last));", "", INVARIANTS],
  ["reservation closed after ten minutes", "src/libraries/Clock.sol", "if (job.status() < Status.Running)", "if (job.status() == Status.Created) return acceptDeadline(job);\n        if (job.status() < Status.Running)", INVARIANTS],
  ["past reservation starts late", "src/libraries/Clock.sol", "terms.notBefore > job.since()", "terms.notBefore != 0", INVARIANTS],
  ["past reservation on a busy resource", "src/market/Jobs.sol", "later: terms.notBefore > block.timestamp", "later: terms.notBefore != 0", INVARIANTS],
  ["a day for each pause", "src/libraries/Clock.sol", "? pauseLeft(job) :", "? PAUSE_WITHIN :", INVARIANTS],
  ["pause with nothing left", "src/Market.sol", "require(Clock.pauseLeft(job) != 0, NoPauseLeft(jobId));", "", EVERYTHING],
  ["slot fields overlap", "src/libraries/JobSlot.sol", "EXTRA_SECONDS = 216", "EXTRA_SECONDS = 208", INVARIANTS],
  ["payment forgets the slot", "src/libraries/JobSlot.sol", "PackedJob.unwrap(job) & ~(mask << offset) | value << offset", "value << offset", INVARIANTS],
  ["pay credited to the payout address", "src/market/Jobs.sol", "_credit(provider.owner, amount)", "_credit(provider.payout, amount)", INVARIANTS],
  ["pay to the market", "src/market/Escrow.sol", "require(payee != address(this) &&", "require(", EVERYTHING],
  ["pay to the token", "src/market/Escrow.sol", "&& payee != address(TOKEN)", "", EVERYTHING],
  ["machine bound for nothing", "src/libraries/TermsLib.sol", "if (locked(terms, 0) == NO_AMOUNT) return \"pricePerHour\";", "", EVERYTHING],
  ["extension without a cap", "src/market/court/Incidents.sol", " && extraSeconds <= most,", ",", EVERYTHING],
  ["token without code", "src/market/Escrow.sol", "address(token_).code.length != 0", "true", EVERYTHING],
  ["authority without code", "src/Market.sol", "authority.code.length != 0", "true", EVERYTHING],
  ["extension without signature", "src/market/court/Incidents.sol", "_requireExtendSigned(", "if (expiry == 0) _requireExtendSigned(", EVERYTHING],
  ["extension signature used twice", "src/market/court/Incidents.sol", "require(extraSeconds > job.extraSeconds() && ", "require(", EVERYTHING],
  ["stale Ready", "src/Market.sol", "require(fresh, ReadyExpired(ready.at));", "", EVERYTHING],
  ["balance not measured", "src/market/Escrow.sol", "received == Amount.unwrap(amount)", "received <= Amount.unwrap(amount)", EVERYTHING],
  ["guard removed", "src/Market.sol", "function createJob(Terms calldata terms) external whenNotPaused nonReentrant", "function createJob(Terms calldata terms) external whenNotPaused", EVERYTHING],
  ["money moves before state", "src/Market.sol", "_jobs[jobId] = job.withPaidSeconds(paidSeconds);\n        emit JobPaid(jobId, paidSeconds, Amount.unwrap(amount));\n        _sendToProvider(provider, amount);", "_sendToProvider(provider, amount);\n        _jobs[jobId] = job.withPaidSeconds(paidSeconds);\n        emit JobPaid(jobId, paidSeconds, Amount.unwrap(amount));", EVERYTHING],
  ["another token's nonce", "src/Market.sol", "nonce: jobId,", "nonce: bytes32(0),", EVERYTHING],
  ["receive submitted by anyone", "src/AuthorizedTransfer.sol", "require(to == _msgSender(), ERC20InvalidReceiver(to));", "", EVERYTHING],
  ["cover not taken", "src/market/Registry.sol", "resource.stake -= uint72(Amount.unwrap(taken));", "", INVARIANTS],
  ["tie rounded down", "src/libraries/Accrual.sol", " + 1 hours - 1) / 1 hours", ") / 1 hours", INVARIANTS],
  ["pot beyond the cover", "src/libraries/Settlement.sol", "Clock.undisputed(job, ran, time).max(bare)", "Clock.undisputed(job, ran, time)", EVERYTHING],
  ["minimum paid to who left", "src/libraries/Settlement.sol", "|| _waived(job)", "", EVERYTHING],
  ["minimum without cover", "src/libraries/Settlement.sol", "if (Accrual.cost(terms.price(), Seconds.wrap(job.coverSeconds())) < minimum) return (until, NO_AMOUNT);", "", INVARIANTS],
  ["register says nothing", "src/CommitRegister.sol", "emit Commit(msg.sender, assetCid, commitData);", "", EVERYTHING],
  ["register mixes up who and what", "src/CommitRegister.sol", "emit Commit(msg.sender, assetCid, commitData);", "emit Commit(tx.origin, commitData, assetCid);", EVERYTHING],
  ["channel: deposit not measured", "src/x402/BatchSettlement.sol", "require(token.balanceOf(address(this)) == before + amount, DepositCollectionFailed());", "", PAYMENTS],
  ["channel: deposit without guard", "src/x402/BatchSettlement.sol", "        nonReentrant\n    {\n        _requireSound(config);", "    {\n        _requireSound(config);", PAYMENTS],
  ["channel: unsound terms", "src/x402/BatchSettlement.sol", "        _requireSound(config);", "", PAYMENTS],
  ["channel: overflow", "src/x402/BatchSettlement.sol", "require(balance <= type(uint112).max, DepositOverflow());", "", PAYMENTS],
  ["channel: withdrawal without delay", "src/x402/BatchSettlement.sol", "require(block.timestamp >= due, WithdrawDelayNotElapsed());", "due;", PAYMENTS],
  ["channel: withdrawal begun twice", "src/x402/BatchSettlement.sol", "require(!channel.withdrawing, WithdrawalAlreadyPending());", "", PAYMENTS],
  ["channel: withdrawal of claimed money", "src/x402/BatchSettlement.sol", "require(amount <= _unclaimed(channel), WithdrawAmountExceedsAvailable());", "", PAYMENTS],
  ["channel: anyone withdraws", "src/x402/BatchSettlement.sol", "require(_isPayerSide(config), InvalidChannel());", "", PAYMENTS],
  ["channel: anyone finalizes", "src/x402/BatchSettlement.sol", "require(_isPayerSide(config), NotAuthorizedToFinalizeWithdraw());", "", PAYMENTS],
  ["channel: withdrawal to who asks", "src/x402/BatchSettlement.sol", "if (amount != 0) IERC20(config.token).safeTransfer(config.payer, amount);", "if (amount != 0) IERC20(config.token).safeTransfer(msg.sender, amount);", PAYMENTS],
  ["channel: anyone claims", "src/x402/BatchSettlement.sol", "require(_isReceiverSide(config), NotAuthorizedToClaim());\n            _claim", "_claim", PAYMENTS],
  ["channel: anyone tries", "src/x402/BatchSettlement.sol", "bytes4 reason = _isReceiverSide(row.voucher.channel)", "bytes4 reason = true", PAYMENTS],
  ["channel: anyone refunds", "src/x402/BatchSettlement.sol", "require(_isReceiverSide(config), NotAuthorizedToRefund());", "", PAYMENTS],
  ["channel: anyone closes", "src/x402/BatchSettlement.sol", "require(_isReceiverSide(config), NotAuthorizedToClaim());\n        } else {", "} else {", PAYMENTS],
  ["channel: close by any signature", "src/x402/BatchSettlement.sol", "            _requireSignedFor(config, digest, receiverSignature);\n", "            digest;\n", PAYMENTS],
  ["channel: more than promised", "src/x402/BatchSettlement.sol", "if (row.totalClaimed > row.voucher.maxClaimableAmount) return ClaimExceedsCeiling.selector;", "", PAYMENTS],
  ["channel: more than there is", "src/x402/BatchSettlement.sol", "if (row.totalClaimed > channel.balance) return ClaimExceedsBalance.selector;", "", PAYMENTS],
  ["channel: totals start over", "src/x402/BatchSettlement.sol", "uint128 more = row.totalClaimed - channel.totalClaimed;", "uint128 more = row.totalClaimed;", PAYMENTS],
  ["channel: refund nonce not used up", "src/x402/BatchSettlement.sol", "++channel.refunds;", "", PAYMENTS],
  ["channel: any refund nonce", "src/x402/BatchSettlement.sol", "require(nonce == _channels[channelId].refunds, InvalidRefundNonce());", "", PAYMENTS],
  ["channel: another's rows in a signed batch", "src/x402/BatchSettlement.sol", "require(row.voucher.channel.receiverAuthorizer == authorizer, NotReceiverAuthorizer());", "", PAYMENTS],
  ["channel: unsigned batch", "src/x402/BatchSettlement.sol", "require(ChannelSignatures.isSigned(authorizer, digest, authorizerSignature, gasleft()), InvalidSignature());", "digest;", PAYMENTS],
  ["channel: a wallet burns all gas", "src/x402/BatchSettlement.sol", "_objection(channel, domain, channelId, row, WALLET_GAS_MAX)", "_objection(channel, domain, channelId, row, gasleft())", PAYMENTS],
  ["channel: refund of claimed money", "src/x402/BatchSettlement.sol", "refunded = _min(amount, _unclaimed(channel));", "refunded = _min(amount, channel.balance);", PAYMENTS],
  ["channel: old wish to withdraw stands", "src/x402/BatchSettlement.sol", " && _unclaimed(channel) != 0;", ";", PAYMENTS],
  ["channel: refund leaves the wish whole", "src/x402/BatchSettlement.sol", "if (channel.withdrawing) pendingWithdrawals[channelId].amount = asked - refunded;", "if (channel.withdrawing) asked;", PAYMENTS],
  ["channel: settled again", "src/x402/BatchSettlement.sol", "receivers[receiver][token].totalSettled = account.totalClaimed;", "", PAYMENTS],
  ["channel: settle without guard", "src/x402/BatchSettlement.sol", "function settle(address receiver, address token) external nonReentrant {", "function settle(address receiver, address token) external {", PAYMENTS],
  ["channel: refund without guard", "src/x402/BatchSettlement.sol", "function refund(ChannelConfig calldata config, uint128 amount) external nonReentrant {", "function refund(ChannelConfig calldata config, uint128 amount) external {", PAYMENTS],
  ["channel: wallet as session key", "src/x402/BatchSettlement.sol", "ChannelSignatures.isSignedByKey(config.payerAuthorizer, digest, row.signature)", "ChannelSignatures.isSigned(config.payerAuthorizer, digest, row.signature, walletGas)", PAYMENTS],
  ["channel: code before keys", "src/x402/ChannelSignatures.sol", "if (isSignedByKey(signer, digest, signature)) return true;\n        if (signer.code.length == 0) return false;", "if (signer.code.length == 0) return isSignedByKey(signer, digest, signature);", PAYMENTS],
  ["channel: any answer of a wallet", "src/x402/ChannelSignatures.sol", " && bytes32(answer) == bytes32(IERC1271.isValidSignature.selector);", ";", PAYMENTS],
  ["channel: vouchers of any chain", "src/x402/ChannelDigests.sol", "keccak256(bytes(VERSION)), block.chainid, address(this)", "keccak256(bytes(VERSION)), uint256(84532), address(this)", PAYMENTS],
  ["collector: anyone collects", "src/x402/ERC3009DepositCollector.sol", "require(msg.sender == BATCH_SETTLEMENT, OnlyBatchSettlement(msg.sender));", "", PAYMENTS],
  ["collector: nonce names no channel", "src/x402/ERC3009DepositCollector.sol", "keccak256(abi.encode(channelId, salt))", "keccak256(abi.encode(salt))", PAYMENTS],
  ["collector: anyone collects by permit", "src/x402/Permit2DepositCollector.sol", "require(msg.sender == BATCH_SETTLEMENT, OnlyBatchSettlement(msg.sender));", "", PAYMENTS],
  ["collector: permit of any amount", "src/x402/Permit2DepositCollector.sol", "require(value == amount, Permit2612AmountMismatch());", "", PAYMENTS],
  ["usdc: money on any chain", "src/x402/DevUSDC.sol", "require(block.chainid == DEVELOPMENT || block.chainid == BASE_SEPOLIA, NoDevelopmentChain(block.chainid));", "", PAYMENTS],
  ["usdc: receive submitted by anyone", "src/AuthorizedTransfer.sol", "require(to == _msgSender(), ERC20InvalidReceiver(to));", "", PAYMENTS],
  ["deposit: return what buys a job", "src/x402/JobDeposits.sol", "require(balance < _locked(terms) || !MARKET.canCreate(terms), DepositSweepable(jobId));", "", PAYMENTS],
  ["deposit: stuck on a busy listing", "src/x402/JobDeposits.sol", "balance < _locked(terms) || !MARKET.canCreate(terms)", "balance < _locked(terms)", PAYMENTS],
  ["deposit: short one kept", "src/x402/JobDeposits.sol", "balance < _locked(terms) || !MARKET.canCreate(terms)", "!MARKET.canCreate(terms)", PAYMENTS],
  ["deposit: excess kept", "src/x402/JobDeposits.sol", "if (excess != 0) account.send({token: TOKEN, to: terms.renter, amount: excess});", "", PAYMENTS],
  ["deposit: market's token as another", "src/x402/JobDeposits.sol", "require(token != address(TOKEN), DepositSweepable(jobId));", "", PAYMENTS],
  ["deposit: donation buys a job", "src/x402/JobDeposits.sol", "require(balance >= needed, DepositShort({needed: needed, found: balance}));", "if (balance < needed) { MARKET.createJob(terms); return jobId; }", PAYMENTS],
  ["deposit: no renter", "src/x402/JobDeposits.sol", "require(terms.renter != address(0), NoRenter());", "", PAYMENTS],
  ["deposit: returned in a sweep", "src/x402/JobDeposits.sol", "function returnDeposit(Terms calldata terms) external nonReentrant {", "function returnDeposit(Terms calldata terms) external {", PAYMENTS],
  ["deposit: account obeys anyone", "src/x402/DepositAccount.sol", "require(msg.sender == FACTORY, OnlyFactory(msg.sender));", "", PAYMENTS],
  ["till: initialized by anyone", "src/x402/ProviderTill.sol", "require(msg.sender == address(FACTORY), OnlyFactory(msg.sender));", "", PAYMENTS],
  ["till: anyone claims", "src/x402/ProviderTill.sol", "_requireOwner();\n        IBatchSettlement(BATCH_SETTLEMENT).claim", "IBatchSettlement(BATCH_SETTLEMENT).claim", PAYMENTS],
  ["till: anyone refunds", "src/x402/ProviderTill.sol", "_requireOwner();\n        IBatchSettlement(BATCH_SETTLEMENT).refund", "IBatchSettlement(BATCH_SETTLEMENT).refund", PAYMENTS],
  ["till: pays itself", "src/x402/ProviderTill.sol", "require(to != address(this), BadPayee(to));", "to;", PAYMENTS],
  ["till: paid in a payment", "src/x402/ProviderTill.sol", "function payProvider(address token) external nonReentrant {", "function payProvider(address token) external {", PAYMENTS],
  ["till: fee by the piece", "src/x402/ProviderTill.sol", "uint256 fee = total * feeBps / BPS;", "uint256 fee = (total - paid.provider - paid.fee) * feeBps / BPS + paid.fee;", PAYMENTS],
  ["till: promises more than there is", "src/x402/ProviderTill.sol", "Math.min(held, Math.saturatingSub(total - fee, paid.provider))", "Math.saturatingSub(total - fee, paid.provider)", PAYMENTS],
  ["till: opened for nobody", "src/x402/Tills.sol", "require(owner != address(0), UnknownProvider(providerId));", "", PAYMENTS],
  ["wallet: deposit not measured", "src/wallet/Till.sol", "require(received == amount,", "require(received != 0,", PAYMENTS],
  ["wallet: treasury nobody", "src/wallet/Till.sol", "require(treasury_ != address(0), ZeroAddress());", "", PAYMENTS],
  ["reputation: one outage twice", "src/Reputation.sol", "require(!_used[evidence], EvidenceUsed(evidenceCid));", "", PAYMENTS],
  ["reputation: totals fall", "src/Reputation.sol", "        _requireGrown(record.totals, totals);\n", "", PAYMENTS],
  ["reputation: parts above wholes", "src/Reputation.sol", "        _requireWhole(totals);\n", "", PAYMENTS],
  ["reputation: report at any time", "src/Reputation.sol", "require(block.timestamp >= from, TooSoon(from));", "", PAYMENTS],
  ["reputation: reward without end", "src/Reputation.sol", "Math.min(left, budget - restored)", "left", PAYMENTS],
  ["reputation: reward for nothing", "src/Reputation.sol", "require(restored != 0, NothingToRestore(providerId));", "", PAYMENTS],
  ["reputation: reward begins the fade anew", "src/Reputation.sol", "Math.ceilDiv(left * FADE, FADE - (block.timestamp - at))", "left + at * 0", PAYMENTS],
  ["reputation: list without end", "src/Reputation.sol", "entries.length >= PENALTIES_MAX ? 1 : 0", "0", PAYMENTS],
  ["reputation: nobody there", "src/Reputation.sol", "require(owner != address(0), UnknownProvider(providerId));", "", PAYMENTS],
  ["reputation: completion forgets the silent", "src/libraries/Score.sol", "uint256 failed = uint256(totals.silent) + totals.aborted + totals.lost;", "uint256 failed = uint256(totals.aborted) + totals.lost;", PAYMENTS],
  ["versions: rewritten", "src/Versions.sol", "require(numberOf[market] == 0, AlreadyPublished(market, numberOf[market]));", "", PAYMENTS],
  ["versions: nothing there", "src/Versions.sol", "require(market.code.length != 0, NoCode(market));", "", PAYMENTS],
  ["versions: published by anyone", "src/Versions.sol", "external restricted returns (uint256 number)", "external returns (uint256 number)", PAYMENTS],
];

/** Such builds are larger than a chain takes. */
const SIZE_MAX = "131072";
/** One seed, so that a mutant that is seen once is seen always. */
const SEED = "0x2a";
/** What the campaigns are made of. */
const CAMPAIGNS = [
  "foundry.toml",
  "solc.cjs",
  "src/interfaces",
  "src/types",
  "src/wallet/ITill.sol",
  ...["Canonical", "IBatchSettlement", "IDepositCollector", "IJobDeposits", "ISignatureTransfer", "ITills"].map((name) => `src/x402/${name}.sol`),
  "test/doubles",
  "test/invariant",
  "test/IGPUToken.sol",
  "test/x402/ChannelTest.sol",
  "test/x402/IDevUSDC.sol",
];
/** Which source each campaign's contracts are built from, by the sources that go into them. */
const DEPLOYED = [
  [/^src\/wallet\//, ["src/wallet/Till.sol"]],
  [/^src\/x402\/(ProviderTill|Tills)/, ["src/x402/Tills.sol"]],
  [/^src\/x402\/(JobDeposits|DepositAccount)/, ["src/x402/JobDeposits.sol"]],
  [/^src\/x402\/(BatchSettlement|Channel)/, ["src/x402/BatchSettlement.sol"]],
  [/^src\//, ["src/Market.sol", "src/MarketCourt.sol"]],
];

const copy = mkdtempSync(join(tmpdir(), "mutants-"));
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));
process.on("exit", () => rmSync(copy, { recursive: true, force: true }));
const [mode = "", ...rest] = process.argv.slice(2);
process.exitCode = (mode === "checks" ? checks(rest) : breaks(mode)) === 0 ? 0 : 1;

/** How many breaks no test sees. */
function breaks(only) {
  let unseen = 0;
  fill(copy, ["src", "test", "foundry.toml", "solc.cjs", "out", "cache"]);
  if (run(EVERYTHING).status !== 0) throw new Error("the tests fail before anything is broken");
  for (const [what, file, from, to, tests] of BREAKS.filter(([what]) => new RegExp(only).test(what))) {
    const { status, stdout } = broken(copy, file, from, to, () => run(tests));
    const failing = stdout.slice(stdout.indexOf("Failing tests:"));
    const seers = [...new Set([...failing.matchAll(/\b((?:test|invariant)\w*)\([^)]*\) \(/g)].map(([, test]) => test))];
    console.log(`${status === 0 ? "UNSEEN" : "seen  "} ${what}: ${seers.slice(0, 3).join(", ")}`);
    if (status === 0) unseen++;
  }
  return unseen;
}

/**
 * How many mutants their own check does not see. A mutant is built apart, quickly rather than small, and laid where the
 * tests look for what is deployed; the tests themselves are compiled once.
 */
function checks(wanted) {
  const [built, tried] = [join(copy, "built"), join(copy, "tried")];
  fill(built, ["src", "foundry.toml", "solc.cjs"]);
  fill(tried, CAMPAIGNS);
  // Campaigns meet the contracts as artefacts, so that no more than themselves is compiled beside these.
  forge(built, ["build", "src"], true);
  for (const folder of [tried, join(copy, "sound")]) cpSync(join(built, "out"), join(folder, "out"), { recursive: true });
  const asked = (check, pace) => wanted.length === 0 || wanted.includes(String(check)) || wanted.includes(pace);
  const chosen = MUTANTS.filter(([check, , , , , pace]) => asked(check, pace));
  // On sound contracts of the same build, briefly: what fails below fails for its break alone.
  for (const campaign of new Set(chosen.map(([, campaign]) => campaign))) {
    const { status, stdout, stderr } = campaignRun(tried, campaign, 0, 8);
    if (status !== 0) throw new Error(`${campaign} fails before anything is broken\n${stdout}${stderr}`);
  }
  let unseen = 0;
  for (const [check, campaign, file, from, to] of chosen) {
    const started = Date.now();
    const sources = DEPLOYED.find(([pattern]) => pattern.test(file))[1];
    broken(built, file, from, to, () => lay(built, tried, sources));
    const { status, stdout } = campaignRun(tried, campaign, check, 256);
    copyBuilt(join(copy, "sound"), tried, sources);
    const reason = stdout.match(/\[FAIL: ([^\]]*)\]/)?.[1] ?? "";
    const seen = status !== 0 && new RegExp(`(^|: )0*${check}: `).test(reason);
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    const name = `check_${String(check).padStart(2, "0")}`;
    console.log(`${seen ? "seen  " : "UNSEEN"} ${name} ${campaign} ${seconds} s: ${reason || stdout.slice(-200)}`);
    if (!seen) unseen++;
  }
  console.log(`${chosen.length - unseen} of ${chosen.length} mutants seen, each by its own check`);
  return unseen;
}

function fill(folder, names) {
  for (const name of names) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true, preserveTimestamps: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
}

/** What `work` says while the line is broken. */
function broken(folder, file, from, to, work) {
  const path = join(folder, file);
  const sound = readFileSync(path, "utf8");
  if (sound.split(from).length !== 2) throw new Error(`${file} does not have this line exactly once: ${from}`);
  writeFileSync(path, sound.replace(from, () => to));
  try {
    return work();
  } finally {
    writeFileSync(path, sound);
  }
}

/** Builds these sources and lays what comes of them where the tests find it. */
function lay(from, into, sources) {
  forge(from, ["build", ...sources], true);
  copyBuilt(from, into, sources);
}

function copyBuilt(from, into, sources) {
  for (const source of sources) {
    const artefact = join("out", basename(source), `${basename(source, ".sol")}.json`);
    cpSync(join(from, artefact), join(into, artefact));
  }
}

function campaignRun(folder, campaign, check, runs) {
  rmSync(join(folder, "cache", "invariant"), { recursive: true, force: true });
  const args = ["test", "--match-contract", `^${campaign}Campaign$`, "--fuzz-seed", SEED, "--code-size-limit", SIZE_MAX];
  const settings = { CHECK: String(check), FOUNDRY_INVARIANT_RUNS: String(runs), FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT: "0" };
  return forge(folder, args, false, settings);
}

function forge(cwd, args, must, settings = {}) {
  const env = { ...process.env, FOUNDRY_PROFILE: "mutants", ...settings };
  const done = spawnSync(tool("forge"), args, { cwd, env, encoding: "utf8", maxBuffer: 1 << 28 });
  if (must && done.status !== 0) throw new Error(`does not compile\n${done.stdout}${done.stderr}`);
  return done;
}

/** Tests meet the contracts as artefacts, so those are built first: a filtered test run would not. */
function run(tests) {
  const settings = { FOUNDRY_PROFILE: "default" };
  forge(copy, ["build", "src"], true, settings);
  return forge(copy, ["test", "--match-path", tests], false, settings);
}
