// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IAuthorizedTransfer} from "../interfaces/IAuthorizedTransfer.sol";
import {BATCH_SETTLEMENT} from "./Canonical.sol";
import {IDepositCollector} from "./IDepositCollector.sol";

/// Deposits by EIP-3009 `ReceiveWithAuthorization`, which the payer signs to this contract with a nonce that names the
/// channel. `collectorData` is `abi.encode(uint256 validAfter, uint256 validBefore, uint256 salt, bytes signature)`.
contract ERC3009DepositCollector is IDepositCollector {
    using SafeERC20 for IERC20;

    error OnlyBatchSettlement(address caller);

    /// @inheritdoc IDepositCollector
    function collect(address payer, address token, uint256 amount, bytes32 channelId, bytes calldata collectorData)
        external
    {
        // Whoever calls gets the money, so nobody else may.
        require(msg.sender == BATCH_SETTLEMENT, OnlyBatchSettlement(msg.sender));
        (uint256 validAfter, uint256 validBefore, uint256 salt, bytes memory signature) =
            abi.decode(collectorData, (uint256, uint256, uint256, bytes));
        IAuthorizedTransfer(token)
            .receiveWithAuthorization({
            from: payer,
            to: address(this),
            value: amount,
            validAfter: validAfter,
            validBefore: validBefore,
            nonce: keccak256(abi.encode(channelId, salt)),
            signature: signature
        });
        IERC20(token).safeTransfer(msg.sender, amount);
    }
}
