// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketCourt} from "../../interfaces/IMarketCourt.sol";
import {UNBONDING} from "../../types/Limits.sol";
import {Amount} from "../../types/Units.sol";
import {Jobs} from "../Jobs.sol";

/// Stake comes in at once and leaves after fourteen days, so that it can still be slashed.
abstract contract Stakes is IMarketCourt, Jobs {
    /// @inheritdoc IMarketCourt
    function stake(bytes32 resourceId, uint72 amount) external whenNotPaused nonReentrant {
        ResourceSlot storage resource = _registered(resourceId);
        require(amount != 0, NothingDue());
        Reserve storage reserve = _reserves[resourceId];
        // All stake of a resource together fits 72 bits, so that no later move overflows; more reverts here.
        uint72 total = resource.stake + reserve.unbonding + reserve.contested + amount;
        resource.stake += amount;
        emit Staked(resourceId, msg.sender, amount, total);
        _pull({payer: msg.sender, amount: Amount.wrap(amount)});
    }

    /// @inheritdoc IMarketCourt
    function unstake(bytes32 resourceId, uint72 amount) external {
        ResourceSlot storage resource = _owned(resourceId);
        require(amount != 0, NothingDue());
        uint72 free = resource.stake - resource.tied;
        require(amount <= free, NotEnoughStake({asked: amount, free: free}));
        resource.stake -= amount;
        Reserve storage reserve = _reserves[resourceId];
        reserve.unbonding += amount;
        reserve.availableAt = uint40(block.timestamp + UNBONDING);
        emit UnstakeRequested(resourceId, amount, reserve.unbonding, reserve.availableAt);
    }

    /// @inheritdoc IMarketCourt
    function withdrawStake(bytes32 resourceId, address to) external {
        ResourceSlot storage resource = _owned(resourceId);
        require(to != address(0), ZeroAddress());
        _requirePayee(to);
        Reserve storage reserve = _reserves[resourceId];
        uint72 amount = reserve.unbonding;
        require(amount != 0, NothingDue());
        require(block.timestamp >= reserve.availableAt, TooEarly(reserve.availableAt));
        reserve.unbonding = 0;
        emit Unstaked(resourceId, to, amount, resource.stake + reserve.contested);
        _sendOrCreditCaller(to, Amount.wrap(amount));
    }

    /// What `to` does not take is held for the owner, who called.
    function _sendOrCreditCaller(address to, Amount amount) private {
        if (!_send(to, amount)) _credit(msg.sender, amount);
    }
}
