// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Terms} from "../interfaces/IMarket.sol";

/// One payment, one job: every agreement has an address of its own, known before anything stands there. Money that
/// arrives at it, from whomever, either pays for exactly that job or goes to its renter. So a client that can do no more
/// than pay an address buys a job with escrow, refund and dispute.
interface IJobDeposits {
    /// The job was created with `locked` of the account's money; `excess` went to the renter.
    event DepositSwept(bytes32 indexed jobId, address indexed account, uint256 locked, uint256 excess);
    /// The account's whole balance went to the renter.
    event DepositReturned(bytes32 indexed jobId, address indexed account, address token, uint256 amount);

    /// The terms name no renter, so nobody could get the money back.
    error NoRenter();
    /// Not enough has arrived; it may be returned.
    error DepositShort(uint256 needed, uint256 found);
    /// The deposit buys its job: sweep it.
    error DepositSweepable(bytes32 jobId);
    error NothingToReturn();

    /// Where to pay for these terms.
    function depositAddress(Terms calldata terms) external view returns (address);
    /// By anyone: creates the job with the money at its address; what is left over goes to `terms.renter`. Reverts with
    /// the market's reason when the job cannot be created.
    function sweep(Terms calldata terms) external returns (bytes32 jobId);
    /// By anyone: the whole balance to `terms.renter`, when the job cannot be created or the balance is short. Asks the
    /// market's `canCreate`; a failed sweep proves nothing.
    function returnDeposit(Terms calldata terms) external;
    /// By anyone: another token that was sent there by mistake, to `terms.renter`, at any time.
    function returnToken(Terms calldata terms, address token) external;
    function market() external view returns (address);
}
