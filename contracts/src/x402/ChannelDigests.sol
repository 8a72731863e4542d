// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {ChannelConfig, IBatchSettlement, VoucherClaim} from "./IBatchSettlement.sol";

/// What is signed about channels (EIP-712). The domain is computed when asked for: this code is also placed at an
/// address where no constructor ran.
abstract contract ChannelDigests is IBatchSettlement {
    bytes32 public constant CHANNEL_CONFIG_TYPEHASH = keccak256(
        "ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)"
    );
    bytes32 public constant VOUCHER_TYPEHASH = keccak256("Voucher(bytes32 channelId,uint128 maxClaimableAmount)");
    bytes32 public constant REFUND_TYPEHASH = keccak256("Refund(bytes32 channelId,uint256 nonce,uint128 amount)");
    bytes32 public constant CLAIM_ENTRY_TYPEHASH =
        keccak256("ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)");
    bytes32 public constant CLAIM_BATCH_TYPEHASH = keccak256(
        "ClaimBatch(ClaimEntry[] claims)ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)"
    );
    /// Ours; the public contract has no such verb.
    bytes32 public constant CLOSE_TYPEHASH = keccak256(
        "Close(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed,uint256 nonce,uint128 refundAmount)"
    );

    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    string private constant NAME = "x402 Batch Settlement";
    string private constant VERSION = "1";

    /// @inheritdoc IBatchSettlement
    function getChannelId(ChannelConfig calldata config) external view returns (bytes32) {
        return _channelId(_domainSeparator(), config);
    }

    /// @inheritdoc IBatchSettlement
    function getVoucherDigest(bytes32 channelId, uint128 maxClaimableAmount) external view returns (bytes32) {
        return _voucherDigest(_domainSeparator(), channelId, maxClaimableAmount);
    }

    /// @inheritdoc IBatchSettlement
    function getRefundDigest(bytes32 channelId, uint256 nonce, uint128 amount) external view returns (bytes32) {
        return _refundDigest(_domainSeparator(), channelId, nonce, amount);
    }

    /// @inheritdoc IBatchSettlement
    function getClaimBatchDigest(VoucherClaim[] calldata voucherClaims) external view returns (bytes32 digest) {
        (digest,) = _claimBatchDigest(_domainSeparator(), voucherClaims);
    }

    /// ERC-5267: the domain in parts.
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        return (hex"0f", NAME, VERSION, block.chainid, address(this), bytes32(0), new uint256[](0));
    }

    function _domainSeparator() internal view returns (bytes32) {
        return keccak256(
            abi.encode(DOMAIN_TYPEHASH, keccak256(bytes(NAME)), keccak256(bytes(VERSION)), block.chainid, address(this))
        );
    }

    function _channelId(bytes32 domain, ChannelConfig calldata config) internal pure returns (bytes32) {
        return _digest(domain, keccak256(abi.encode(CHANNEL_CONFIG_TYPEHASH, config)));
    }

    function _voucherDigest(bytes32 domain, bytes32 channelId, uint128 maxClaimableAmount)
        internal
        pure
        returns (bytes32)
    {
        return _digest(domain, keccak256(abi.encode(VOUCHER_TYPEHASH, channelId, maxClaimableAmount)));
    }

    function _refundDigest(bytes32 domain, bytes32 channelId, uint256 nonce, uint128 amount)
        internal
        pure
        returns (bytes32)
    {
        return _digest(domain, keccak256(abi.encode(REFUND_TYPEHASH, channelId, nonce, amount)));
    }

    function _closeDigest(
        bytes32 domain,
        bytes32 channelId,
        VoucherClaim calldata row,
        uint256 nonce,
        uint128 refundAmount
    ) internal pure returns (bytes32) {
        uint128 most = row.voucher.maxClaimableAmount;
        return
            _digest(
                domain, keccak256(abi.encode(CLOSE_TYPEHASH, channelId, most, row.totalClaimed, nonce, refundAmount))
            );
    }

    /// The batch's digest and, because it needs them anyway, the ids of the rows' channels.
    function _claimBatchDigest(bytes32 domain, VoucherClaim[] calldata rows)
        internal
        pure
        returns (bytes32 digest, bytes32[] memory channelIds)
    {
        channelIds = new bytes32[](rows.length);
        bytes32[] memory entries = new bytes32[](rows.length);
        for (uint256 i = 0; i < rows.length; ++i) {
            channelIds[i] = _channelId(domain, rows[i].voucher.channel);
            uint128 most = rows[i].voucher.maxClaimableAmount;
            entries[i] = keccak256(abi.encode(CLAIM_ENTRY_TYPEHASH, channelIds[i], most, rows[i].totalClaimed));
        }
        digest = _digest(domain, keccak256(abi.encode(CLAIM_BATCH_TYPEHASH, keccak256(abi.encodePacked(entries)))));
    }

    function _digest(bytes32 domain, bytes32 structHash) private pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }
}
