// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// What renter and provider agreed on. Callers pass it in calldata; the contract keeps only its hash:
/// `jobId = keccak256(abi.encode(chainId, market, terms))`.
struct Terms {
    /// Pays, and gets back whatever is not earned.
    address renter;
    /// Signs `Ready` and may stop the job; never paid, never zero.
    address controller;
    /// `keccak256(abi.encode(owner, key))` of the listing.
    bytes32 resourceId;
    /// Smallest units of the settlement token per hour.
    uint96 pricePerHour;
    /// Least the provider earns once the clock ran, at most the cost of ten minutes.
    uint96 minCharge;
    /// Seconds of clock that the lock pays for.
    uint32 maxDuration;
    /// Unix seconds before which the clock may not start. In the future when the job is created it makes a reservation;
    /// 0 or past means at once.
    uint40 notBefore;
    /// Fee for cancelling an accepted reservation, in hundredths of a percent of the lock.
    uint16 cancelFeeBps;
    /// sha2-256 of the job spec document: the digest of its raw CIDv1.
    bytes32 specDigest;
    /// Reserved bits; zero for now.
    uint32 flags;
    /// Chosen by the renter so that equal agreements have different ids.
    uint64 salt;
    /// Reserved for features that bind more to the job; zero for now.
    bytes32 extra;
}

enum Status {
    None,
    Created,
    Accepted,
    Running,
    Paused,
    Silent,
    Ended,
    Disputed,
    Final,
    Cancelled
}

enum Outcome {
    None,
    Succeeded,
    Failed,
    StoppedByRenter,
    AbortedByProvider,
    Silent,
    Disputed
}

/// Everything the contract remembers of a job: one slot of seconds, never of amounts.
struct State {
    Status status; //            8
    Outcome outcome; //          8
    uint16 feeBps; //           16  platform fee when the job was created
    uint40 since; //            40  block time of the last status change
    uint40 startedAt; //        40
    uint40 endedAt; //          40  where the clock stands, 0 while it runs
    uint32 paidSeconds; //      32
    uint32 pausedSeconds; //    32  gaps that are not billed, by pauses and silences
    uint24 extraSeconds; //     24  bought by extendJob
    uint16 coverSeconds; //     16  of stake tied to the job
}

/// One rentable unit. The description travels in the event; what money depends on is stored in one slot.
struct Listing {
    /// Chosen by the agent from the machine's identity, so that listing the same unit twice gives one record.
    bytes32 key;
    uint72 pricePerHour;
    bool simulated;
    string model;
    uint16 gpuCount;
    /// Of GPU memory, per card.
    uint32 vramMib;
    uint16 vcpus;
    uint32 memoryMib;
    /// Of disk that jobs may use.
    uint64 storageMib;
    /// Free text or CID with more: driver, region, link speed.
    string details;
}

/// A resource, read out; stored packed in one slot with its three flags in one byte.
struct Resource {
    uint32 providerId;
    bool available;
    bool busy;
    bool simulated;
    uint72 pricePerHour;
    uint72 stake;
    uint72 tied;
}

/// The renter-side signature that starts the clock (EIP-712 `Ready(bytes32 jobId,bytes32 readyRecord,uint40 at)`).
struct Ready {
    /// Digest of the agent-signed readiness record.
    bytes32 readyRecord;
    /// Unix seconds by the signer's clock: at most 120 s before the block that the transaction is mined in, and 15 s
    /// after it at most.
    uint40 at;
}

/// The law: listings, jobs, escrow and the stream of seconds, in one contract with one settlement token.
/// Amounts are smallest units of that token, times unix seconds.
interface IMarket {
    // ── listings ─────────────────────────────────────────────────────────────────────────────────────────
    event ProviderRegistered(uint32 indexed providerId, address indexed owner, address agent, address payout);
    event AgentChanged(uint32 indexed providerId, address agent);
    event PayoutChanged(uint32 indexed providerId, address payout);
    event ResourceRegistered(bytes32 indexed resourceId, uint32 indexed providerId, Listing listing);
    event AvailabilityChanged(bytes32 indexed resourceId, bool available);
    event PriceChanged(bytes32 indexed resourceId, uint72 pricePerHour);

    // ── jobs: one event for each transition ──────────────────────────────────────────────────────────────
    event JobCreated(
        bytes32 indexed jobId, bytes32 indexed resourceId, address indexed renter, uint16 feeBps, Terms terms
    );
    event JobAccepted(bytes32 indexed jobId);
    event JobDeclined(bytes32 indexed jobId, uint256 refunded, string reason);
    /// By the renter, or by anyone once a deadline was over.
    event JobCancelled(bytes32 indexed jobId, address by, uint256 refunded);
    event JobStarted(bytes32 indexed jobId, bytes32 readyRecord);
    event JobPaused(bytes32 indexed jobId);
    /// From Paused or from Silent; `pausedSeconds` is the total that is not billed.
    event JobResumed(bytes32 indexed jobId, uint32 pausedSeconds);
    /// Totals after the extension.
    event JobExtended(bytes32 indexed jobId, uint24 extraSeconds, uint256 locked);
    event JobSilent(bytes32 indexed jobId, uint40 clockStandsAt, address reporter);
    /// `amount` went to the provider's payout address, or became its owner's credit, for the seconds up to
    /// `paidSeconds`; the last one comes with the job's end.
    event JobPaid(bytes32 indexed jobId, uint32 paidSeconds, uint256 amount);
    /// The clock stands for good. `by` called: renter or controller, agent or owner, or anyone after a proven end.
    /// `refunded` was not earned and went back to the renter in the same call, or became the renter's credit.
    event JobEnded(
        bytes32 indexed jobId, address by, Outcome outcome, uint32 secondsRun, uint256 refunded, bytes32 resultDigest
    );
    /// `paid` is the provider's total, `fee` the platform's; paid + fee + refunded = locked.
    event JobFinalized(bytes32 indexed jobId, uint256 paid, uint256 fee);
    /// Could not be delivered: pay is credited to the provider's owner, a refund to the renter.
    event Credited(address indexed account, uint256 amount);
    event CreditWithdrawn(address indexed account, address to, uint256 amount);

    // ── operation ────────────────────────────────────────────────────────────────────────────────────────
    event FeeChanged(uint16 feeBps);
    event WatcherChanged(address indexed watcher, bool registered);
    event OracleChanged(address indexed oracle, bool registered);
    event FeesWithdrawn(address indexed to, uint256 amount);
    event PauseChanged(bool paused);

    // ── errors ───────────────────────────────────────────────────────────────────────────────────────────
    error NotAllowed(address caller);
    error UnknownProvider(address owner);
    error AlreadyRegistered(uint32 providerId);
    error ResourceExists(bytes32 resourceId);
    error UnknownResource(bytes32 resourceId);
    error ResourceUnavailable(bytes32 resourceId);
    error ResourceBusy(bytes32 resourceId);
    /// The listing costs more than the terms offer.
    error PriceTooLow(uint256 offered, uint256 listed);
    /// A field of the terms is out of its range; the field's name.
    error BadTerms(string field);
    error JobExists(bytes32 jobId);
    error WrongStatus(bytes32 jobId, Status status);
    error TooEarly(uint256 notBefore);
    error TooLate(uint256 deadline);
    /// The signature over Ready or Extend is not by who must sign it.
    error BadSignature(address signer);
    error ReadyExpired(uint40 at);
    error BadOutcome(Outcome outcome);
    error BadLastSeen(uint40 lastSeen);
    /// The job's clock has been held for a day in all.
    error NoPauseLeft(bytes32 jobId);
    error NothingDue();
    error WrongToken(address token);
    /// Neither the market nor its token can be paid.
    error BadPayout(address payout);
    error WrongAmountReceived(uint256 expected, uint256 received);
    error FeeTooHigh(uint16 feeBps);
    error ZeroAddress();
    error ZeroPrice();
    /// Creating and registering is paused; everything else goes on.
    error MarketPaused();

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
    /// By the renter, any time before Running: full refund.
    function cancelJob(Terms calldata terms) external;
    /// By renter or controller, at any second while the clock exists (Running, Paused, Silent).
    function stopJob(Terms calldata terms) external;
    /// By the renter, while Running and before the clock's end, with the agent's signed
    /// `Extend(bytes32 jobId,uint24 extraSeconds,uint40 expiry)`; pulls cost(new) − cost(old) from the caller.
    /// `extraSeconds` is the job's new total, as in `State`. It must rise, so one signature extends once, by thirty days
    /// at most.
    function extendJob(Terms calldata terms, uint24 extraSeconds, uint40 expiry, bytes calldata agentSignature) external;

    // ── providing ────────────────────────────────────────────────────────────────────────────────────────
    /// By the agent within ten minutes of the order.
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
    /// Pays what is payable by now. By owner or agent.
    function processPayment(Terms calldata terms) external;
    /// By owner or agent, with Succeeded, Failed or AbortedByProvider; while the clock stands, as long as it might be
    /// resumed.
    function completeJob(Terms calldata terms, Outcome outcome, bytes32 resultDigest) external;

    // ── anyone ───────────────────────────────────────────────────────────────────────────────────────────
    /// After a proven end: too late for the job to start, silence not resumed in ten minutes, over 24 h of pauses and
    /// silences at a pause, or two hours past the clock's end.
    function closeJob(Terms calldata terms) external;
    /// By the controller if it is a registered watcher, or by an oracle. The clock stands where the agent was last seen,
    /// at most ten minutes ago, and that must be before the clock's end; however near to it, the agent has ten minutes.
    function reportSilence(Terms calldata terms, uint40 lastSeen) external;
    /// Money that could not be delivered, to any address that the caller, whose credit it is, names.
    function withdrawCredit(address token, address to) external;

    // ── operation, under AccessManager roles ─────────────────────────────────────────────────────────────
    /// Blocks creating and registering, nothing else.
    function pause() external;
    function unpause() external;
    function setFee(uint16 feeBps) external;
    /// Watchers report silence in jobs that they control.
    function setWatcher(address watcher, bool registered) external;
    /// Oracles report silence in any job.
    function setOracle(address oracle, bool registered) external;
    function withdrawFees(address to) external;

    // ── views ────────────────────────────────────────────────────────────────────────────────────────────
    function token() external view returns (address);
    function feeBps() external view returns (uint16);
    function paused() external view returns (bool);
    function fees() external view returns (uint256);
    function credits(address account) external view returns (uint256);
    function isWatcher(address account) external view returns (bool);
    function isOracle(address account) external view returns (bool);
    function jobIdOf(Terms calldata terms) external view returns (bytes32);
    function getJob(bytes32 jobId) external view returns (State memory);
    function getResource(bytes32 resourceId) external view returns (Resource memory);
    function resourceIdOf(address owner, bytes32 key) external pure returns (bytes32);
    function providerIdOf(address owner) external view returns (uint32);
    function getProvider(uint32 providerId) external view returns (address owner, address agent, address payout);
    /// What the provider would receive if `processPayment` were mined now.
    function payableNow(Terms calldata terms) external view returns (uint256);
}
