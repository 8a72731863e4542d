// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// A contract that can be an agent or a renter: it repeats any call in its own name.
contract Forwarder {
    function forward(address target, bytes calldata data) external returns (bytes memory) {
        (bool success, bytes memory answer) = target.call(data);
        require(success, "forwarded call failed");
        return answer;
    }
}
