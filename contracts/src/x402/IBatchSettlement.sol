// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// A payment channel's fixed terms. Its id is the EIP-712 digest of them, so it names chain and contract too.
struct ChannelConfig {
    /// Gets back whatever is not claimed; zero is refused.
    address payer;
    /// The key that signs vouchers; zero means the payer itself, which may then be an EIP-1271 wallet.
    address payerAuthorizer;
    /// Gets what is claimed; may claim and refund.
    address receiver;
    /// The key that claims and refunds for the receiver, in a transaction of its own or by signature; never zero.
    address receiverAuthorizer;
    address token;
    /// Seconds between a payer's wish to withdraw and the withdrawal: 15 minutes to 30 days.
    uint40 withdrawDelay;
    /// Any number, so that equal terms can have several channels.
    bytes32 salt;
}

/// The payer's promise: up to so much, ever, out of this channel.
struct Voucher {
    ChannelConfig channel;
    uint128 maxClaimableAmount;
}

/// One row of a claim: a voucher, its signature and the new total that is claimed under it.
struct VoucherClaim {
    Voucher voucher;
    bytes signature;
    /// In total since the channel exists, at most the voucher's amount.
    uint128 totalClaimed;
}

/// Channels for payments over HTTP: one deposit, any number of signed vouchers off chain, one claim. Structs, verbs,
/// digests, events and errors are those of the public x402BatchSettlement, so clients and facilitators written for that
/// one work with this one; `claimTry`, `closeWithSignature` and `getCloseDigest` are added.
/// Amounts are smallest units of the channel's token. A channel's totals are cumulative and never start over: a voucher
/// that was claimed once is worth nothing more, however often the channel is funded again.
/// Source: https://github.com/x402-foundation/x402, scheme `batch-settlement` on EVM.
interface IBatchSettlement {
    /// The channel was empty and nothing of it had ever been claimed. May happen again after a ChannelClosed.
    event ChannelCreated(bytes32 indexed channelId, ChannelConfig config);
    /// Everything went back to the payer and nothing was ever claimed.
    event ChannelClosed(bytes32 indexed channelId, ChannelConfig config);
    event Deposited(bytes32 indexed channelId, address indexed sender, uint128 amount, uint128 newBalance);
    event Claimed(bytes32 indexed channelId, address indexed sender, uint128 claimAmount, uint128 newTotalClaimed);
    /// `claimTry` left this row out; `reason` is the selector of the error that `claim` would have reverted with.
    event ClaimSkipped(bytes32 indexed channelId, bytes4 reason);
    event Settled(address indexed receiver, address indexed token, address indexed sender, uint128 amount);
    event Refunded(bytes32 indexed channelId, address indexed sender, uint128 amount);
    event WithdrawInitiated(bytes32 indexed channelId, uint128 amount, uint40 finalizeAfter);
    event WithdrawFinalized(bytes32 indexed channelId, address indexed sender, uint128 amount);

    /// A party or the token is zero, or the caller is not the payer's side.
    error InvalidChannel();
    error ZeroDeposit();
    /// More than a channel can count: 2^112 − 1 smallest units.
    error DepositOverflow();
    error InvalidSignature();
    /// A row of a signed batch belongs to another authorizer.
    error NotReceiverAuthorizer();
    error NotAuthorizedToClaim();
    error NotAuthorizedToRefund();
    /// More than the voucher promises.
    error ClaimExceedsCeiling();
    /// More than the channel holds.
    error ClaimExceedsBalance();
    error WithdrawalAlreadyPending();
    error WithdrawalNotPending();
    error NotAuthorizedToFinalizeWithdraw();
    error WithdrawDelayNotElapsed();
    error NothingToWithdraw();
    error WithdrawAmountExceedsAvailable();
    error WithdrawDelayOutOfRange();
    error EmptyBatch();
    /// Another amount came than was announced: a token that takes a fee, or a collector that does not collect.
    error DepositCollectionFailed();
    error InvalidCollector();
    error InvalidRefundNonce();
    error ZeroRefund();

    // ── paying ───────────────────────────────────────────────────────────────────────────────────────────
    /// Anyone may submit; the money comes by the collector, with the payer's signature over the channel's id.
    function deposit(ChannelConfig calldata config, uint128 amount, address collector, bytes calldata collectorData)
        external;
    /// By payer or payerAuthorizer. The receiver has `withdrawDelay` seconds to claim what it holds vouchers for.
    function initiateWithdraw(ChannelConfig calldata config, uint128 amount) external;
    /// By payer or payerAuthorizer after the delay: what was asked for, at most what is not claimed by then.
    function finalizeWithdraw(ChannelConfig calldata config) external;

    // ── being paid ───────────────────────────────────────────────────────────────────────────────────────
    /// By receiver or receiverAuthorizer of every row. All or nothing, but a row whose total is not above what is
    /// claimed already does nothing.
    function claim(VoucherClaim[] calldata voucherClaims) external;
    /// By anyone with the EIP-712 `ClaimBatch` signature of the one receiverAuthorizer of all rows.
    function claimWithSignature(VoucherClaim[] calldata voucherClaims, bytes calldata authorizerSignature) external;
    /// As claim, but a row that cannot be claimed is left out with ClaimSkipped and the others go through.
    function claimTry(VoucherClaim[] calldata voucherClaims) external;
    /// Sends the receiver all that was claimed for it and not sent yet. By anyone; nothing to send is no error.
    function settle(address receiver, address token) external;
    /// Back to the payer, at most what is not claimed. By receiver or receiverAuthorizer. Raises the refund nonce even
    /// when nothing is left to send.
    function refund(ChannelConfig calldata config, uint128 amount) external;
    /// The same by anyone, with the receiverAuthorizer's EIP-712 `Refund` signature for the present nonce.
    function refundWithSignature(
        ChannelConfig calldata config,
        uint128 amount,
        uint256 nonce,
        bytes calldata receiverAuthorizerSignature
    ) external;
    /// Claim, settle and refund in one call. By anyone with the receiverAuthorizer's EIP-712 `Close` signature for the
    /// present nonce, or with an empty signature by receiver or receiverAuthorizer. Raises the refund nonce.
    /// @param refundAmount Goes back to the payer, at most what is not claimed; 2^128 − 1 for all of it, 0 for nothing.
    function closeWithSignature(
        VoucherClaim calldata voucherClaim,
        uint128 refundAmount,
        bytes calldata receiverSignature
    ) external;

    // ── views ────────────────────────────────────────────────────────────────────────────────────────────
    function getChannelId(ChannelConfig calldata config) external view returns (bytes32);
    function getVoucherDigest(bytes32 channelId, uint128 maxClaimableAmount) external view returns (bytes32);
    function getRefundDigest(bytes32 channelId, uint256 nonce, uint128 amount) external view returns (bytes32);
    function getClaimBatchDigest(VoucherClaim[] calldata voucherClaims) external view returns (bytes32);
    /// For the channel's present refund nonce.
    function getCloseDigest(VoucherClaim calldata voucherClaim, uint128 refundAmount) external view returns (bytes32);
    /// Deposits less refunds and withdrawals, claimed or not; and what was claimed of it since ever.
    function channels(bytes32 channelId) external view returns (uint128 balance, uint128 totalClaimed);
    /// `initiatedAt` is 0 when no withdrawal is pending.
    function pendingWithdrawals(bytes32 channelId) external view returns (uint128 amount, uint40 initiatedAt);
    function refundNonce(bytes32 channelId) external view returns (uint256);
    function receivers(address receiver, address token)
        external
        view
        returns (uint128 totalClaimed, uint128 totalSettled);
}
