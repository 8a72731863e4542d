// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Vm} from "forge-std/Vm.sol";

/// A smart wallet with one key (EIP-1271).
contract Wallet is IERC1271 {
    address private immutable SIGNER;

    constructor(uint256 key) {
        SIGNER = Vm(address(uint160(uint256(keccak256("hevm cheat code"))))).addr(key);
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        return ECDSA.recover(hash, signature) == SIGNER ? this.isValidSignature.selector : bytes4(0);
    }
}
