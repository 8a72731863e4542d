// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IMarket} from "../interfaces/IMarket.sol";
import {FEE_BPS_MAX} from "../types/Limits.sol";
import {Amount} from "../types/Units.sol";

/// What the platform may set: its fee, who reports silence, and the pause. Roles and their delays live in an
/// AccessManager.
abstract contract Operated is IMarket, AccessManaged {
    /// One slot, so that creating a job reads its fee and the pause at once.
    struct Settings {
        uint16 feeBps; //          16  for jobs created from now on
        bool paused; //             8
        uint32 providers; //       32  registered so far; the last one's id
        uint192 fees; //          192  booked and not yet withdrawn
    }

    Settings internal _settings;

    /// @inheritdoc IMarket
    mapping(address account => bool) public isWatcher;

    /// @inheritdoc IMarket
    mapping(address account => bool) public isOracle;

    modifier whenNotPaused() {
        require(!_settings.paused, MarketPaused());
        _;
    }

    constructor(uint16 feeBps_) {
        // Without an authority that answers, no role could ever be used.
        require(authority().code.length != 0, AccessManagedInvalidAuthority(authority()));
        _setFee(feeBps_);
    }

    /// @inheritdoc IMarket
    function pause() external restricted {
        _setPaused(true);
    }

    /// @inheritdoc IMarket
    function unpause() external restricted {
        _setPaused(false);
    }

    /// @inheritdoc IMarket
    function setFee(uint16 feeBps_) external restricted {
        _setFee(feeBps_);
    }

    /// @inheritdoc IMarket
    function setWatcher(address watcher, bool registered) external restricted {
        require(watcher != address(0), ZeroAddress());
        isWatcher[watcher] = registered;
        emit WatcherChanged(watcher, registered);
    }

    /// @inheritdoc IMarket
    function setOracle(address oracle, bool registered) external restricted {
        require(oracle != address(0), ZeroAddress());
        isOracle[oracle] = registered;
        emit OracleChanged(oracle, registered);
    }

    /// @inheritdoc IMarket
    function feeBps() external view returns (uint16) {
        return _settings.feeBps;
    }

    /// @inheritdoc IMarket
    function paused() external view returns (bool) {
        return _settings.paused;
    }

    /// @inheritdoc IMarket
    function fees() external view returns (uint256) {
        return _settings.fees;
    }

    function _bookFee(Amount amount) internal {
        // Far below 2^192: a price of 96 bits over an extended job's 25 bits of seconds.
        if (Amount.unwrap(amount) != 0) _settings.fees += uint192(Amount.unwrap(amount));
    }

    function _setPaused(bool paused_) private {
        _settings.paused = paused_;
        emit PauseChanged(paused_);
    }

    function _setFee(uint16 feeBps_) private {
        require(feeBps_ <= FEE_BPS_MAX, FeeTooHigh(feeBps_));
        _settings.feeBps = feeBps_;
        emit FeeChanged(feeBps_);
    }
}
