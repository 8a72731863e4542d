// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {ISignatureTransfer} from "../../src/x402/ISignatureTransfer.sol";

/// Checks what Uniswap's Permit2 checks of a transfer with a witness: who signed what for which spender, each nonce
/// once, in time. Its own code is not to be had as a library, so the deposit is also tried against the type hash that is
/// published for it.
contract Permit2Double is ISignatureTransfer {
    string private constant STUB =
        "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,";
    bytes32 private constant TOKEN_PERMISSIONS = keccak256("TokenPermissions(address token,uint256 amount)");

    bytes32 public lastTypeHash;
    mapping(address owner => mapping(uint256 nonce => bool)) private _used;

    function permitWitnessTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata transferDetails,
        address owner,
        bytes32 witness,
        string calldata witnessTypeString,
        bytes calldata signature
    ) external {
        require(block.timestamp <= permit.deadline, "expired");
        require(transferDetails.requestedAmount <= permit.permitted.amount, "amount");
        require(!_used[owner][permit.nonce], "nonce");
        _used[owner][permit.nonce] = true;
        lastTypeHash = keccak256(abi.encodePacked(STUB, witnessTypeString));
        bytes32 digest = digestOf(permit, msg.sender, lastTypeHash, witness);
        require(ECDSA.recover(digest, signature) == owner, "signer");
        IERC20(permit.permitted.token).transferFrom(owner, transferDetails.to, transferDetails.requestedAmount);
    }

    function digestOf(PermitTransferFrom calldata permit, address spender, bytes32 typeHash, bytes32 witness)
        public
        view
        returns (bytes32)
    {
        bytes32 permitted = keccak256(abi.encode(TOKEN_PERMISSIONS, permit.permitted));
        bytes32 structHash = keccak256(abi.encode(typeHash, permitted, spender, permit.nonce, permit.deadline, witness));
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)"),
                keccak256("Permit2"),
                block.chainid,
                address(this)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}
