// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// What was counted of a provider since ever. Only paid, settled work on real machines counts, and none between linked
/// addresses; that is the reporter's to see to.
struct Totals {
    /// Of `listedSeconds`, those in which heartbeats came.
    uint32 seenSeconds;
    /// Time listed as available or running a job.
    uint32 listedSeconds;
    uint32 challenges;
    /// Milliseconds that all challenges together took to be answered; 30,000 for one that was not.
    uint40 answerMillis;
    /// Jobs whose clock was started.
    uint24 started;
    /// Of them, those that ended with outcome silent, given up by the provider, or lost in a dispute.
    uint24 silent;
    uint24 aborted;
    uint24 lost;
}

enum PenaltyKind {
    Downtime,
    DataFraud,
    BadSignature,
    LostDispute,
    Timeout
}

/// A penalty as it stands: what it began with, and what is left of it now, in points.
struct Penalty {
    PenaltyKind kind;
    uint40 at;
    uint16 points;
    uint16 left;
}

/// How far a provider can be trusted, from 0 to 1000. Apart from the market and never on the paying path.
///
/// `score = max(0, formula − penalties)`, `formula = 1000 · (0.4·uptime + 0.2·response + 0.3·completion +
/// 0.1·(1 − disputes))`, each part in whole parts per million and the sum floored. `uptime` = seen / listed; `response` =
/// max(0, 1 − mean answer / 30 s); `completion` = 1 − (silent + aborted + lost) / started; `disputes` = lost / started. A
/// part of which nothing was counted yet is perfect. A penalty fades linearly over 30 days.
interface IReputation {
    event Reported(uint32 indexed providerId, uint16 score, Totals totals);
    /// `points` were taken off; `score` is what that left.
    event Penalised(
        uint32 indexed providerId, PenaltyKind indexed kind, uint16 points, uint16 score, string evidenceCid
    );
    /// A challenge was not answered in time: on record, and by itself no penalty.
    event ChallengeTimedOut(uint32 indexed providerId, bytes32 indexed jobId, string evidenceCid);
    /// `points` of penalties were taken back.
    event Rewarded(uint32 indexed providerId, uint16 points, uint16 score, string evidenceCid);

    error UnknownProvider(uint32 providerId);
    /// One report an hour is enough; the unix time from which the next is taken.
    error TooSoon(uint256 from);
    /// A total fell, or a part is larger than its whole; the field's name.
    error BadTotals(string field);
    /// The same evidence counts once for the same thing.
    error EvidenceUsed(string evidenceCid);
    error NoEvidence();
    /// Nothing is left of any penalty.
    error NothingToRestore(uint32 providerId);

    // ── by the reporter's role ───────────────────────────────────────────────────────────────────────────
    /// New totals, at most once an hour; none may fall.
    function report(uint32 providerId, Totals calldata totals) external;
    /// The same under the name that the first design of the oracle gave it.
    function submitValidationReport(uint32 providerId, Totals calldata totals) external;
    /// One penalty for one piece of evidence. Downtime, timeout: 50 points; bad signature, lost dispute: 100; data fraud:
    /// 200.
    function penalise(uint32 providerId, PenaltyKind kind, string calldata evidenceCid) external;
    function reportDowntime(uint32 providerId, string calldata evidenceCid) external;
    function reportInvalidData(uint32 providerId, string calldata evidenceCid) external;
    function reportInvalidSignature(uint32 providerId, string calldata evidenceCid) external;
    /// Records that a challenge was not answered. A penalty only when `wasThere`: heartbeats flowed in the same 30
    /// seconds, or two relays agree.
    function reportTimeout(uint32 providerId, bytes32 jobId, bool wasThere, string calldata evidenceCid) external;
    /// Takes penalties back, the oldest first, up to `points`; never raises a score above its formula.
    function reward(uint32 providerId, uint16 points, string calldata evidenceCid) external;

    // ── views ────────────────────────────────────────────────────────────────────────────────────────────
    /// @return score 0 to 1000
    /// @return provisional true while no job was started: the score says nothing yet
    function scoreOf(uint32 providerId) external view returns (uint16 score, bool provisional);
    /// The score taken apart: what the totals give, and what penalties take off it now.
    function partsOf(uint32 providerId) external view returns (uint16 formula, uint16 penalties, Totals memory totals);
    /// Those that have not faded yet.
    function penaltiesOf(uint32 providerId) external view returns (Penalty[] memory);
    function market() external view returns (address);
}
