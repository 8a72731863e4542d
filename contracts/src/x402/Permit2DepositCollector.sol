// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {BATCH_SETTLEMENT, PERMIT2} from "./Canonical.sol";
import {IDepositCollector} from "./IDepositCollector.sol";
import {ISignatureTransfer} from "./ISignatureTransfer.sol";

/// Deposits by Permit2, for tokens without EIP-3009. The payer's signature covers the channel's id as its witness.
/// `collectorData` is `abi.encode(uint256 nonce, uint256 deadline, bytes signature, bytes eip2612)`; `eip2612` is empty
/// or `abi.encode(uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)` of a permit to Permit2.
contract Permit2DepositCollector is IDepositCollector {
    /// The types of the witness as Permit2 wants them: those that the signed type names, in the order of the alphabet.
    string public constant DEPOSIT_WITNESS_TYPE_STRING =
        "DepositWitness witness)DepositWitness(bytes32 channelId)TokenPermissions(address token,uint256 amount)";
    bytes32 public constant DEPOSIT_WITNESS_TYPEHASH = keccak256("DepositWitness(bytes32 channelId)");

    error OnlyBatchSettlement(address caller);
    /// The permit must be for the amount that is deposited.
    error Permit2612AmountMismatch();

    /// @inheritdoc IDepositCollector
    function collect(address payer, address token, uint256 amount, bytes32 channelId, bytes calldata collectorData)
        external
    {
        // Whoever calls gets the money, so nobody else may.
        require(msg.sender == BATCH_SETTLEMENT, OnlyBatchSettlement(msg.sender));
        (uint256 nonce, uint256 deadline, bytes memory signature, bytes memory eip2612) =
            abi.decode(collectorData, (uint256, uint256, bytes, bytes));
        if (eip2612.length != 0) _permit(payer, token, amount, eip2612);
        ISignatureTransfer(PERMIT2)
            .permitWitnessTransferFrom({
            permit: ISignatureTransfer.PermitTransferFrom({
            permitted: ISignatureTransfer.TokenPermissions({token: token, amount: amount}),
            nonce: nonce,
            deadline: deadline
        }),
            transferDetails: ISignatureTransfer.SignatureTransferDetails({to: msg.sender, requestedAmount: amount}),
            owner: payer,
            witness: keccak256(abi.encode(DEPOSIT_WITNESS_TYPEHASH, channelId)),
            witnessTypeString: DEPOSIT_WITNESS_TYPE_STRING,
            signature: signature
        });
    }

    /// A permit is public once it is broadcast: when somebody else has used it, the allowance stands all the same.
    function _permit(address payer, address token, uint256 amount, bytes memory eip2612) private {
        (uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) =
            abi.decode(eip2612, (uint256, uint256, uint8, bytes32, bytes32));
        require(value == amount, Permit2612AmountMismatch());
        try IERC20Permit(token).permit(payer, PERMIT2, value, deadline, v, r, s) {} catch {}
    }
}
