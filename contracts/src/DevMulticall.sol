// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// Many calls in one, with the interface of Multicall3 as far as clients and facilitators of x402 use it. For
/// development chains, where nobody has deployed the real one at its well-known address.
contract DevMulticall {
    struct Call {
        address target;
        bytes callData;
    }

    struct Call3 {
        address target;
        bool allowFailure;
        bytes callData;
    }

    struct Result {
        bool success;
        bytes returnData;
    }

    /// A call that had to succeed did not.
    error CallFailed(uint256 index);

    /// Every call and what it gave. With `requireSuccess` the first that fails undoes them all.
    function tryAggregate(bool requireSuccess, Call[] calldata calls) external returns (Result[] memory results) {
        results = new Result[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            results[i] = _call(calls[i].target, calls[i].callData);
            require(results[i].success || !requireSuccess, CallFailed(i));
        }
    }

    /// The same, where each call says whether it may fail.
    function aggregate3(Call3[] calldata calls) external returns (Result[] memory results) {
        results = new Result[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            results[i] = _call(calls[i].target, calls[i].callData);
            require(results[i].success || calls[i].allowFailure, CallFailed(i));
        }
    }

    function _call(address target, bytes calldata data) private returns (Result memory result) {
        (result.success, result.returnData) = target.call(data);
    }
}
