// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Clock} from "../libraries/Clock.sol";
import {JobSlot} from "../libraries/JobSlot.sol";
import {Bill, Settlement} from "../libraries/Settlement.sol";
import {TermsLib} from "../libraries/TermsLib.sol";
import {Dispute, SlashProposal, State, Status, Terms} from "../types/Job.sol";
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

    /// Packed by `JobSlot`.
    mapping(bytes32 jobId => uint256) internal _jobs;
    mapping(bytes32 jobId => Dispute) internal _disputes;
    mapping(uint256 proposalId => Slash) internal _slashes;
    uint256 internal _slashCount;
    mapping(address renter => mapping(uint256 nonce => uint256)) internal _orderSpent;

    /// Records an order. The caller of this function pulls the money.
    function _create(Terms calldata terms) internal returns (bytes32 jobId, Amount locked) {
        terms.validate();
        jobId = terms.id();
        require(_jobs[jobId] == 0, JobExists(jobId));
        _requireRentable({terms: terms, later: terms.notBefore > block.timestamp});
        State memory job;
        job.status = Status.Created;
        job.feeBps = _settings.feeBps;
        _store(jobId, job);
        locked = terms.locked(0);
        emit JobCreated(jobId, terms.resourceId, terms.renter, job.feeBps, terms);
    }

    /// Sets the clock of a started job to where it stands at this second for good.
    function _stand(Terms calldata terms, State memory job) internal view {
        if (job.endedAt != 0) return;
        uint256 end = Clock.end(terms, job);
        job.endedAt = uint40(block.timestamp < end ? block.timestamp : end);
    }

    /// The last step of a job that ran: `earned` is the provider's for good, paid up to `until`. The caller of this
    /// function sends what the bill says.
    function _finish(Terms calldata terms, bytes32 jobId, State memory job, Amount earned, Seconds until)
        internal
        returns (Bill memory bill)
    {
        bill = Settlement.close(terms, job, earned);
        job.paidSeconds = uint32(Seconds.unwrap(until));
        job.status = Status.Final;
        _store(jobId, job);
        _untie(terms, job.coverSeconds, bill.fromCover);
        _bookFee(bill.fee);
        if (bill.payNow != NO_AMOUNT) emit JobPaid(jobId, job.paidSeconds, Amount.unwrap(bill.payNow));
    }

    function _load(Terms calldata terms) internal view returns (bytes32, State memory) {
        bytes32 jobId = terms.id();
        return (jobId, JobSlot.unpack(_jobs[jobId]));
    }

    /// Every change of status passes here.
    function _store(bytes32 jobId, State memory job) internal {
        job.since = uint40(block.timestamp);
        _jobs[jobId] = JobSlot.pack(job);
    }

    /// What the payout address does not take is the owner's, who may name another.
    function _sendToProvider(Provider storage provider, Amount amount) internal {
        if (!_send(provider.payout, amount)) _credit(provider.owner, amount);
    }

    // ── what must hold ───────────────────────────────────────────────────────────────────────────────────

    function _isStarted(Status status) internal pure returns (bool) {
        return status == Status.Running || status == Status.Paused || status == Status.Silent;
    }

    function _requireStatus(bytes32 jobId, State memory job, Status status) internal pure {
        require(job.status == status, WrongStatus(jobId, job.status));
    }

    function _requireNotAfter(uint256 deadline) internal view {
        require(block.timestamp <= deadline, TooLate(deadline));
    }

    function _requireAfter(uint256 deadline) internal view {
        require(block.timestamp > deadline, TooEarly(deadline));
    }
}
