// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Outcome, Ready, State, Terms} from "../types/Job.sol";
import {ISettles} from "./ISettles.sol";

/// A job from order to settlement: the verbs that `Market` carries itself.
interface IMarketJobs is ISettles {
    // ── renting ──────────────────────────────────────────────────────────────────────────────────────────
    /// Locks `cost(maxDuration)` from the caller, who may pay for another renter.
    function createJob(Terms calldata terms) external returns (bytes32 jobId);
    /// All or nothing. Anyone may create any of these jobs first, with money of their own, and so make this call revert
    /// with JobExists: the renter then has that job paid for and sends the others again.
    function createJobs(Terms[] calldata terms) external;
    /// As createJob after the caller's ERC-2612 permit; a permit that fails is ignored and the allowance decides.
    function createJobWithPermit(Terms calldata terms, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        returns (bytes32 jobId);
    /// Money from `terms.renter` by EIP-3009 `receiveWithAuthorization` with nonce = jobId; anyone may submit it.
    function createJobWithAuthorization(
        Terms calldata terms,
        uint256 validAfter,
        uint256 validBefore,
        bytes calldata signature
    ) external returns (bytes32 jobId);
    /// By the renter, any time before Running: a full refund, but for the terms' cancel fee, which an accepted
    /// reservation owes until ten minutes after `notBefore`.
    function cancelJob(Terms calldata terms) external;
    /// By renter or controller, at any second while the clock exists (Running, Paused, Silent).
    function stopJob(Terms calldata terms) external;

    // ── providing ────────────────────────────────────────────────────────────────────────────────────────
    /// By the agent within ten minutes of the order. Ties free stake to the job for as many seconds as it pays for, at
    /// most the dispute window and the job's length.
    function acceptJob(Terms calldata terms) external;
    /// By the agent before Running: full refund, with the reason on chain.
    function declineJob(Terms calldata terms, string calldata reason) external;
    /// By the agent with the controller's (or renter's) signature, within an hour of the later of accept and
    /// `notBefore`. Accepts too when the job is still Created: within ten minutes of the order, or for a reservation
    /// within an hour of `notBefore`.
    function startJob(Terms calldata terms, Ready calldata ready, bytes calldata signature) external;
    /// By the agent, until the clock's end and while a job's pauses and silences come to less than 24 h.
    function pauseJob(Terms calldata terms) external;
    /// By the agent: from Paused while pauses and silences come to 24 h at most, or from Silent within ten minutes of
    /// the report. The gap is not billed.
    function resumeJob(Terms calldata terms) external;
    /// Pays what is payable by now: the seconds that are older than the dispute window, and as many more as stake
    /// covers. By owner or agent, while the clock exists.
    function processPayment(Terms calldata terms) external;
    /// By owner or agent, with Succeeded, Failed or AbortedByProvider; while the clock stands, as long as it might be
    /// resumed. Refunds what is unearned and pays what is payable; the rest waits for `finalize`.
    function completeJob(Terms calldata terms, Outcome outcome, bytes32 resultDigest) external;

    // ── anyone ───────────────────────────────────────────────────────────────────────────────────────────
    /// After a proven end: too late for the job to start, silence not resumed in ten minutes, over 24 h of pauses and
    /// silences at a pause, or two hours past the clock's end. The last is final at once: every second that was
    /// processed is older than the dispute window.
    function closeJob(Terms calldata terms) external;
    /// Once the dispute window after the end is over: pays the rest, books the fee and frees the tied stake. All or
    /// nothing.
    function finalize(Terms[] calldata terms) external;

    // ── views ────────────────────────────────────────────────────────────────────────────────────────────
    /// The contract that the verbs of `IMarketCourt` are delegated to.
    function court() external view returns (address);
    function jobIdOf(Terms calldata terms) external view returns (bytes32);
    function getJob(bytes32 jobId) external view returns (State memory);
    /// What the provider would receive if `processPayment` were mined now.
    function payableNow(Terms calldata terms) external view returns (uint256);
}
