// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketCourt} from "../../interfaces/IMarketCourt.sol";
import {Clock} from "../../libraries/Clock.sol";
import {PackedJob} from "../../libraries/JobSlot.sol";
import {TermsLib} from "../../libraries/TermsLib.sol";
import {Status, Terms} from "../../types/Job.sol";
import {DURATION_MAX, SILENCE_WITHIN} from "../../types/Limits.sol";
import {Amount} from "../../types/Units.sol";
import {Jobs} from "../Jobs.sol";

/// What happens to few jobs while they run: more seconds are bought, or the provider falls silent.
abstract contract Incidents is IMarketCourt, Jobs {
    using TermsLib for Terms;

    /// @inheritdoc IMarketCourt
    function extendJob(Terms calldata terms, uint24 extraSeconds, uint40 expiry, bytes calldata agentSignature)
        external
        nonReentrant
    {
        (bytes32 jobId, PackedJob job) = _load(terms);
        require(msg.sender == terms.renter, NotAllowed(msg.sender));
        _requireStatus(jobId, job, Status.Running);
        _requireNotAfter(Clock.lastSecond(terms, job));
        _requireNotAfter(expiry);
        uint256 most = uint256(job.extraSeconds()) + DURATION_MAX;
        require(extraSeconds > job.extraSeconds() && extraSeconds <= most, BadTerms("extraSeconds"));
        _requireExtendSigned(jobId, extraSeconds, expiry, agentSignature, _providerOf(terms.resourceId).agent);

        Amount before = terms.locked(job.extraSeconds());
        Amount locked = terms.locked(extraSeconds);
        _jobs[jobId] = job.withExtraSeconds(extraSeconds);
        emit JobExtended(jobId, extraSeconds, Amount.unwrap(locked));
        _pull({payer: msg.sender, amount: locked - before});
    }

    /// @inheritdoc IMarketCourt
    function reportSilence(Terms calldata terms, uint40 lastSeen) external {
        (bytes32 jobId, PackedJob job) = _load(terms);
        bool watches = _isOracle[msg.sender] || (msg.sender == terms.controller && _isWatcher[msg.sender]);
        require(watches, NotAllowed(msg.sender));
        _requireStatus(jobId, job, Status.Running);
        bool recent = lastSeen <= block.timestamp && lastSeen + SILENCE_WITHIN >= block.timestamp;
        require(recent, BadLastSeen(lastSeen));
        uint40 standsAt = Clock.standsAt(job, lastSeen, block.timestamp);
        // A clock that ran to its end was not cut short by silence; its provider has the time to collect.
        uint256 last = Clock.lastSecond(terms, job);
        require(standsAt <= last, TooLate(last));
        _store(jobId, job.withStatus(Status.Silent).withEndedAt(standsAt));
        emit JobSilent(jobId, standsAt, msg.sender);
    }
}
