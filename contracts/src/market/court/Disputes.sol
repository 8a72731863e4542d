// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketCourt} from "../../interfaces/IMarketCourt.sol";
import {Clock} from "../../libraries/Clock.sol";
import {PackedJob} from "../../libraries/JobSlot.sol";
import {Bill, Settlement} from "../../libraries/Settlement.sol";
import {TermsLib} from "../../libraries/TermsLib.sol";
import {Dispute, Outcome, Status, Terms} from "../../types/Job.sol";
import {ANSWER_WITHIN, BOND_BPS, BPS} from "../../types/Limits.sol";
import {Amount, NO_AMOUNT, Seconds} from "../../types/Units.sol";
import {Jobs} from "../Jobs.sol";

/// A dispute holds back the part of a job's pay that is neither too old nor paid without cover, until a verdict shares it
/// out. Everything unearned has gone back before.
abstract contract Disputes is IMarketCourt, Jobs {
    using TermsLib for Terms;

    uint16 private constant HALF = 5000;

    /// @inheritdoc IMarketCourt
    function disputeJob(Terms calldata terms, string calldata reason) external nonReentrant {
        (bytes32 jobId, PackedJob job) = _load(terms);
        if (msg.sender != terms.renter) _requireOwnerOrAgent(_providerOf(terms.resourceId));
        bool ends = _isStarted(job.status());
        if (ends) {
            job = _stopped(terms, job).withOutcome(Outcome.Disputed);
        } else {
            _requireStatus(jobId, job, Status.Ended);
            _requireNotAfter(Clock.disputeDeadline(job));
        }
        Amount pot = Settlement.pot(terms, job, block.timestamp);
        // Every second is too old, or was paid without cover.
        require(pot != NO_AMOUNT, NothingDue());
        Amount bond = Settlement.share(pot, uint16(BOND_BPS)).max(Amount.wrap(_minBond));
        _disputes[jobId] = Dispute({
            opener: msg.sender,
            openedAt: uint40(block.timestamp),
            pot: uint128(Amount.unwrap(pot)),
            bond: uint128(Amount.unwrap(bond))
        });
        _store(jobId, job.withStatus(Status.Disputed));

        if (ends) _endDisputed(terms, jobId, job);
        emit JobDisputed(jobId, msg.sender, Amount.unwrap(pot), Amount.unwrap(bond), reason);
        if (bond != NO_AMOUNT) _pull({payer: msg.sender, amount: bond});
    }

    /// @inheritdoc IMarketCourt
    function resolveDispute(Terms calldata terms, uint16 providerBps, string calldata evidenceCid) external restricted {
        require(providerBps == 0 || providerBps == HALF || providerBps == BPS, BadVerdict(providerBps));
        (bytes32 jobId, PackedJob job) = _load(terms);
        _requireStatus(jobId, job, Status.Disputed);
        _settle(terms, jobId, job, providerBps, evidenceCid);
    }

    /// @inheritdoc IMarketCourt
    function settleDispute(Terms calldata terms) external {
        (bytes32 jobId, PackedJob job) = _load(terms);
        _requireStatus(jobId, job, Status.Disputed);
        _requireAfter(uint256(job.since()) + ANSWER_WITHIN);
        _settle(terms, jobId, job, HALF, "");
    }

    /// @inheritdoc IMarketCourt
    function getDispute(bytes32 jobId) external view returns (Dispute memory) {
        return _disputes[jobId];
    }

    /// The dispute itself ends the job: the resource is free and everything unearned the renter's at once.
    function _endDisputed(Terms calldata terms, bytes32 jobId, PackedJob job) private {
        Seconds ran = Clock.secondsAt(terms, job, block.timestamp);
        Amount refunded = terms.locked(job.extraSeconds()) - Settlement.earned(terms, job, ran);
        _free(terms.resourceId);
        emit JobEnded({
            jobId: jobId,
            by: msg.sender,
            outcome: Outcome.Disputed,
            secondsRun: uint32(Seconds.unwrap(ran)),
            refunded: Amount.unwrap(refunded),
            resultDigest: bytes32(0)
        });
        _sendOrCredit(terms.renter, refunded);
    }

    /// Earned is what stood before the pot and the provider's part of it; everything follows from that amount.
    function _settle(Terms calldata terms, bytes32 jobId, PackedJob job, uint16 providerBps, string memory evidenceCid)
        private
    {
        Dispute memory dispute = _disputes[jobId];
        _disputes[jobId].bond = 0;
        Amount pot = Amount.wrap(dispute.pot);
        Amount returned = pot - Settlement.share(pot, providerBps);
        Seconds ran = Clock.secondsAt(terms, job, block.timestamp);
        Amount earned = Settlement.earned(terms, job, ran) - returned;
        Bill memory bill = _finish(terms, jobId, job, earned, Seconds.wrap(job.paidSeconds()));
        emit DisputeResolved({
            jobId: jobId,
            by: msg.sender,
            providerBps: providerBps,
            returned: Amount.unwrap(returned),
            fromCover: Amount.unwrap(bill.fromCover),
            evidenceCid: evidenceCid
        });
        emit JobFinalized(jobId, Amount.unwrap(bill.paid), Amount.unwrap(bill.fee));
        _sendToProvider(_providerOf(terms.resourceId), bill.payNow);
        _sendOrCredit(terms.renter, returned);
        _sendBond(terms, dispute, providerBps);
    }

    /// Back to the opener, or to the other party when the verdict is wholly against the opener.
    function _sendBond(Terms calldata terms, Dispute memory dispute, uint16 providerBps) private {
        Amount bond = Amount.wrap(dispute.bond);
        bool byRenter = dispute.opener == terms.renter;
        if (byRenter && providerBps == BPS) _sendToProvider(_providerOf(terms.resourceId), bond);
        else if (!byRenter && providerBps == 0) _sendOrCredit(terms.renter, bond);
        else _sendOrCredit(dispute.opener, bond);
    }
}
