// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Listing, Outcome, Terms} from "../types/Job.sol";

/// What the market says. Everything that anybody needs to follow it is in these.
interface IMarketEvents {
    // ── listings ─────────────────────────────────────────────────────────────────────────────────────────
    event ProviderRegistered(uint32 indexed providerId, address indexed owner, address agent, address payout);
    event AgentChanged(uint32 indexed providerId, address agent);
    event PayoutChanged(uint32 indexed providerId, address payout);
    event ResourceRegistered(bytes32 indexed resourceId, uint32 indexed providerId, Listing listing);
    event AvailabilityChanged(bytes32 indexed resourceId, bool available);
    event PriceChanged(bytes32 indexed resourceId, uint72 pricePerHour);
    event CancelFeeChanged(bytes32 indexed resourceId, uint16 cancelFeeBps);

    // ── jobs: one event for each transition ──────────────────────────────────────────────────────────────
    event JobCreated(
        bytes32 indexed jobId, bytes32 indexed resourceId, address indexed renter, uint16 feeBps, Terms terms
    );
    /// After JobCreated, when a matcher filled an order; `spent` is what was locked under the nonce so far.
    event OrderFilled(bytes32 indexed jobId, address indexed renter, uint256 nonce, uint256 spent);
    /// `coverSeconds` of the resource's stake are tied to the job until it is over.
    event JobAccepted(bytes32 indexed jobId, uint16 coverSeconds);
    event JobDeclined(bytes32 indexed jobId, uint256 refunded, string reason);
    /// By the renter, or by anyone once a deadline was over.
    event JobCancelled(bytes32 indexed jobId, address by, uint256 refunded);
    /// After JobCancelled, when the provider is owed for a reservation that it had accepted. `paid` went to the payout
    /// address or became its owner's credit; paid + fee + refunded = locked.
    event CancelFeePaid(bytes32 indexed jobId, uint256 paid, uint256 fee);
    event JobStarted(bytes32 indexed jobId, bytes32 readyRecord);
    event JobPaused(bytes32 indexed jobId);
    /// From Paused or from Silent; `pausedSeconds` is the total that is not billed.
    event JobResumed(bytes32 indexed jobId, uint32 pausedSeconds);
    /// Totals after the extension.
    event JobExtended(bytes32 indexed jobId, uint24 extraSeconds, uint256 locked);
    event JobSilent(bytes32 indexed jobId, uint40 clockStandsAt, address reporter);
    /// `amount` went to the provider's payout address, or became its owner's credit, for the seconds up to
    /// `paidSeconds`. Those of a job's end, of its finalization and of a verdict come with one too; a verdict leaves
    /// `paidSeconds` as it was.
    event JobPaid(bytes32 indexed jobId, uint32 paidSeconds, uint256 amount);
    /// The clock stands for good. `by` called: renter or controller, agent or owner, or anyone after a proven end.
    /// `refunded` was not earned and went back to the renter in the same call, or became the renter's credit. What is
    /// neither paid nor refunded waits for `finalize` or a verdict.
    event JobEnded(
        bytes32 indexed jobId, address by, Outcome outcome, uint32 secondsRun, uint256 refunded, bytes32 resultDigest
    );
    /// After JobEnded, when it ended the job. The verdict shares out `pot`.
    event JobDisputed(bytes32 indexed jobId, address indexed opener, uint256 pot, uint256 bond, string reason);
    /// Before JobFinalized. `by` is the judge, or anyone who settled by default. The provider got `providerBps` of the
    /// pot, `returned` went to the renter, and `fromCover` of that was taken from the stake. The bond went back to the
    /// opener, or on a wholly adverse verdict to the other party.
    event DisputeResolved(
        bytes32 indexed jobId, address by, uint16 providerBps, uint256 returned, uint256 fromCover, string evidenceCid
    );
    /// Nothing moves any more. `paid` is the provider's total, net of what came back from the cover, `fee` the
    /// platform's; paid + fee + refunded + returned = locked.
    event JobFinalized(bytes32 indexed jobId, uint256 paid, uint256 fee);
    /// Could not be delivered: pay is credited to the provider's owner, anything else to whom it was for.
    event Credited(address indexed account, uint256 amount);
    event CreditWithdrawn(address indexed account, address to, uint256 amount);

    // ── stake ────────────────────────────────────────────────────────────────────────────────────────────
    /// `stake` is the new total, as in `Resource`.
    event Staked(bytes32 indexed resourceId, address from, uint256 amount, uint256 stake);
    /// `unbonding` is the new total; all of it may be withdrawn from `availableAt` on.
    event UnstakeRequested(bytes32 indexed resourceId, uint256 amount, uint256 unbonding, uint40 availableAt);
    event Unstaked(bytes32 indexed resourceId, address to, uint256 amount, uint256 stake);
    event SlashProposed(
        uint256 indexed proposalId,
        bytes32 indexed resourceId,
        address harmed,
        uint256 amount,
        uint256 loss,
        uint40 contestableUntil,
        string evidenceCid
    );
    event SlashContested(uint256 indexed proposalId, string evidenceCid);
    /// toHarmed + burned is the amount when it was slashed, else both are 0 and the stake is the provider's again.
    event SlashSettled(uint256 indexed proposalId, bool slashed, uint256 toHarmed, uint256 burned);

    // ── operation ────────────────────────────────────────────────────────────────────────────────────────
    event FeeChanged(uint16 feeBps);
    event WatcherChanged(address indexed watcher, bool registered);
    event OracleChanged(address indexed oracle, bool registered);
    event FeesWithdrawn(address indexed to, uint256 amount);
    event PauseChanged(bool paused);
    event MinBondChanged(uint128 amount);
}
