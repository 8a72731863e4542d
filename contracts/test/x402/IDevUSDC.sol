// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IGPUToken} from "../IGPUToken.sol";

/// The stand-in for USDC as tests meet it, over its ABI.
interface IDevUSDC is IGPUToken {
    function version() external view returns (string memory);
    function permit(address owner, address spender, uint256 value, uint256 deadline, bytes memory signature) external;
}
