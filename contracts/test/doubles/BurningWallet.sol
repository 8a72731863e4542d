// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// A smart wallet that answers for its signature by burning all the gas it gets.
contract BurningWallet {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        while (true) {}
        return bytes4(0);
    }
}
