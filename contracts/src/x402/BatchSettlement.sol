// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ChannelDigests} from "./ChannelDigests.sol";
import {ChannelSignatures} from "./ChannelSignatures.sol";
import {ChannelConfig, IBatchSettlement, VoucherClaim} from "./IBatchSettlement.sol";
import {IDepositCollector} from "./IDepositCollector.sol";

/// Channels in one slot each, and what is due to each receiver in another. State changes before money moves; the guard
/// stands everywhere, because a token or a wallet may call back. No owner, no fee, nothing that a constructor sets.
contract BatchSettlement is ChannelDigests, ReentrancyGuardTransient, Multicall {
    using SafeERC20 for IERC20;

    /// One slot. What clients see as 128 bits is kept in 112: more than any token has.
    struct Channel {
        uint112 balance; //        112  deposits less refunds and withdrawals
        uint112 totalClaimed; //   112  of it, since ever
        uint24 refunds; //          24  the refund nonce
        bool withdrawing; //         8  whether a withdrawal is pending
    }

    /// One slot.
    struct Withdrawal {
        uint128 amount;
        uint40 initiatedAt;
    }

    /// One slot.
    struct Receiver {
        uint128 totalClaimed;
        uint128 totalSettled;
    }

    uint40 public constant MIN_WITHDRAW_DELAY = 15 minutes;
    uint40 public constant MAX_WITHDRAW_DELAY = 30 days;

    /// What a payer that is a contract may burn to answer for its signature in `claimTry`, so that it cannot burn the
    /// gas of the rows behind it.
    uint256 private constant WALLET_GAS_MAX = 200_000;

    mapping(bytes32 channelId => Channel) private _channels;

    /// @inheritdoc IBatchSettlement
    mapping(bytes32 channelId => Withdrawal) public pendingWithdrawals;

    /// @inheritdoc IBatchSettlement
    mapping(address receiver => mapping(address token => Receiver)) public receivers;

    // ── paying ───────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IBatchSettlement
    function deposit(ChannelConfig calldata config, uint128 amount, address collector, bytes calldata collectorData)
        external
        nonReentrant
    {
        _requireSound(config);
        require(amount != 0, ZeroDeposit());
        require(collector != address(0), InvalidCollector());
        bytes32 channelId = _channelId(_domainSeparator(), config);
        Channel memory channel = _channels[channelId];
        uint256 balance = uint256(channel.balance) + amount;
        require(balance <= type(uint112).max, DepositOverflow());
        bool created = channel.balance == 0 && channel.totalClaimed == 0;
        channel.balance = uint112(balance);
        _channels[channelId] = channel;
        if (created) emit ChannelCreated(channelId, config);
        emit Deposited(channelId, msg.sender, amount, uint128(balance));

        IERC20 token = IERC20(config.token);
        uint256 before = token.balanceOf(address(this));
        IDepositCollector(collector).collect(config.payer, config.token, amount, channelId, collectorData);
        require(token.balanceOf(address(this)) == before + amount, DepositCollectionFailed());
    }

    /// @inheritdoc IBatchSettlement
    function initiateWithdraw(ChannelConfig calldata config, uint128 amount) external nonReentrant {
        require(_isPayerSide(config), InvalidChannel());
        require(amount != 0, NothingToWithdraw());
        bytes32 channelId = _channelId(_domainSeparator(), config);
        Channel memory channel = _channels[channelId];
        require(!channel.withdrawing, WithdrawalAlreadyPending());
        require(amount <= _unclaimed(channel), WithdrawAmountExceedsAvailable());
        channel.withdrawing = true;
        _channels[channelId] = channel;
        pendingWithdrawals[channelId] = Withdrawal({amount: amount, initiatedAt: uint40(block.timestamp)});
        emit WithdrawInitiated(channelId, amount, uint40(block.timestamp) + config.withdrawDelay);
    }

    /// @inheritdoc IBatchSettlement
    function finalizeWithdraw(ChannelConfig calldata config) external nonReentrant {
        require(_isPayerSide(config), NotAuthorizedToFinalizeWithdraw());
        bytes32 channelId = _channelId(_domainSeparator(), config);
        Channel memory channel = _channels[channelId];
        require(channel.withdrawing, WithdrawalNotPending());
        Withdrawal memory withdrawal = pendingWithdrawals[channelId];
        uint256 due = uint256(withdrawal.initiatedAt) + config.withdrawDelay;
        require(block.timestamp >= due, WithdrawDelayNotElapsed());
        uint128 amount = _min(withdrawal.amount, _unclaimed(channel));
        channel.withdrawing = false;
        channel.balance -= uint112(amount);
        _channels[channelId] = channel;
        delete pendingWithdrawals[channelId];
        emit WithdrawFinalized(channelId, msg.sender, amount);
        _tellIfClosed(channelId, channel, config);
        if (amount != 0) IERC20(config.token).safeTransfer(config.payer, amount);
    }

    // ── being paid ───────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IBatchSettlement
    function claim(VoucherClaim[] calldata voucherClaims) external nonReentrant {
        require(voucherClaims.length != 0, EmptyBatch());
        bytes32 domain = _domainSeparator();
        for (uint256 i = 0; i < voucherClaims.length; ++i) {
            VoucherClaim calldata row = voucherClaims[i];
            ChannelConfig calldata config = row.voucher.channel;
            require(_isReceiverSide(config), NotAuthorizedToClaim());
            _claim(domain, _channelId(domain, config), row);
        }
    }

    /// @inheritdoc IBatchSettlement
    function claimWithSignature(VoucherClaim[] calldata voucherClaims, bytes calldata authorizerSignature)
        external
        nonReentrant
    {
        require(voucherClaims.length != 0, EmptyBatch());
        bytes32 domain = _domainSeparator();
        (bytes32 digest, bytes32[] memory channelIds) = _claimBatchDigest(domain, voucherClaims);
        address authorizer = voucherClaims[0].voucher.channel.receiverAuthorizer;
        require(ChannelSignatures.isSigned(authorizer, digest, authorizerSignature, gasleft()), InvalidSignature());
        for (uint256 i = 0; i < voucherClaims.length; ++i) {
            VoucherClaim calldata row = voucherClaims[i];
            require(row.voucher.channel.receiverAuthorizer == authorizer, NotReceiverAuthorizer());
            _claim(domain, channelIds[i], row);
        }
    }

    /// @inheritdoc IBatchSettlement
    function claimTry(VoucherClaim[] calldata voucherClaims) external nonReentrant {
        require(voucherClaims.length != 0, EmptyBatch());
        bytes32 domain = _domainSeparator();
        for (uint256 i = 0; i < voucherClaims.length; ++i) {
            VoucherClaim calldata row = voucherClaims[i];
            bytes32 channelId = _channelId(domain, row.voucher.channel);
            Channel storage stored = _channels[channelId];
            Channel memory channel = stored;
            bytes4 reason = _isReceiverSide(row.voucher.channel)
                ? _objection(channel, domain, channelId, row, WALLET_GAS_MAX)
                : NotAuthorizedToClaim.selector;
            if (reason != 0) emit ClaimSkipped(channelId, reason);
            else if (_raise(channel, channelId, row)) stored.totalClaimed = channel.totalClaimed;
        }
    }

    /// @inheritdoc IBatchSettlement
    function settle(address receiver, address token) external nonReentrant {
        uint128 amount = _settle(receiver, token);
        if (amount != 0) IERC20(token).safeTransfer(receiver, amount);
    }

    /// @inheritdoc IBatchSettlement
    function refund(ChannelConfig calldata config, uint128 amount) external nonReentrant {
        require(_isReceiverSide(config), NotAuthorizedToRefund());
        _refund(config, _channelId(_domainSeparator(), config), amount);
    }

    /// @inheritdoc IBatchSettlement
    function refundWithSignature(
        ChannelConfig calldata config,
        uint128 amount,
        uint256 nonce,
        bytes calldata receiverAuthorizerSignature
    ) external nonReentrant {
        bytes32 domain = _domainSeparator();
        bytes32 channelId = _channelId(domain, config);
        require(nonce == _channels[channelId].refunds, InvalidRefundNonce());
        bytes32 digest = _refundDigest(domain, channelId, nonce, amount);
        _requireSignedFor(config, digest, receiverAuthorizerSignature);
        _refund(config, channelId, amount);
    }

    /// @inheritdoc IBatchSettlement
    function closeWithSignature(
        VoucherClaim calldata voucherClaim,
        uint128 refundAmount,
        bytes calldata receiverSignature
    ) external nonReentrant {
        ChannelConfig calldata config = voucherClaim.voucher.channel;
        bytes32 domain = _domainSeparator();
        bytes32 channelId = _channelId(domain, config);
        Channel memory channel = _channels[channelId];
        if (receiverSignature.length == 0) {
            require(_isReceiverSide(config), NotAuthorizedToClaim());
        } else {
            bytes32 digest = _closeDigest(domain, channelId, voucherClaim, channel.refunds, refundAmount);
            _requireSignedFor(config, digest, receiverSignature);
        }
        _requireSoundRow(_objection(channel, domain, channelId, voucherClaim, gasleft()));
        _raise(channel, channelId, voucherClaim);
        uint128 refunded = _takeBack(channel, channelId, config, refundAmount);
        _channels[channelId] = channel;
        uint128 settled = _settle(config.receiver, config.token);

        if (settled != 0) IERC20(config.token).safeTransfer(config.receiver, settled);
        if (refunded != 0) IERC20(config.token).safeTransfer(config.payer, refunded);
    }

    // ── views ────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IBatchSettlement
    function getCloseDigest(VoucherClaim calldata voucherClaim, uint128 refundAmount) external view returns (bytes32) {
        bytes32 domain = _domainSeparator();
        bytes32 channelId = _channelId(domain, voucherClaim.voucher.channel);
        return _closeDigest(domain, channelId, voucherClaim, _channels[channelId].refunds, refundAmount);
    }

    /// @inheritdoc IBatchSettlement
    function channels(bytes32 channelId) external view returns (uint128 balance, uint128 totalClaimed) {
        Channel memory channel = _channels[channelId];
        return (channel.balance, channel.totalClaimed);
    }

    /// @inheritdoc IBatchSettlement
    function refundNonce(bytes32 channelId) external view returns (uint256) {
        return _channels[channelId].refunds;
    }

    // ── steps that several verbs share ───────────────────────────────────────────────────────────────────

    function _claim(bytes32 domain, bytes32 channelId, VoucherClaim calldata row) private {
        Channel storage stored = _channels[channelId];
        Channel memory channel = stored;
        _requireSoundRow(_objection(channel, domain, channelId, row, gasleft()));
        if (_raise(channel, channelId, row)) stored.totalClaimed = channel.totalClaimed;
    }

    /// Why the row cannot be claimed, as the selector of an error; 0 when it can, or when there is nothing to do.
    function _objection(
        Channel memory channel,
        bytes32 domain,
        bytes32 channelId,
        VoucherClaim calldata row,
        uint256 walletGas
    ) private view returns (bytes4) {
        if (row.totalClaimed <= channel.totalClaimed) return 0;
        if (row.totalClaimed > row.voucher.maxClaimableAmount) return ClaimExceedsCeiling.selector;
        if (row.totalClaimed > channel.balance) return ClaimExceedsBalance.selector;
        bytes32 digest = _voucherDigest(domain, channelId, row.voucher.maxClaimableAmount);
        ChannelConfig calldata config = row.voucher.channel;
        // A session key answers for itself, whatever code stands at the payer's address by now.
        bool signed = config.payerAuthorizer != address(0)
            ? ChannelSignatures.isSignedByKey(config.payerAuthorizer, digest, row.signature)
            : ChannelSignatures.isSigned(config.payer, digest, row.signature, walletGas);
        return signed ? bytes4(0) : InvalidSignature.selector;
    }

    /// Books the row, if it claims anything, in `channel`, which the caller stores, and in the receiver's slot.
    function _raise(Channel memory channel, bytes32 channelId, VoucherClaim calldata row) private returns (bool) {
        if (row.totalClaimed <= channel.totalClaimed) return false;
        uint128 more = row.totalClaimed - channel.totalClaimed;
        channel.totalClaimed = uint112(row.totalClaimed);
        receivers[row.voucher.channel.receiver][row.voucher.channel.token].totalClaimed += more;
        emit Claimed(channelId, msg.sender, more, row.totalClaimed);
        return true;
    }

    function _refund(ChannelConfig calldata config, bytes32 channelId, uint128 amount) private {
        require(amount != 0, ZeroRefund());
        Channel memory channel = _channels[channelId];
        uint128 refunded = _takeBack(channel, channelId, config, amount);
        _channels[channelId] = channel;
        if (refunded != 0) IERC20(config.token).safeTransfer(config.payer, refunded);
    }

    /// Takes up to `amount` of the unclaimed rest out of `channel`, which the caller stores, and out of what a pending
    /// withdrawal asks for. Always uses up the refund nonce.
    function _takeBack(Channel memory channel, bytes32 channelId, ChannelConfig calldata config, uint128 amount)
        private
        returns (uint128 refunded)
    {
        ++channel.refunds;
        refunded = _min(amount, _unclaimed(channel));
        if (refunded == 0) return 0;
        channel.balance -= uint112(refunded);
        if (channel.withdrawing) {
            uint128 asked = pendingWithdrawals[channelId].amount;
            // A wish that nothing is left for must not stand: its delay would be over when the channel is funded again.
            channel.withdrawing = refunded < asked && _unclaimed(channel) != 0;
            if (channel.withdrawing) pendingWithdrawals[channelId].amount = asked - refunded;
            else delete pendingWithdrawals[channelId];
        }
        emit Refunded(channelId, msg.sender, refunded);
        _tellIfClosed(channelId, channel, config);
    }

    /// Books all that is due to the receiver as sent; the caller sends it.
    function _settle(address receiver, address token) private returns (uint128 amount) {
        Receiver memory account = receivers[receiver][token];
        amount = account.totalClaimed - account.totalSettled;
        if (amount == 0) return 0;
        receivers[receiver][token].totalSettled = account.totalClaimed;
        emit Settled(receiver, token, msg.sender, amount);
    }

    function _tellIfClosed(bytes32 channelId, Channel memory channel, ChannelConfig calldata config) private {
        if (channel.balance == 0 && channel.totalClaimed == 0) emit ChannelClosed(channelId, config);
    }

    function _unclaimed(Channel memory channel) private pure returns (uint128) {
        return channel.balance - channel.totalClaimed;
    }

    function _min(uint128 a, uint128 b) private pure returns (uint128) {
        return a < b ? a : b;
    }

    // ── what must hold ───────────────────────────────────────────────────────────────────────────────────

    function _isPayerSide(ChannelConfig calldata config) private view returns (bool) {
        return msg.sender == config.payer || msg.sender == config.payerAuthorizer;
    }

    function _isReceiverSide(ChannelConfig calldata config) private view returns (bool) {
        return msg.sender == config.receiverAuthorizer || msg.sender == config.receiver;
    }

    function _requireSound(ChannelConfig calldata config) private pure {
        bool complete = config.payer != address(0) && config.receiver != address(0)
            && config.receiverAuthorizer != address(0) && config.token != address(0);
        require(complete, InvalidChannel());
        bool inRange = config.withdrawDelay >= MIN_WITHDRAW_DELAY && config.withdrawDelay <= MAX_WITHDRAW_DELAY;
        require(inRange, WithdrawDelayOutOfRange());
    }

    function _requireSignedFor(ChannelConfig calldata config, bytes32 digest, bytes calldata signature) private view {
        bool signed = ChannelSignatures.isSigned(config.receiverAuthorizer, digest, signature, gasleft());
        require(signed, InvalidSignature());
    }

    /// Reverts with the error that an objection names.
    function _requireSoundRow(bytes4 reason) private pure {
        require(reason != ClaimExceedsCeiling.selector, ClaimExceedsCeiling());
        require(reason != ClaimExceedsBalance.selector, ClaimExceedsBalance());
        require(reason == 0, InvalidSignature());
    }
}
