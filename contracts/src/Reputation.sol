// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMarket} from "./interfaces/IMarket.sol";
import {IReputation, Penalty, PenaltyKind, Totals} from "./interfaces/IReputation.sol";
import {Score} from "./libraries/Score.sol";

/// Totals in one slot for each provider, and the few penalties that have not faded. What they rest on is in the events.
contract Reputation is IReputation, AccessManaged {
    /// One slot.
    struct Record {
        Totals totals; //         232
        uint24 reportedHour; //    24  unix time / 3600 of the last report
    }

    /// One slot; `weight` is what would be left at `at`, in millionths of a point, so that restoring a part of a faded
    /// penalty loses nothing that can be seen.
    struct Entry {
        PenaltyKind kind; //    8
        uint40 at; //          40
        uint64 weight; //      64
    }

    uint256 private constant REPORT_EVERY = 1 hours;
    uint256 private constant FADE = 30 days;
    uint256 private constant POINT = 1_000_000;
    /// More at once would be zero points in any case; what is oldest then makes room.
    uint256 private constant PENALTIES_MAX = 64;
    uint8 private constant REWARD = type(uint8).max;

    IMarket private immutable MARKET;

    mapping(uint32 providerId => Record) private _records;
    mapping(uint32 providerId => Entry[]) private _penalties;
    mapping(bytes32 evidence => bool) private _used;

    modifier known(uint32 providerId) {
        (address owner,,) = MARKET.getProvider(providerId);
        require(owner != address(0), UnknownProvider(providerId));
        _;
    }

    /// @param authority an AccessManager whose roles name the reporters
    constructor(IMarket market_, address authority) AccessManaged(authority) {
        MARKET = market_;
    }

    // ── by the reporter's role ───────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IReputation
    function report(uint32 providerId, Totals calldata totals) external restricted {
        _report(providerId, totals);
    }

    /// @inheritdoc IReputation
    function submitValidationReport(uint32 providerId, Totals calldata totals) external restricted {
        _report(providerId, totals);
    }

    /// @inheritdoc IReputation
    function penalise(uint32 providerId, PenaltyKind kind, string calldata evidenceCid) external restricted {
        _penalise(providerId, kind, evidenceCid);
    }

    /// @inheritdoc IReputation
    function reportDowntime(uint32 providerId, string calldata evidenceCid) external restricted {
        _penalise(providerId, PenaltyKind.Downtime, evidenceCid);
    }

    /// @inheritdoc IReputation
    function reportInvalidData(uint32 providerId, string calldata evidenceCid) external restricted {
        _penalise(providerId, PenaltyKind.DataFraud, evidenceCid);
    }

    /// @inheritdoc IReputation
    function reportInvalidSignature(uint32 providerId, string calldata evidenceCid) external restricted {
        _penalise(providerId, PenaltyKind.BadSignature, evidenceCid);
    }

    /// @inheritdoc IReputation
    function reportTimeout(uint32 providerId, bytes32 jobId, bool wasThere, string calldata evidenceCid)
        external
        restricted
        known(providerId)
    {
        emit ChallengeTimedOut(providerId, jobId, evidenceCid);
        if (wasThere) _penalise(providerId, PenaltyKind.Timeout, evidenceCid);
    }

    /// @inheritdoc IReputation
    function reward(uint32 providerId, uint16 points, string calldata evidenceCid)
        external
        restricted
        known(providerId)
    {
        _use(providerId, REWARD, evidenceCid);
        Entry[] storage entries = _penalties[providerId];
        uint256 budget = points * POINT;
        uint256 restored = 0;
        for (uint256 i = 0; i < entries.length && restored < budget; ++i) {
            uint256 left = _left(entries[i]);
            uint256 part = Math.min(left, budget - restored);
            restored += part;
            if (part != 0) entries[i].weight = uint64(_weight(left - part, entries[i].at));
        }
        require(restored != 0, NothingToRestore(providerId));
        emit Rewarded(providerId, uint16(Math.ceilDiv(restored, POINT)), _score(providerId), evidenceCid);
    }

    // ── views ────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IReputation
    function scoreOf(uint32 providerId) external view returns (uint16 score, bool provisional) {
        return (_score(providerId), _records[providerId].totals.started == 0);
    }

    /// @inheritdoc IReputation
    function partsOf(uint32 providerId) external view returns (uint16 formula, uint16 penalties, Totals memory totals) {
        totals = _records[providerId].totals;
        formula = uint16(Score.formula(totals));
        penalties = uint16(Math.min(_taken(providerId), Score.SCORE_MAX));
    }

    /// @inheritdoc IReputation
    function penaltiesOf(uint32 providerId) external view returns (Penalty[] memory live) {
        Entry[] storage entries = _penalties[providerId];
        uint256 count = 0;
        for (uint256 i = 0; i < entries.length; ++i) {
            if (_left(entries[i]) != 0) ++count;
        }
        live = new Penalty[](count);
        for (uint256 i = entries.length; i != 0; --i) {
            Entry memory entry = entries[i - 1];
            uint256 left = _left(entry);
            if (left == 0) continue;
            live[--count] = Penalty({
                kind: entry.kind, at: entry.at, points: _pointsOf(entry.kind), left: uint16(Math.ceilDiv(left, POINT))
            });
        }
    }

    /// @inheritdoc IReputation
    function market() external view returns (address) {
        return address(MARKET);
    }

    // ── totals ───────────────────────────────────────────────────────────────────────────────────────────

    function _report(uint32 providerId, Totals calldata totals) private known(providerId) {
        Record memory record = _records[providerId];
        uint256 from = (uint256(record.reportedHour) + 1) * REPORT_EVERY;
        require(block.timestamp >= from, TooSoon(from));
        _requireGrown(record.totals, totals);
        _requireWhole(totals);
        _records[providerId] = Record({totals: totals, reportedHour: uint24(block.timestamp / REPORT_EVERY)});
        emit Reported(providerId, _score(providerId), totals);
    }

    function _requireGrown(Totals memory was, Totals calldata now_) private pure {
        require(now_.seenSeconds >= was.seenSeconds, BadTotals("seenSeconds"));
        require(now_.listedSeconds >= was.listedSeconds, BadTotals("listedSeconds"));
        require(now_.challenges >= was.challenges, BadTotals("challenges"));
        require(now_.answerMillis >= was.answerMillis, BadTotals("answerMillis"));
        require(now_.started >= was.started, BadTotals("started"));
        require(now_.silent >= was.silent, BadTotals("silent"));
        require(now_.aborted >= was.aborted, BadTotals("aborted"));
        require(now_.lost >= was.lost, BadTotals("lost"));
    }

    function _requireWhole(Totals calldata totals) private pure {
        require(totals.seenSeconds <= totals.listedSeconds, BadTotals("seenSeconds"));
        uint256 failed = uint256(totals.silent) + totals.aborted + totals.lost;
        require(failed <= totals.started, BadTotals("started"));
    }

    function _score(uint32 providerId) private view returns (uint16) {
        return uint16(Math.saturatingSub(Score.formula(_records[providerId].totals), _taken(providerId)));
    }

    // ── penalties ────────────────────────────────────────────────────────────────────────────────────────

    function _penalise(uint32 providerId, PenaltyKind kind, string calldata evidenceCid) private known(providerId) {
        _use(providerId, uint8(kind), evidenceCid);
        Entry[] storage entries = _penalties[providerId];
        _makeRoom(entries);
        uint16 points = _pointsOf(kind);
        entries.push(Entry({kind: kind, at: uint40(block.timestamp), weight: uint64(points * POINT)}));
        emit Penalised(providerId, kind, points, _score(providerId), evidenceCid);
    }

    /// Drops what has faded, and the oldest when there are too many.
    function _makeRoom(Entry[] storage entries) private {
        uint256 kept = 0;
        for (uint256 i = entries.length >= PENALTIES_MAX ? 1 : 0; i < entries.length; ++i) {
            Entry memory entry = entries[i];
            if (_left(entry) != 0) entries[kept++] = entry;
        }
        while (entries.length > kept) {
            entries.pop();
        }
    }

    /// The points that all penalties take off together, rounded up: a fraction of one is not forgiven.
    function _taken(uint32 providerId) private view returns (uint256) {
        Entry[] storage entries = _penalties[providerId];
        uint256 sum = 0;
        for (uint256 i = 0; i < entries.length; ++i) {
            sum += _left(entries[i]);
        }
        return Math.ceilDiv(sum, POINT);
    }

    /// In millionths of a point.
    function _left(Entry memory entry) private view returns (uint256) {
        return entry.weight * Math.saturatingSub(FADE, block.timestamp - entry.at) / FADE;
    }

    /// The weight of which `left` is left by now; only asked of what has not faded.
    function _weight(uint256 left, uint256 at) private view returns (uint256) {
        return Math.ceilDiv(left * FADE, FADE - (block.timestamp - at));
    }

    function _pointsOf(PenaltyKind kind) private pure returns (uint16) {
        if (kind == PenaltyKind.DataFraud) return 200;
        if (kind == PenaltyKind.BadSignature || kind == PenaltyKind.LostDispute) return 100;
        return 50;
    }

    function _use(uint32 providerId, uint8 what, string calldata evidenceCid) private {
        require(bytes(evidenceCid).length != 0, NoEvidence());
        bytes32 evidence = keccak256(abi.encode(providerId, what, evidenceCid));
        require(!_used[evidence], EvidenceUsed(evidenceCid));
        _used[evidence] = true;
    }
}
