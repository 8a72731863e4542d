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
    /// Fee for cancelling an accepted reservation, in hundredths of a percent of the lock: at most the listing's figure,
    /// and 0 unless the job is a reservation whose controller is a registered watcher.
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

/// A resource, read out. What a job's acceptance touches is packed in one slot. A new job may tie
/// stake − tied − unbonding − contested.
struct Resource {
    uint32 providerId;
    bool available;
    bool busy;
    bool simulated;
    uint72 pricePerHour;
    /// All that the provider put down for the resource and has not withdrawn or lost.
    uint72 stake;
    /// Of the stake: what covers jobs that are not final.
    uint72 tied;
    /// Of the stake: asked back, and free once fourteen days are over.
    uint72 unbonding;
    /// Of the stake: held by slash proposals that are not settled.
    uint72 contested;
    /// Most that a reservation's terms may ask for its cancellation, in hundredths of a percent of the lock.
    uint16 cancelFeeBps;
}

/// The renter-side signature that starts the clock (EIP-712 `Ready(bytes32 jobId,bytes32 readyRecord,uint40 at)`).
struct Ready {
    /// Digest of the agent-signed readiness record.
    bytes32 readyRecord;
    /// Unix seconds by the signer's clock: at most 120 s before the block that the transaction is mined in, and 15 s
    /// after it at most.
    uint40 at;
}

/// What a renter lets a matcher order in its name (EIP-712, domain "Bourse Market", version "1", type `Order` of the
/// same fields in the same order).
struct Order {
    address renter;
    /// The only account that may fill the order.
    address matcher;
    address controller;
    /// The job spec that the terms must carry.
    bytes32 specDigest;
    /// sha2-256 of what the renter asks of a resource. The matcher answers for it; the chain cannot check it.
    bytes32 needsDigest;
    /// Most per hour.
    uint96 maxPrice;
    uint96 maxMinCharge;
    uint32 maxDuration;
    /// Most that is ever locked under this renter's `nonce`, over all of its jobs. Refunds give nothing back to it.
    uint128 budget;
    /// Unix seconds; the last one at which it may be filled.
    uint40 expiry;
    uint256 nonce;
}

/// A dispute that is open or was settled.
struct Dispute {
    /// The renter, or the provider's owner or agent.
    address opener;
    uint40 openedAt;
    /// What the verdict shares out; everything earned before it stands.
    uint128 pot;
    /// Put down by the opener; 0 again once it is settled.
    uint128 bond;
}

// What becomes of a slash proposal: `SlashProposal.status`.
uint8 constant SLASH_PROPOSED = 1;
uint8 constant SLASH_CONTESTED = 2;
uint8 constant SLASH_EXECUTED = 3;
uint8 constant SLASH_DISMISSED = 4;

/// To take stake for a wrong that no dispute settles.
struct SlashProposal {
    bytes32 resourceId;
    /// The renter who lost by it, or zero when nobody did.
    address harmed;
    /// The last second at which the resource's owner may contest it.
    uint40 contestableUntil;
    /// 0 unknown, 1 proposed, 2 contested, 3 executed, 4 dismissed.
    uint8 status;
    /// Taken out of the free stake until it is settled.
    uint72 amount;
    /// Most that `harmed` receives; the rest is burned.
    uint128 loss;
}
