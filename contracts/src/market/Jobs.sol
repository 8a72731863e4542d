// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Clock} from "../libraries/Clock.sol";
import {PackedJob} from "../libraries/JobSlot.sol";
import {Bill, Settlement} from "../libraries/Settlement.sol";
import {TermsLib} from "../libraries/TermsLib.sol";
import {Dispute, SlashProposal, Status, Terms} from "../types/Job.sol";
import {Amount, NO_AMOUNT, Seconds} from "../types/Units.sol";
import {Registry} from "./Registry.sol";
import {Signed} from "./Signed.sol";

/// The last of the storage, and the steps that verbs of both contracts share. Whatever is stored is declared here or
/// below, so that the market and its court see the same slots.
abstract contract Jobs is Registry, Signed, ReentrancyGuardTransient {
    using TermsLib for Terms;

    /// A proposal and where its amount came from.
    struct Slash {
        SlashProposal proposal;
        uint72 fromUnbonding; // of the amount; goes back there when the proposal is dismissed
    }

    mapping(bytes32 jobId => PackedJob) internal _jobs;
    mapping(bytes32 jobId => Dispute) internal _disputes;
    mapping(uint256 proposalId => Slash) internal _slashes;
    uint256 internal _slashCount;
    mapping(address renter => mapping(uint256 nonce => uint256)) internal _orderSpent;

    /// Records an order. The caller of this function pulls the money.
    function _create(Terms calldata terms) internal returns (bytes32 jobId, Amount locked) {
        terms.validate();
        jobId = terms.id();
        require(_jobs[jobId].status() == Status.None, JobExists(jobId));
        _requireRentable({terms: terms, later: terms.notBefore > block.timestamp});
        uint16 feeBps_ = _settings.feeBps;
        PackedJob none;
        _store(jobId, none.withStatus(Status.Created).withFeeBps(feeBps_));
        locked = terms.locked(0);
        emit JobCreated(jobId, terms.resourceId, terms.renter, feeBps_, terms);
    }

    /// A started job whose clock stands for good: where it stood, or else at this second.
    function _stopped(Terms calldata terms, PackedJob job) internal view returns (PackedJob) {
        if (job.endedAt() != 0) return job;
        uint256 end = Clock.end(terms, job);
        return job.withEndedAt(uint40(block.timestamp < end ? block.timestamp : end));
    }

    /// The last step of a job that ran: `earned` is the provider's for good, paid up to `until`. The caller of this
    /// function sends what the bill says.
    function _finish(Terms calldata terms, bytes32 jobId, PackedJob job, Amount earned, Seconds until)
        internal
        returns (Bill memory bill)
    {
        bill = Settlement.close(terms, job, earned);
        uint32 paidSeconds = uint32(Seconds.unwrap(until));
        _store(jobId, job.withStatus(Status.Final).withPaidSeconds(paidSeconds));
        _untie(terms, job.coverSeconds(), bill.fromCover);
        _bookFee(bill.fee);
        if (bill.payNow != NO_AMOUNT) emit JobPaid(jobId, paidSeconds, Amount.unwrap(bill.payNow));
    }

    function _load(Terms calldata terms) internal view returns (bytes32, PackedJob) {
        bytes32 jobId = terms.id();
        return (jobId, _jobs[jobId]);
    }

    /// Every change of status passes here.
    function _store(bytes32 jobId, PackedJob job) internal {
        _jobs[jobId] = job.withSince(uint40(block.timestamp));
    }

    /// What the payout address does not take is the owner's, who may name another.
    function _sendToProvider(Provider storage provider, Amount amount) internal {
        // Nothing to pay: the addresses need not be read.
        if (amount == NO_AMOUNT) return;
        if (!_send(provider.payout, amount)) _credit(provider.owner, amount);
    }

    // ── what must hold ───────────────────────────────────────────────────────────────────────────────────

    function _isStarted(Status status) internal pure returns (bool) {
        return status == Status.Running || status == Status.Paused || status == Status.Silent;
    }

    function _requireStatus(bytes32 jobId, PackedJob job, Status status) internal pure {
        require(job.status() == status, WrongStatus(jobId, job.status()));
    }

    function _requireNotAfter(uint256 deadline) internal view {
        require(block.timestamp <= deadline, TooLate(deadline));
    }

    function _requireAfter(uint256 deadline) internal view {
        require(block.timestamp > deadline, TooEarly(deadline));
    }
}
