// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketCourt} from "../../interfaces/IMarketCourt.sol";
import {TermsLib} from "../../libraries/TermsLib.sol";
import {Order, Status, Terms} from "../../types/Job.sol";
import {Amount} from "../../types/Units.sol";
import {Jobs} from "../Jobs.sol";

/// Jobs that a matcher orders for a renter within what the renter signed.
abstract contract Orders is IMarketCourt, Jobs {
    using TermsLib for Terms;

    /// @inheritdoc IMarketCourt
    function createJobFor(Order calldata order, bytes calldata signature, Terms calldata terms)
        external
        whenNotPaused
        nonReentrant
        returns (bytes32 jobId)
    {
        require(msg.sender == order.matcher, NotAllowed(msg.sender));
        _requireNotAfter(order.expiry);
        _requireOrderSigned(order, signature);
        _requireOrdered(order, terms);
        Amount locked;
        (jobId, locked) = _create(terms);
        uint256 spent = _orderSpent[order.renter][order.nonce];
        uint256 left = order.budget > spent ? order.budget - spent : 0;
        require(Amount.unwrap(locked) <= left, OverBudget({needed: Amount.unwrap(locked), left: left}));
        spent += Amount.unwrap(locked);
        _orderSpent[order.renter][order.nonce] = spent;
        emit OrderFilled(jobId, order.renter, order.nonce, spent);
        _pull({payer: order.renter, amount: locked});
    }

    /// @inheritdoc IMarketCourt
    function orderSpent(address renter, uint256 nonce) external view returns (uint256) {
        return _orderSpent[renter][nonce];
    }

    /// @inheritdoc IMarketCourt
    function canCreate(Terms calldata terms) external view returns (bool) {
        ResourceSlot memory resource = _resources[terms.resourceId];
        bool later = terms.notBefore > block.timestamp;
        bool listed = resource.providerId != 0 && resource.flags & AVAILABLE != 0;
        bool free = later || resource.flags & BUSY == 0;
        bool agreed = terms.pricePerHour >= resource.pricePerHour && _mayAskCancelFee(terms, resource, later);
        bool fresh = bytes(terms.badField()).length == 0 && _jobs[terms.id()].status() == Status.None;
        return !_settings.paused && listed && free && agreed && fresh;
    }

    function _requireOrdered(Order calldata order, Terms calldata terms) private pure {
        require(terms.renter == order.renter, BadOrder("renter"));
        require(terms.controller == order.controller, BadOrder("controller"));
        require(terms.specDigest == order.specDigest, BadOrder("specDigest"));
        require(terms.pricePerHour <= order.maxPrice, BadOrder("maxPrice"));
        require(terms.minCharge <= order.maxMinCharge, BadOrder("maxMinCharge"));
        require(terms.maxDuration <= order.maxDuration, BadOrder("maxDuration"));
        require(terms.cancelFeeBps == 0, BadOrder("cancelFeeBps"));
    }
}
