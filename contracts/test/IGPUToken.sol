// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC3009, IERC3009Cancel} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IAuthorizedTransfer} from "../src/interfaces/IAuthorizedTransfer.sol";

/// The token as tests see it.
interface IGPUToken is IERC20Metadata, IERC20Permit, IERC3009, IERC3009Cancel, IAuthorizedTransfer {
    function mint(address to, uint256 amount) external;
}
