// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// Deposits into the market's wallet: money goes straight to the treasury and the event says whose it is. Holds nothing,
/// ever. One till for each token.
contract Till {
    using SafeERC20 for IERC20;

    /// `amount` smallest units arrived at the treasury for `account`, from whoever called.
    event Deposited(bytes32 indexed account, address indexed from, uint256 amount);

    error NoCode(address token);
    error ZeroAddress();
    error NothingToDeposit();
    error WrongAmountReceived(uint256 expected, uint256 received);

    IERC20 private immutable TOKEN;
    address private immutable TREASURY;

    constructor(IERC20 token_, address treasury_) {
        require(address(token_).code.length != 0, NoCode(address(token_)));
        require(treasury_ != address(0), ZeroAddress());
        (TOKEN, TREASURY) = (token_, treasury_);
    }

    /// Moves `amount` from the caller, who has allowed it, to the treasury.
    /// @param account the account's id in the market's ledger; a wrong one goes to suspense until its owner is found
    function deposit(bytes32 account, uint256 amount) external {
        require(amount != 0, NothingToDeposit());
        uint256 before = TOKEN.balanceOf(TREASURY);
        TOKEN.safeTransferFrom(msg.sender, TREASURY, amount);
        uint256 received = TOKEN.balanceOf(TREASURY) - before;
        require(received == amount, WrongAmountReceived({expected: amount, received: received}));
        emit Deposited({account: account, from: msg.sender, amount: amount});
    }

    function token() external view returns (address) {
        return address(TOKEN);
    }

    function treasury() external view returns (address) {
        return TREASURY;
    }
}
