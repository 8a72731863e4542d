// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ITill} from "./ITill.sol";

/// Holds nothing, ever.
contract Till is ITill {
    using SafeERC20 for IERC20;

    IERC20 private immutable TOKEN;
    address private immutable TREASURY;

    constructor(IERC20 token_, address treasury_) {
        require(address(token_).code.length != 0, NoCode(address(token_)));
        require(treasury_ != address(0), ZeroAddress());
        (TOKEN, TREASURY) = (token_, treasury_);
    }

    /// @inheritdoc ITill
    function deposit(bytes32 account, uint256 amount) external {
        require(amount != 0, NothingToDeposit());
        uint256 before = TOKEN.balanceOf(TREASURY);
        TOKEN.safeTransferFrom(msg.sender, TREASURY, amount);
        uint256 received = TOKEN.balanceOf(TREASURY) - before;
        require(received == amount, WrongAmountReceived({expected: amount, received: received}));
        emit Deposited({account: account, from: msg.sender, amount: amount});
    }

    /// @inheritdoc ITill
    function token() external view returns (address) {
        return address(TOKEN);
    }

    /// @inheritdoc ITill
    function treasury() external view returns (address) {
        return TREASURY;
    }
}
