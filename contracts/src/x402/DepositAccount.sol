// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// What stands at a deposit address: it sends where its factory says. Each account is a small clone of one of these.
contract DepositAccount {
    using SafeERC20 for IERC20;

    address private immutable FACTORY;

    error OnlyFactory(address caller);

    constructor() {
        FACTORY = msg.sender;
    }

    function send(IERC20 token, address to, uint256 amount) external {
        require(msg.sender == FACTORY, OnlyFactory(msg.sender));
        token.safeTransfer(to, amount);
    }
}
