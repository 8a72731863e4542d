// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Dispute, Listing, Order, Resource, SlashProposal, Terms} from "../types/Job.sol";

/// Everything round the jobs: the verbs that `Market` delegates to `MarketCourt`. They are called on the market's
/// address.
interface IMarketCourt {
    // ── listings ─────────────────────────────────────────────────────────────────────────────────────────
    /// The caller becomes the owner. `payout` zero means the owner; the market and its token are refused.
    function registerProvider(address agent, address payout) external returns (uint32 providerId);
    function setAgent(address agent) external;
    /// By the owner. `payout` as above; credits stay where they are.
    function setPayout(address payout) external;
    /// By the owner; available at once.
    function registerResource(Listing calldata listing) external returns (bytes32 resourceId);
    /// By owner or agent.
    function updateAvailability(bytes32 resourceId, bool available) external;
    /// By the owner. Jobs that exist keep their price.
    function updatePricing(bytes32 resourceId, uint72 pricePerHour) external;
    /// By the owner: most that a reservation may owe for its cancellation, at most 2,500 hundredths of a percent of its
    /// lock and a multiple of 10. Jobs that exist keep theirs.
    function setCancelFee(bytes32 resourceId, uint16 cancelFeeBps) external;

    // ── orders ───────────────────────────────────────────────────────────────────────────────────────────
    /// By the order's matcher, with the renter's signature. Locks from the renter's allowance; the terms must keep to
    /// the order and carry no cancel fee.
    function createJobFor(Order calldata order, bytes calldata signature, Terms calldata terms)
        external
        returns (bytes32 jobId);
    /// What was locked under a renter's nonce so far.
    function orderSpent(address renter, uint256 nonce) external view returns (uint256);
    /// True when `createJob(terms)` would not revert now, but for the money.
    function canCreate(Terms calldata terms) external view returns (bool);

    // ── while a job runs ─────────────────────────────────────────────────────────────────────────────────
    /// By the renter, while Running and before the clock's end, with the agent's signed
    /// `Extend(bytes32 jobId,uint24 extraSeconds,uint40 expiry)`; pulls cost(new) − cost(old) from the caller.
    /// `extraSeconds` is the job's new total, as in `State`. It must rise, so one signature extends once, by thirty days
    /// at most.
    function extendJob(Terms calldata terms, uint24 extraSeconds, uint40 expiry, bytes calldata agentSignature) external;
    /// By the controller if it is a registered watcher, or by an oracle. The clock stands where the agent was last seen,
    /// at most ten minutes ago, and that must be before the clock's end; however near to it, the agent has ten minutes.
    function reportSilence(Terms calldata terms, uint40 lastSeen) external;

    // ── stake ────────────────────────────────────────────────────────────────────────────────────────────
    /// Anyone may put down stake for a resource; it is the owner's from then on.
    function stake(bytes32 resourceId, uint72 amount) external;
    /// By the owner, of the free stake. The fourteen days of all that is unbonding begin anew.
    function unstake(bytes32 resourceId, uint72 amount) external;
    /// By the owner: all that is unbonding, once its fourteen days are over, to any address.
    function withdrawStake(bytes32 resourceId, address to) external;

    // ── disputes ─────────────────────────────────────────────────────────────────────────────────────────
    /// By the renter, or the provider's owner or agent: while Running, Paused or Silent, which ends the job and refunds
    /// what is unearned, or within the dispute window after its end. Pulls the bond from the caller: a tenth of the pot
    /// or the market's minimum, whichever is more.
    function disputeJob(Terms calldata terms, string calldata reason) external;
    /// By a judge. `providerBps` of the pot is 0, 5,000 or 10,000. Settles the job and its dispute at once.
    function resolveDispute(Terms calldata terms, uint16 providerBps, string calldata evidenceCid) external;
    /// By anyone when no judge answered in seven days: half of the pot each, and the bond back.
    function settleDispute(Terms calldata terms) external;
    function getDispute(bytes32 jobId) external view returns (Dispute memory);
    function minBond() external view returns (uint128);

    // ── slashes ──────────────────────────────────────────────────────────────────────────────────────────
    /// By a prosecutor: at most a fifth of the stake that is tied to no job, unbonding stake included. `loss` above 0
    /// needs a `harmed` renter, who is neither the caller nor an oracle.
    function proposeSlash(bytes32 resourceId, address harmed, uint72 amount, uint128 loss, string calldata evidenceCid)
        external
        returns (uint256 proposalId);
    /// By the resource's owner, within 48 hours.
    function contestSlash(uint256 proposalId, string calldata evidenceCid) external;
    /// By a judge, when it was contested.
    function decideSlash(uint256 proposalId, bool slash) external;
    /// By anyone, after the 48 hours when nobody contested. A contested proposal that no judge decided in seven more
    /// days is dismissed by this call.
    function executeSlash(uint256 proposalId) external;
    function getSlash(uint256 proposalId) external view returns (SlashProposal memory);

    // ── credits ──────────────────────────────────────────────────────────────────────────────────────────
    /// Money that could not be delivered, to any address that the caller, whose credit it is, names.
    function withdrawCredit(address token, address to) external;
    function credits(address account) external view returns (uint256);

    // ── operation, under AccessManager roles ─────────────────────────────────────────────────────────────
    /// Blocks creating, registering and staking, nothing else.
    function pause() external;
    function unpause() external;
    function setFee(uint16 feeBps) external;
    /// Watchers report silence in jobs that they control, and controllers of jobs with a cancel fee are watchers.
    function setWatcher(address watcher, bool registered) external;
    /// Oracles report silence in any job.
    function setOracle(address oracle, bool registered) external;
    /// Least that a dispute's opener puts down.
    function setMinBond(uint128 amount) external;
    function withdrawFees(address to) external;

    // ── views ────────────────────────────────────────────────────────────────────────────────────────────
    function feeBps() external view returns (uint16);
    function paused() external view returns (bool);
    function fees() external view returns (uint256);
    function isWatcher(address account) external view returns (bool);
    function isOracle(address account) external view returns (bool);
    function getResource(bytes32 resourceId) external view returns (Resource memory);
    function resourceIdOf(address owner, bytes32 key) external pure returns (bytes32);
    function providerIdOf(address owner) external view returns (uint32);
    function getProvider(uint32 providerId) external view returns (address owner, address agent, address payout);
}
