// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// Deposits into the market's wallet: money goes straight to the treasury and the event says whose it is. One till for
/// each token.
interface ITill {
    /// `amount` smallest units arrived at the treasury for `account`, from whoever called.
    event Deposited(bytes32 indexed account, address indexed from, uint256 amount);

    error NoCode(address token);
    error ZeroAddress();
    error NothingToDeposit();
    /// The token keeps a part of what it moves, or the caller is the treasury itself.
    error WrongAmountReceived(uint256 expected, uint256 received);

    /// Moves `amount` from the caller, who has allowed it, to the treasury.
    /// @param account The account's id in the market's ledger. Money for an unknown one waits in suspense until its owner
    /// is found.
    function deposit(bytes32 account, uint256 amount) external;
    function token() external view returns (address);
    function treasury() external view returns (address);
}
