// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// Brings a payer's money to the settlement contract that calls it. The settlement measures what came.
interface IDepositCollector {
    /// Moves exactly `amount` of `token` from `payer` to the caller, or reverts.
    /// @param channelId What the payer's signature must be bound to, so that nobody can fund another channel with it.
    /// @param collectorData What this kind of collector needs: signature, nonce, deadlines.
    function collect(address payer, address token, uint256 amount, bytes32 channelId, bytes calldata collectorData)
        external;
}
