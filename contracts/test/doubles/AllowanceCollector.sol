// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IDepositCollector} from "../../src/x402/IDepositCollector.sol";

/// Collects by allowance, for tokens that know no signatures; and another amount than it was asked for, when told so.
contract AllowanceCollector is IDepositCollector {
    uint256 private _instead;

    function collectInstead(uint256 amount) external {
        _instead = amount;
    }

    function collect(address payer, address token, uint256 amount, bytes32, bytes calldata) external {
        IERC20(token).transferFrom(payer, msg.sender, _instead == 0 ? amount : _instead);
    }
}
