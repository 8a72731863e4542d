// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IMarket, Outcome, Ready, State, Status, Terms} from "./interfaces/IMarket.sol";
import {Clock} from "./libraries/Clock.sol";
import {JobSlot} from "./libraries/JobSlot.sol";
import {Bill, Settlement} from "./libraries/Settlement.sol";
import {TermsLib} from "./libraries/TermsLib.sol";
import {Escrow} from "./market/Escrow.sol";
import {Operated} from "./market/Operated.sol";
import {Registry} from "./market/Registry.sol";
import {Signed} from "./market/Signed.sol";
import {DURATION_MAX, READY_AHEAD, READY_WITHIN, SILENCE_WITHIN} from "./types/Limits.sol";
import {Amount, NO_AMOUNT, Seconds} from "./types/Units.sol";

/// Jobs from order to settlement. Callers bring the terms; the market remembers one slot of seconds for each job.
/// States change before money moves. The guard stands only where a balance is measured before and after a call.
contract Market is Registry, Signed, ReentrancyGuardTransient {
    using TermsLib for Terms;

    /// Packed by `JobSlot`.
    mapping(bytes32 jobId => uint256) private _jobs;

    /// @param token_ the settlement token, a plain ERC-20
    /// @param authority an AccessManager whose roles operate the market
    /// @param feeBps_ hundredths of a percent of what providers earn, at most 500
    constructor(IERC20 token_, address authority, uint16 feeBps_)
        AccessManaged(authority)
        Operated(feeBps_)
        Escrow(token_)
    {}

    // ── renting ──────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IMarket
    function createJob(Terms calldata terms) external whenNotPaused nonReentrant returns (bytes32 jobId) {
        Amount locked;
        (jobId, locked) = _create(terms);
        _pull({payer: msg.sender, amount: locked});
    }

    /// @inheritdoc IMarket
    function createJobs(Terms[] calldata terms) external whenNotPaused nonReentrant {
        Amount total;
        for (uint256 i = 0; i < terms.length; ++i) {
            (, Amount locked) = _create(terms[i]);
            total = total + locked;
        }
        _pull({payer: msg.sender, amount: total});
    }

    /// @inheritdoc IMarket
    function createJobWithPermit(Terms calldata terms, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        whenNotPaused
        nonReentrant
        returns (bytes32 jobId)
    {
        _permit(value, deadline, v, r, s);
        Amount locked;
        (jobId, locked) = _create(terms);
        _pull({payer: msg.sender, amount: locked});
    }

    /// @inheritdoc IMarket
    function createJobWithAuthorization(
        Terms calldata terms,
        uint256 validAfter,
        uint256 validBefore,
        bytes calldata signature
    ) external whenNotPaused nonReentrant returns (bytes32 jobId) {
        Amount locked;
        (jobId, locked) = _create(terms);
        _pullAuthorized({
            payer: terms.renter,
            amount: locked,
            validAfter: validAfter,
            validBefore: validBefore,
            nonce: jobId,
            signature: signature
        });
    }

    /// @inheritdoc IMarket
    function cancelJob(Terms calldata terms) external {
        (bytes32 jobId, State memory job) = _load(terms);
        require(msg.sender == terms.renter, NotAllowed(msg.sender));
        _requireNotStarted(jobId, job);
        Amount refunded = _cancel(terms, jobId, job);
        emit JobCancelled({jobId: jobId, by: msg.sender, refunded: Amount.unwrap(refunded)});
        _sendToRenter(terms.renter, refunded);
    }

    /// @inheritdoc IMarket
    function stopJob(Terms calldata terms) external {
        (bytes32 jobId, State memory job) = _load(terms);
        require(msg.sender == terms.renter || msg.sender == terms.controller, NotAllowed(msg.sender));
        _requireStarted(jobId, job);
        _endNow(terms, jobId, job, Outcome.StoppedByRenter, bytes32(0));
    }

    /// @inheritdoc IMarket
    function extendJob(Terms calldata terms, uint24 extraSeconds, uint40 expiry, bytes calldata agentSignature)
        external
        nonReentrant
    {
        (bytes32 jobId, State memory job) = _load(terms);
        require(msg.sender == terms.renter, NotAllowed(msg.sender));
        _requireStatus(jobId, job, Status.Running);
        _requireNotAfter(Clock.lastSecond(terms, job));
        _requireNotAfter(expiry);
        uint256 most = uint256(job.extraSeconds) + DURATION_MAX;
        require(extraSeconds > job.extraSeconds && extraSeconds <= most, BadTerms("extraSeconds"));
        _requireExtendSigned(jobId, extraSeconds, expiry, agentSignature, _providerOf(terms.resourceId).agent);

        Amount before = terms.locked(job.extraSeconds);
        Amount locked = terms.locked(extraSeconds);
        _jobs[jobId] = JobSlot.withExtraSeconds(_jobs[jobId], extraSeconds);
        emit JobExtended(jobId, extraSeconds, Amount.unwrap(locked));
        _pull({payer: msg.sender, amount: locked - before});
    }

    // ── providing ────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IMarket
    function acceptJob(Terms calldata terms) external {
        (bytes32 jobId, State memory job) = _load(terms);
        _requireAgent(terms.resourceId);
        _requireStatus(jobId, job, Status.Created);
        _requireNotAfter(Clock.acceptDeadline(job));
        _occupy(terms.resourceId);
        job.status = Status.Accepted;
        _store(jobId, job);
        emit JobAccepted(jobId);
    }

    /// @inheritdoc IMarket
    function declineJob(Terms calldata terms, string calldata reason) external {
        (bytes32 jobId, State memory job) = _load(terms);
        _requireAgent(terms.resourceId);
        _requireNotStarted(jobId, job);
        Amount refunded = _cancel(terms, jobId, job);
        emit JobDeclined(jobId, Amount.unwrap(refunded), reason);
        _sendToRenter(terms.renter, refunded);
    }

    /// @inheritdoc IMarket
    function startJob(Terms calldata terms, Ready calldata ready, bytes calldata signature) external {
        (bytes32 jobId, State memory job) = _load(terms);
        _requireAgent(terms.resourceId);
        _requireNotStarted(jobId, job);
        require(block.timestamp >= terms.notBefore, TooEarly(terms.notBefore));
        _requireNotAfter(Clock.startDeadline(terms, job));
        bool fresh = ready.at + READY_WITHIN >= block.timestamp && ready.at <= block.timestamp + READY_AHEAD;
        require(fresh, ReadyExpired(ready.at));
        _requireReadySigned(jobId, ready, signature, terms.controller, terms.renter);

        if (job.status == Status.Created) {
            _occupy(terms.resourceId);
            emit JobAccepted(jobId);
        }
        job.status = Status.Running;
        job.startedAt = uint40(block.timestamp);
        _store(jobId, job);
        emit JobStarted(jobId, ready.readyRecord);
    }

    /// @inheritdoc IMarket
    function pauseJob(Terms calldata terms) external {
        (bytes32 jobId, State memory job) = _load(terms);
        _requireAgent(terms.resourceId);
        _requireStatus(jobId, job, Status.Running);
        _requireNotAfter(Clock.end(terms, job));
        require(Clock.pauseLeft(job) != 0, NoPauseLeft(jobId));
        job.status = Status.Paused;
        job.endedAt = uint40(block.timestamp);
        _store(jobId, job);
        emit JobPaused(jobId);
    }

    /// @inheritdoc IMarket
    function resumeJob(Terms calldata terms) external {
        (bytes32 jobId, State memory job) = _load(terms);
        _requireAgent(terms.resourceId);
        _requireStanding(jobId, job);
        _requireNotAfter(Clock.resumeDeadline(job));
        job.status = Status.Running;
        job.pausedSeconds += uint32(block.timestamp - job.endedAt);
        job.endedAt = 0;
        _store(jobId, job);
        emit JobResumed(jobId, job.pausedSeconds);
    }

    /// @inheritdoc IMarket
    function processPayment(Terms calldata terms) external {
        (bytes32 jobId, State memory job) = _load(terms);
        Provider storage provider = _providerOf(terms.resourceId);
        _requireOwnerOrAgent(provider);
        _requireStarted(jobId, job);
        (Seconds until, Amount amount) = Settlement.due(terms, job, block.timestamp);
        require(amount != NO_AMOUNT, NothingDue());
        uint32 paidSeconds = uint32(Seconds.unwrap(until));
        _jobs[jobId] = JobSlot.withPaidSeconds(_jobs[jobId], paidSeconds);
        emit JobPaid(jobId, paidSeconds, Amount.unwrap(amount));
        _sendToProvider(provider, amount);
    }

    /// @inheritdoc IMarket
    function completeJob(Terms calldata terms, Outcome outcome, bytes32 resultDigest) external {
        (bytes32 jobId, State memory job) = _load(terms);
        _requireOwnerOrAgent(_providerOf(terms.resourceId));
        _requireStarted(jobId, job);
        bool claimable =
            outcome == Outcome.Succeeded || outcome == Outcome.Failed || outcome == Outcome.AbortedByProvider;
        require(claimable, BadOutcome(outcome));
        if (job.status != Status.Running) _requireNotAfter(Clock.resumeDeadline(job));
        _endNow(terms, jobId, job, outcome, resultDigest);
    }

    // ── anyone ───────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IMarket
    function closeJob(Terms calldata terms) external {
        (bytes32 jobId, State memory job) = _load(terms);
        bool started = _isStarted(job.status);
        // Neither before its clock nor on it: unknown or over, and nothing is left to close.
        if (!started) _requireNotStarted(jobId, job);
        uint256 deadline = Clock.closeDeadline(terms, job);
        require(block.timestamp > deadline, TooEarly(deadline));

        if (!started) {
            Amount refunded = _cancel(terms, jobId, job);
            emit JobCancelled({jobId: jobId, by: msg.sender, refunded: Amount.unwrap(refunded)});
            _sendToRenter(terms.renter, refunded);
        } else if (job.status == Status.Running) {
            // A provider that did not collect in time keeps what it has: the clock goes back to the last paid second.
            job.endedAt = uint40(uint256(job.startedAt) + job.pausedSeconds + job.paidSeconds);
            _end(terms, jobId, job, Outcome.Silent, Seconds.wrap(job.paidSeconds), bytes32(0));
        } else {
            Outcome outcome = job.status == Status.Paused ? Outcome.AbortedByProvider : Outcome.Silent;
            _endNow(terms, jobId, job, outcome, bytes32(0));
        }
    }

    /// @inheritdoc IMarket
    function reportSilence(Terms calldata terms, uint40 lastSeen) external {
        (bytes32 jobId, State memory job) = _load(terms);
        bool watches = isOracle[msg.sender] || (msg.sender == terms.controller && isWatcher[msg.sender]);
        require(watches, NotAllowed(msg.sender));
        _requireStatus(jobId, job, Status.Running);
        bool recent = lastSeen <= block.timestamp && lastSeen + SILENCE_WITHIN >= block.timestamp;
        require(recent, BadLastSeen(lastSeen));
        job.endedAt = Clock.standsAt(job, lastSeen, block.timestamp);
        // A clock that ran to its end was not cut short by silence; its provider has the time to collect.
        uint256 last = Clock.lastSecond(terms, job);
        require(job.endedAt <= last, TooLate(last));
        job.status = Status.Silent;
        _store(jobId, job);
        emit JobSilent(jobId, job.endedAt, msg.sender);
    }

    // ── views ────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IMarket
    function jobIdOf(Terms calldata terms) external view returns (bytes32) {
        return terms.id();
    }

    /// @inheritdoc IMarket
    function getJob(bytes32 jobId) external view returns (State memory) {
        return JobSlot.unpack(_jobs[jobId]);
    }

    /// @inheritdoc IMarket
    function payableNow(Terms calldata terms) external view returns (uint256) {
        (, State memory job) = _load(terms);
        if (!_isStarted(job.status)) return 0;
        (, Amount amount) = Settlement.due(terms, job, block.timestamp);
        return Amount.unwrap(amount);
    }

    // ── steps that several verbs share ───────────────────────────────────────────────────────────────────

    /// Records an order. The caller of this function pulls the money.
    function _create(Terms calldata terms) private returns (bytes32 jobId, Amount locked) {
        terms.validate();
        jobId = terms.id();
        require(_jobs[jobId] == 0, JobExists(jobId));
        bool later = terms.notBefore > block.timestamp;
        _requireRentable({resourceId: terms.resourceId, offered: terms.pricePerHour, later: later});
        State memory job;
        job.status = Status.Created;
        job.feeBps = _settings.feeBps;
        _store(jobId, job);
        locked = terms.locked(0);
        emit JobCreated(jobId, terms.resourceId, terms.renter, job.feeBps, terms);
    }

    /// Ends a job whose clock never ran. The whole lock is the renter's.
    function _cancel(Terms calldata terms, bytes32 jobId, State memory job) private returns (Amount refunded) {
        if (job.status == Status.Accepted) _free(terms.resourceId);
        job.status = Status.Cancelled;
        _store(jobId, job);
        refunded = terms.locked(job.extraSeconds);
    }

    /// Ends a job at this second, or where its clock stands.
    function _endNow(Terms calldata terms, bytes32 jobId, State memory job, Outcome outcome, bytes32 resultDigest)
        private
    {
        Seconds ran = Clock.payableSeconds(terms, job, block.timestamp);
        if (job.endedAt == 0) {
            uint256 end = Clock.end(terms, job);
            job.endedAt = uint40(block.timestamp < end ? block.timestamp : end);
        }
        _end(terms, jobId, job, outcome, ran, resultDigest);
    }

    /// Settles: every earned second is payable at once, so the end of a job is also its finalization.
    function _end(
        Terms calldata terms,
        bytes32 jobId,
        State memory job,
        Outcome outcome,
        Seconds ran,
        bytes32 resultDigest
    ) private {
        Bill memory bill = Settlement.close(terms, job, outcome, ran);
        uint32 secondsRun = uint32(Seconds.unwrap(ran));
        job.status = Status.Final;
        job.outcome = outcome;
        job.paidSeconds = secondsRun;
        _store(jobId, job);
        _free(terms.resourceId);
        _bookFee(bill.fee);

        if (bill.payNow != NO_AMOUNT) emit JobPaid(jobId, secondsRun, Amount.unwrap(bill.payNow));
        emit JobEnded({
            jobId: jobId,
            by: msg.sender,
            outcome: outcome,
            secondsRun: secondsRun,
            refunded: Amount.unwrap(bill.refunded),
            resultDigest: resultDigest
        });
        emit JobFinalized(jobId, Amount.unwrap(bill.paid), Amount.unwrap(bill.fee));
        _sendToProvider(_providerOf(terms.resourceId), bill.payNow);
        _sendToRenter(terms.renter, bill.refunded);
    }

    function _load(Terms calldata terms) private view returns (bytes32, State memory) {
        bytes32 jobId = terms.id();
        return (jobId, JobSlot.unpack(_jobs[jobId]));
    }

    /// Every change of status passes here.
    function _store(bytes32 jobId, State memory job) private {
        job.since = uint40(block.timestamp);
        _jobs[jobId] = JobSlot.pack(job);
    }

    /// What the payout address does not take is the owner's, who may name another.
    function _sendToProvider(Provider storage provider, Amount amount) private {
        if (!_send(provider.payout, amount)) _credit(provider.owner, amount);
    }

    function _sendToRenter(address renter, Amount amount) private {
        if (!_send(renter, amount)) _credit(renter, amount);
    }

    // ── what must hold ───────────────────────────────────────────────────────────────────────────────────

    function _isStarted(Status status) private pure returns (bool) {
        return status == Status.Running || status == Status.Paused || status == Status.Silent;
    }

    function _requireStarted(bytes32 jobId, State memory job) private pure {
        require(_isStarted(job.status), WrongStatus(jobId, job.status));
    }

    function _requireNotStarted(bytes32 jobId, State memory job) private pure {
        require(job.status == Status.Created || job.status == Status.Accepted, WrongStatus(jobId, job.status));
    }

    function _requireStanding(bytes32 jobId, State memory job) private pure {
        require(job.status == Status.Paused || job.status == Status.Silent, WrongStatus(jobId, job.status));
    }

    function _requireStatus(bytes32 jobId, State memory job, Status status) private pure {
        require(job.status == status, WrongStatus(jobId, job.status));
    }

    function _requireNotAfter(uint256 deadline) private view {
        require(block.timestamp <= deadline, TooLate(deadline));
    }
}
