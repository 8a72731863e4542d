// Breaks the contracts on purpose, one line at a time, in a copy, and expects the tests to notice. Exits 1 when a
// break goes unseen. Slow (a compile for each), so it is run by hand: `npm run mutate [-- "pattern of names"]`.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { tool } from "./tools.mjs";

const ROOT = dirname(fileURLToPath(import.meta.url));
const INVARIANTS = "test/invariant/*";
const EVERYTHING = "test/**";

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
  ["receive submitted by anyone", "src/GPUToken.sol", "require(to == _msgSender(), ERC20InvalidReceiver(to));", "", EVERYTHING],
  ["cover not taken", "src/market/Registry.sol", "resource.stake -= uint72(Amount.unwrap(taken));", "", INVARIANTS],
  ["tie rounded down", "src/libraries/Accrual.sol", " + 1 hours - 1) / 1 hours", ") / 1 hours", INVARIANTS],
  ["pot beyond the cover", "src/libraries/Settlement.sol", "Clock.undisputed(job, ran, time).max(bare)", "Clock.undisputed(job, ran, time)", EVERYTHING],
  ["minimum paid to who left", "src/libraries/Settlement.sol", "|| _waived(job)", "", EVERYTHING],
  ["minimum without cover", "src/libraries/Settlement.sol", "if (Accrual.cost(terms.price(), Seconds.wrap(job.coverSeconds())) < minimum) return (until, NO_AMOUNT);", "", INVARIANTS],
  ["register says nothing", "src/CommitRegister.sol", "emit Commit(msg.sender, assetCid, commitData);", "", EVERYTHING],
  ["register mixes up who and what", "src/CommitRegister.sol", "emit Commit(msg.sender, assetCid, commitData);", "emit Commit(tx.origin, commitData, assetCid);", EVERYTHING],
];

const copy = mkdtempSync(join(tmpdir(), "mutants-"));
let unseen = 0;
try {
  for (const name of ["src", "test", "foundry.toml", "solc.cjs", "out", "cache"]) {
    cpSync(join(ROOT, name), join(copy, name), { recursive: true, preserveTimestamps: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  const only = process.argv[2] ?? "";
  if (run(EVERYTHING).status !== 0) throw new Error("the tests fail before anything is broken");
  for (const [what, file, from, to, tests] of BREAKS.filter(([what]) => new RegExp(only).test(what))) {
    const path = join(copy, file);
    const sound = readFileSync(path, "utf8");
    if (sound.split(from).length !== 2) throw new Error(`${what}: ${file} does not have its line exactly once`);
    writeFileSync(path, sound.replace(from, () => to));
    const { status, stdout } = run(tests);
    writeFileSync(path, sound);
    const failing = stdout.slice(stdout.indexOf("Failing tests:"));
    const seers = [...new Set([...failing.matchAll(/\b((?:test|invariant)\w*)\([^)]*\) \(/g)].map(([, test]) => test))];
    console.log(`${status === 0 ? "UNSEEN" : "seen  "} ${what}: ${seers.slice(0, 3).join(", ")}`);
    if (status === 0) unseen++;
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.exit(unseen === 0 ? 0 : 1);

/** Tests meet the contracts as artefacts, so those are built first: a filtered test run would not. */
function run(tests) {
  const forge = (...args) =>
    spawnSync(tool("forge"), args, { cwd: copy, encoding: "utf8", maxBuffer: 1 << 28 });
  const build = forge("build", "src");
  if (build.status !== 0) throw new Error(`does not compile\n${build.stdout}${build.stderr}`);
  return forge("test", "--match-path", tests);
}
