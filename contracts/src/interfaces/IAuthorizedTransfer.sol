// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// The `bytes` overloads of EIP-3009, as USDC has them: 65 bytes r‖s‖v of a key, or what an EIP-1271 wallet accepts.
/// Source: https://eips.ethereum.org/EIPS/eip-3009 and Circle's FiatTokenV2_2.
interface IAuthorizedTransfer {
    /// Anyone may submit; selector 0xcf092995.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory signature
    ) external;

    /// Only `to` may submit; selector 0x88b7ab63.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory signature
    ) external;
}
