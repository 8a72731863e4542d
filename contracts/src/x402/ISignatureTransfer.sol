// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// The one verb of Uniswap's Permit2 that deposits use.
/// Source: https://docs.uniswap.org/contracts/permit2/reference/signature-transfer
interface ISignatureTransfer {
    struct TokenPermissions {
        address token;
        uint256 amount;
    }

    struct PermitTransferFrom {
        TokenPermissions permitted;
        /// Unordered; each is used once.
        uint256 nonce;
        /// Unix seconds.
        uint256 deadline;
    }

    struct SignatureTransferDetails {
        address to;
        uint256 requestedAmount;
    }

    /// Moves the owner's money with a signature that also covers `witness`.
    function permitWitnessTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata transferDetails,
        address owner,
        bytes32 witness,
        string calldata witnessTypeString,
        bytes calldata signature
    ) external;
}
