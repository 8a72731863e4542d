// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IMarketErrors} from "../interfaces/IMarketErrors.sol";
import {Order, Ready} from "../types/Job.sol";

/// What parties sign off chain (EIP-712, domain "Bourse Market", version "1"). Keys and EIP-1271 wallets may sign; a
/// key is tried first, so that a signature by one calls no account.
abstract contract Signed is IMarketErrors, EIP712("Bourse Market", "1") {
    bytes32 private constant READY_TYPEHASH = keccak256("Ready(bytes32 jobId,bytes32 readyRecord,uint40 at)");
    bytes32 private constant EXTEND_TYPEHASH = keccak256("Extend(bytes32 jobId,uint24 extraSeconds,uint40 expiry)");
    bytes32 private constant ORDER_TYPEHASH = keccak256(
        "Order(address renter,address matcher,address controller,bytes32 specDigest,bytes32 needsDigest,uint96 maxPrice,uint96 maxMinCharge,uint32 maxDuration,uint128 budget,uint40 expiry,uint256 nonce)"
    );

    /// The controller consents to the start, or the renter in its place.
    function _requireReadySigned(
        bytes32 jobId,
        Ready calldata ready,
        bytes calldata signature,
        address controller,
        address renter
    ) internal view {
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(READY_TYPEHASH, jobId, ready.readyRecord, ready.at)));
        address signer = _recover(digest, signature);
        if (signer == controller || signer == renter) return;
        bool wallet = _isWalletSignature(controller, digest, signature) || _isWalletSignature(renter, digest, signature);
        require(wallet, BadSignature(signer));
    }

    /// The agent consents to `extraSeconds` in all, until `expiry`.
    function _requireExtendSigned(
        bytes32 jobId,
        uint24 extraSeconds,
        uint40 expiry,
        bytes calldata signature,
        address agent
    ) internal view {
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(EXTEND_TYPEHASH, jobId, extraSeconds, expiry)));
        address signer = _recover(digest, signature);
        require(signer == agent || _isWalletSignature(agent, digest, signature), BadSignature(signer));
    }

    /// The renter lets the matcher order.
    function _requireOrderSigned(Order calldata order, bytes calldata signature) internal view {
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(ORDER_TYPEHASH, order)));
        address signer = _recover(digest, signature);
        bool signed = signer == order.renter || _isWalletSignature(order.renter, digest, signature);
        require(signed, BadSignature(signer));
    }

    /// Zero when the bytes are no signature; no party is ever the zero address.
    function _recover(bytes32 digest, bytes calldata signature) private pure returns (address signer) {
        (signer,,) = ECDSA.tryRecoverCalldata(digest, signature);
    }

    function _isWalletSignature(address wallet, bytes32 digest, bytes calldata signature) private view returns (bool) {
        return SignatureChecker.isValidERC1271SignatureNowCalldata(wallet, digest, signature);
    }
}
