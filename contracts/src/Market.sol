// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {IMarketJobs} from "./interfaces/IMarketJobs.sol";
import {ISettles} from "./interfaces/ISettles.sol";
import {Accrual} from "./libraries/Accrual.sol";
import {Clock} from "./libraries/Clock.sol";
import {PackedJob} from "./libraries/JobSlot.sol";
import {Bill, Settlement} from "./libraries/Settlement.sol";
import {TermsLib} from "./libraries/TermsLib.sol";
import {Escrow} from "./market/Escrow.sol";
import {Jobs} from "./market/Jobs.sol";
import {BPS, CANCEL_FEE_WITHIN, READY_AHEAD, READY_WITHIN} from "./types/Limits.sol";
import {Outcome, Ready, State, Status, Terms} from "./types/Job.sol";
import {Amount, NO_AMOUNT, Seconds} from "./types/Units.sol";

/// Jobs from order to settlement. Callers bring the terms; the market remembers one slot of seconds for each job.
/// States change before money moves. The guard stands only where a balance is measured before and after a call.
///
/// Everything else that `IMarket` lists is the court's code, run on this contract's state.
contract Market is IMarketJobs, Jobs {
    using Address for address;
    using TermsLib for Terms;

    address private immutable COURT;

    /// @param token_ the settlement token, a plain ERC-20
    /// @param authority an AccessManager whose roles operate the market
    /// @param feeBps_ hundredths of a percent of what providers earn, at most 500
    /// @param court_ a `MarketCourt` for the same token
    constructor(IERC20 token_, address authority, uint16 feeBps_, address court_)
        AccessManaged(authority)
        Escrow(token_)
    {
        // Without an authority that answers, no role could ever be used.
        require(authority.code.length != 0, AccessManagedInvalidAuthority(authority));
        bool answers = court_.code.length != 0;
        require(answers && ISettles(court_).token() == address(token_), WrongCourt(court_));
        COURT = court_;
        _setFee(feeBps_);
    }

    /// The verbs of `IMarketCourt`, on this contract's state, by the caller and in the caller's name.
    fallback(bytes calldata call) external returns (bytes memory) {
        return COURT.functionDelegateCall(call);
    }

    // ── renting ──────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IMarketJobs
    function createJob(Terms calldata terms) external whenNotPaused nonReentrant returns (bytes32 jobId) {
        Amount locked;
        (jobId, locked) = _create(terms);
        _pull({payer: msg.sender, amount: locked});
    }

    /// @inheritdoc IMarketJobs
    function createJobs(Terms[] calldata terms) external whenNotPaused nonReentrant {
        Amount total;
        for (uint256 i = 0; i < terms.length; ++i) {
            (, Amount locked) = _create(terms[i]);
            total = total + locked;
        }
        _pull({payer: msg.sender, amount: total});
    }

    /// @inheritdoc IMarketJobs
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

    /// @inheritdoc IMarketJobs
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

    /// @inheritdoc IMarketJobs
    function cancelJob(Terms calldata terms) external {
        (bytes32 jobId, PackedJob job) = _load(terms);
        require(msg.sender == terms.renter, NotAllowed(msg.sender));
        _requireNotStarted(jobId, job);
        Amount owed = _cancelFee(terms, job);
        Amount fee = Accrual.fee(owed, job.feeBps());
        Amount refunded = _cancel(terms, jobId, job) - owed;
        _bookFee(fee);
        emit JobCancelled({jobId: jobId, by: msg.sender, refunded: Amount.unwrap(refunded)});
        if (owed != NO_AMOUNT) {
            emit CancelFeePaid({jobId: jobId, paid: Amount.unwrap(owed - fee), fee: Amount.unwrap(fee)});
            _sendToProvider(_providerOf(terms.resourceId), owed - fee);
        }
        _sendOrCredit(terms.renter, refunded);
    }

    /// @inheritdoc IMarketJobs
    function stopJob(Terms calldata terms) external {
        (bytes32 jobId, PackedJob job) = _load(terms);
        require(msg.sender == terms.renter || msg.sender == terms.controller, NotAllowed(msg.sender));
        _requireStarted(jobId, job);
        _end(terms, jobId, job, Outcome.StoppedByRenter, bytes32(0));
    }

    // ── providing ────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IMarketJobs
    function acceptJob(Terms calldata terms) external {
        (bytes32 jobId, PackedJob job) = _load(terms);
        _requireAgent(terms.resourceId);
        _requireStatus(jobId, job, Status.Created);
        _requireNotAfter(Clock.acceptDeadline(job));
        uint16 coverSeconds = _occupy(terms);
        _store(jobId, job.withStatus(Status.Accepted).withCoverSeconds(coverSeconds));
        emit JobAccepted(jobId, coverSeconds);
    }

    /// @inheritdoc IMarketJobs
    function declineJob(Terms calldata terms, string calldata reason) external {
        (bytes32 jobId, PackedJob job) = _load(terms);
        _requireAgent(terms.resourceId);
        _requireNotStarted(jobId, job);
        Amount refunded = _cancel(terms, jobId, job);
        emit JobDeclined(jobId, Amount.unwrap(refunded), reason);
        _sendOrCredit(terms.renter, refunded);
    }

    /// @inheritdoc IMarketJobs
    function startJob(Terms calldata terms, Ready calldata ready, bytes calldata signature) external {
        (bytes32 jobId, PackedJob job) = _load(terms);
        _requireAgent(terms.resourceId);
        _requireNotStarted(jobId, job);
        require(block.timestamp >= terms.notBefore, TooEarly(terms.notBefore));
        _requireNotAfter(Clock.startDeadline(terms, job));
        bool fresh = ready.at + READY_WITHIN >= block.timestamp && ready.at <= block.timestamp + READY_AHEAD;
        require(fresh, ReadyExpired(ready.at));
        _requireReadySigned(jobId, ready, signature, terms.controller, terms.renter);

        if (job.status() == Status.Created) {
            job = job.withCoverSeconds(_occupy(terms));
            emit JobAccepted(jobId, job.coverSeconds());
        }
        _store(jobId, job.withStatus(Status.Running).withStartedAt(uint40(block.timestamp)));
        emit JobStarted(jobId, ready.readyRecord);
    }

    /// @inheritdoc IMarketJobs
    function pauseJob(Terms calldata terms) external {
        (bytes32 jobId, PackedJob job) = _load(terms);
        _requireAgent(terms.resourceId);
        _requireStatus(jobId, job, Status.Running);
        _requireNotAfter(Clock.end(terms, job));
        require(Clock.pauseLeft(job) != 0, NoPauseLeft(jobId));
        _store(jobId, job.withStatus(Status.Paused).withEndedAt(uint40(block.timestamp)));
        emit JobPaused(jobId);
    }

    /// @inheritdoc IMarketJobs
    function resumeJob(Terms calldata terms) external {
        (bytes32 jobId, PackedJob job) = _load(terms);
        _requireAgent(terms.resourceId);
        _requireStanding(jobId, job);
        _requireNotAfter(Clock.resumeDeadline(job));
        uint32 pausedSeconds = job.pausedSeconds() + uint32(block.timestamp - job.endedAt());
        _store(jobId, job.withStatus(Status.Running).withPausedSeconds(pausedSeconds).withEndedAt(0));
        emit JobResumed(jobId, pausedSeconds);
    }

    /// @inheritdoc IMarketJobs
    function processPayment(Terms calldata terms) external {
        (bytes32 jobId, PackedJob job) = _load(terms);
        Provider storage provider = _providerOf(terms.resourceId);
        _requireOwnerOrAgent(provider);
        _requireStarted(jobId, job);
        (Seconds until, Amount amount) = Settlement.due(terms, job, block.timestamp);
        require(amount != NO_AMOUNT, NothingDue());
        uint32 paidSeconds = uint32(Seconds.unwrap(until));
        _jobs[jobId] = job.withPaidSeconds(paidSeconds);
        emit JobPaid(jobId, paidSeconds, Amount.unwrap(amount));
        _sendToProvider(provider, amount);
    }

    /// @inheritdoc IMarketJobs
    function completeJob(Terms calldata terms, Outcome outcome, bytes32 resultDigest) external {
        (bytes32 jobId, PackedJob job) = _load(terms);
        _requireOwnerOrAgent(_providerOf(terms.resourceId));
        _requireStarted(jobId, job);
        bool claimable =
            outcome == Outcome.Succeeded || outcome == Outcome.Failed || outcome == Outcome.AbortedByProvider;
        require(claimable, BadOutcome(outcome));
        if (job.status() != Status.Running) _requireNotAfter(Clock.resumeDeadline(job));
        _end(terms, jobId, job, outcome, resultDigest);
    }

    // ── anyone ───────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IMarketJobs
    function closeJob(Terms calldata terms) external {
        (bytes32 jobId, PackedJob job) = _load(terms);
        bool started = _isStarted(job.status());
        // Neither before its clock nor on it: unknown or over, and nothing is left to close.
        if (!started) _requireNotStarted(jobId, job);
        uint256 deadline = Clock.closeDeadline(terms, job);
        _requireAfter(deadline);

        if (!started) {
            Amount refunded = _cancel(terms, jobId, job);
            emit JobCancelled({jobId: jobId, by: msg.sender, refunded: Amount.unwrap(refunded)});
            _sendOrCredit(terms.renter, refunded);
        } else if (job.status() == Status.Running) {
            _closeUncollected(terms, jobId, job);
        } else {
            Outcome outcome = job.status() == Status.Paused ? Outcome.AbortedByProvider : Outcome.Silent;
            _end(terms, jobId, job, outcome, bytes32(0));
        }
    }

    /// @inheritdoc IMarketJobs
    function finalize(Terms[] calldata terms) external {
        for (uint256 i = 0; i < terms.length; ++i) {
            _finalize(terms[i]);
        }
    }

    // ── views ────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IMarketJobs
    function court() external view returns (address) {
        return COURT;
    }

    /// @inheritdoc IMarketJobs
    function jobIdOf(Terms calldata terms) external view returns (bytes32) {
        return terms.id();
    }

    /// @inheritdoc IMarketJobs
    function getJob(bytes32 jobId) external view returns (State memory) {
        return _jobs[jobId].unpack();
    }

    /// @inheritdoc IMarketJobs
    function payableNow(Terms calldata terms) external view returns (uint256) {
        (, PackedJob job) = _load(terms);
        if (!_isStarted(job.status())) return 0;
        (, Amount amount) = Settlement.due(terms, job, block.timestamp);
        return Amount.unwrap(amount);
    }

    // ── steps that several verbs share ───────────────────────────────────────────────────────────────────

    /// Ends a job whose clock never ran. The whole lock is the renter's.
    function _cancel(Terms calldata terms, bytes32 jobId, PackedJob job) private returns (Amount refunded) {
        if (job.status() == Status.Accepted) {
            _free(terms.resourceId);
            _untie(terms, job.coverSeconds(), NO_AMOUNT);
        }
        _store(jobId, job.withStatus(Status.Cancelled));
        refunded = terms.locked(job.extraSeconds());
    }

    /// What the renter owes for cancelling now. Terms carry a cancel fee only if they were a reservation when they were
    /// ordered, with a registered watcher as controller.
    function _cancelFee(Terms calldata terms, PackedJob job) private view returns (Amount) {
        bool due = job.status() == Status.Accepted && block.timestamp < terms.notBefore + CANCEL_FEE_WITHIN;
        if (!due || terms.cancelFeeBps == 0) return NO_AMOUNT;
        return Amount.wrap(Amount.unwrap(terms.locked(0)) * terms.cancelFeeBps / BPS);
    }

    /// Ends a started job at this second, or where its clock stands: refunds what is unearned and pays what is payable.
    function _end(Terms calldata terms, bytes32 jobId, PackedJob job, Outcome outcome, bytes32 resultDigest) private {
        job = _stopped(terms, job).withOutcome(outcome);
        Seconds ran = Clock.secondsAt(terms, job, block.timestamp);
        Amount refunded = terms.locked(job.extraSeconds()) - Settlement.earned(terms, job, ran);
        (Seconds until, Amount payNow) = Settlement.due(terms, job, block.timestamp);
        if (payNow != NO_AMOUNT) {
            job = job.withPaidSeconds(uint32(Seconds.unwrap(until)));
            emit JobPaid(jobId, job.paidSeconds(), Amount.unwrap(payNow));
        }
        _store(jobId, job.withStatus(Status.Ended));
        _free(terms.resourceId);
        emit JobEnded({
            jobId: jobId,
            by: msg.sender,
            outcome: outcome,
            secondsRun: uint32(Seconds.unwrap(ran)),
            refunded: Amount.unwrap(refunded),
            resultDigest: resultDigest
        });
        _sendToProvider(_providerOf(terms.resourceId), payNow);
        _sendOrCredit(terms.renter, refunded);
    }

    /// A provider that did not collect in time keeps what it has: the clock goes back to the last paid second. All of it
    /// is older than the dispute window, so the job is final too.
    function _closeUncollected(Terms calldata terms, bytes32 jobId, PackedJob job) private {
        uint40 paidUntil = uint40(uint256(job.startedAt()) + job.pausedSeconds() + job.paidSeconds());
        job = job.withEndedAt(paidUntil).withOutcome(Outcome.Silent);
        Seconds ran = Seconds.wrap(job.paidSeconds());
        Amount earned = Settlement.earned(terms, job, ran);
        Amount refunded = terms.locked(job.extraSeconds()) - earned;
        Bill memory bill = _finish(terms, jobId, job, earned, ran);
        _free(terms.resourceId);
        emit JobEnded({
            jobId: jobId,
            by: msg.sender,
            outcome: Outcome.Silent,
            secondsRun: job.paidSeconds(),
            refunded: Amount.unwrap(refunded),
            resultDigest: bytes32(0)
        });
        emit JobFinalized(jobId, Amount.unwrap(bill.paid), Amount.unwrap(bill.fee));
        _sendOrCredit(terms.renter, refunded);
    }

    function _finalize(Terms calldata terms) private {
        (bytes32 jobId, PackedJob job) = _load(terms);
        _requireStatus(jobId, job, Status.Ended);
        _requireAfter(Clock.disputeDeadline(job));
        Seconds ran = Clock.secondsAt(terms, job, block.timestamp);
        Amount earned = Settlement.earned(terms, job, ran);
        Bill memory bill = _finish(terms, jobId, job, earned, ran);
        emit JobFinalized(jobId, Amount.unwrap(bill.paid), Amount.unwrap(bill.fee));
        _sendToProvider(_providerOf(terms.resourceId), bill.payNow);
    }

    // ── what must hold ───────────────────────────────────────────────────────────────────────────────────

    function _requireStarted(bytes32 jobId, PackedJob job) private pure {
        require(_isStarted(job.status()), WrongStatus(jobId, job.status()));
    }

    function _requireNotStarted(bytes32 jobId, PackedJob job) private pure {
        require(job.status() == Status.Created || job.status() == Status.Accepted, WrongStatus(jobId, job.status()));
    }

    function _requireStanding(bytes32 jobId, PackedJob job) private pure {
        require(job.status() == Status.Paused || job.status() == Status.Silent, WrongStatus(jobId, job.status()));
    }
}
