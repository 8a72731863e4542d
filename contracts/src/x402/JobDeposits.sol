// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IMarket, Terms} from "../interfaces/IMarket.sol";
import {Accrual} from "../libraries/Accrual.sol";
import {Amount, PerHour, Seconds} from "../types/Units.sol";
import {DepositAccount} from "./DepositAccount.sol";
import {IJobDeposits} from "./IJobDeposits.sol";

/// Deposit accounts by CREATE2 with the job's id as salt. This contract holds nothing between two calls; so the
/// market's endless allowance over it can only take what a sweep has just brought.
contract JobDeposits is IJobDeposits, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    IMarket private immutable MARKET;
    IERC20 private immutable TOKEN;
    address private immutable ACCOUNT;

    constructor(IMarket market_) {
        MARKET = market_;
        TOKEN = IERC20(market_.token());
        ACCOUNT = address(new DepositAccount());
        TOKEN.forceApprove(address(market_), type(uint256).max);
    }

    /// @inheritdoc IJobDeposits
    function sweep(Terms calldata terms) external nonReentrant returns (bytes32 jobId) {
        DepositAccount account;
        (jobId, account) = _open(terms);
        uint256 balance = TOKEN.balanceOf(address(account));
        uint256 needed = _locked(terms);
        require(balance >= needed, DepositShort({needed: needed, found: balance}));
        uint256 excess = balance - needed;
        emit DepositSwept({jobId: jobId, account: address(account), locked: needed, excess: excess});
        account.send({token: TOKEN, to: address(this), amount: needed});
        MARKET.createJob(terms);
        if (excess != 0) account.send({token: TOKEN, to: terms.renter, amount: excess});
    }

    /// @inheritdoc IJobDeposits
    function returnDeposit(Terms calldata terms) external nonReentrant {
        (bytes32 jobId, DepositAccount account) = _open(terms);
        uint256 balance = TOKEN.balanceOf(address(account));
        require(balance < _locked(terms) || !MARKET.canCreate(terms), DepositSweepable(jobId));
        _return(terms, jobId, account, TOKEN, balance);
    }

    /// @inheritdoc IJobDeposits
    function returnToken(Terms calldata terms, address token) external nonReentrant {
        (bytes32 jobId, DepositAccount account) = _open(terms);
        require(token != address(TOKEN), DepositSweepable(jobId));
        _return(terms, jobId, account, IERC20(token), IERC20(token).balanceOf(address(account)));
    }

    /// @inheritdoc IJobDeposits
    function depositAddress(Terms calldata terms) external view returns (address account) {
        (, account) = _place(terms);
    }

    /// @inheritdoc IJobDeposits
    function market() external view returns (address) {
        return address(MARKET);
    }

    function _return(Terms calldata terms, bytes32 jobId, DepositAccount account, IERC20 token, uint256 amount)
        private
    {
        require(amount != 0, NothingToReturn());
        emit DepositReturned({jobId: jobId, account: address(account), token: address(token), amount: amount});
        account.send({token: token, to: terms.renter, amount: amount});
    }

    /// The account, put in its place if it is not there yet. Money may come again after it was emptied, so it stays.
    function _open(Terms calldata terms) private returns (bytes32 jobId, DepositAccount) {
        address place;
        (jobId, place) = _place(terms);
        if (place.code.length == 0) Clones.cloneDeterministic(ACCOUNT, jobId);
        return (jobId, DepositAccount(place));
    }

    function _place(Terms calldata terms) private view returns (bytes32 jobId, address place) {
        require(terms.renter != address(0), NoRenter());
        jobId = MARKET.jobIdOf(terms);
        place = Clones.predictDeterministicAddress(ACCOUNT, jobId);
    }

    /// What the market takes for the job.
    function _locked(Terms calldata terms) private pure returns (uint256) {
        return Amount.unwrap(
            Accrual.cost({price: PerHour.wrap(terms.pricePerHour), duration: Seconds.wrap(terms.maxDuration)})
        );
    }
}
