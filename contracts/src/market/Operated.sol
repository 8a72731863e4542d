// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IMarketErrors} from "../interfaces/IMarketErrors.sol";
import {IMarketEvents} from "../interfaces/IMarketEvents.sol";
import {FEE_BPS_MAX} from "../types/Limits.sol";
import {Amount} from "../types/Units.sol";

/// What the platform may set: its fee, who reports silence, the least bond and the pause. Roles and their delays live in
/// an AccessManager.
abstract contract Operated is IMarketEvents, IMarketErrors, AccessManaged {
    /// One slot, so that creating a job reads its fee and the pause at once.
    struct Settings {
        uint16 feeBps; //          16  for jobs created from now on
        bool paused; //             8
        uint32 providers; //       32  registered so far; the last one's id
        uint192 fees; //          192  booked and not yet withdrawn
    }

    Settings internal _settings;
    uint128 internal _minBond;
    mapping(address account => bool) internal _isWatcher;
    mapping(address account => bool) internal _isOracle;

    modifier whenNotPaused() {
        require(!_settings.paused, MarketPaused());
        _;
    }

    function _bookFee(Amount amount) internal {
        // Far below 2^192: a price of 96 bits over an extended job's 25 bits of seconds.
        if (Amount.unwrap(amount) != 0) _settings.fees += uint192(Amount.unwrap(amount));
    }

    function _setPaused(bool paused_) internal {
        _settings.paused = paused_;
        emit PauseChanged(paused_);
    }

    function _setFee(uint16 feeBps_) internal {
        require(feeBps_ <= FEE_BPS_MAX, FeeTooHigh(feeBps_));
        _settings.feeBps = feeBps_;
        emit FeeChanged(feeBps_);
    }
}
