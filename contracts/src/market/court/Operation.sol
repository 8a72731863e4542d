// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketCourt} from "../../interfaces/IMarketCourt.sol";
import {Jobs} from "../Jobs.sol";

/// What roles of the AccessManager may set.
abstract contract Operation is IMarketCourt, Jobs {
    /// @inheritdoc IMarketCourt
    function pause() external restricted {
        _setPaused(true);
    }

    /// @inheritdoc IMarketCourt
    function unpause() external restricted {
        _setPaused(false);
    }

    /// @inheritdoc IMarketCourt
    function setFee(uint16 feeBps_) external restricted {
        _setFee(feeBps_);
    }

    /// @inheritdoc IMarketCourt
    function setWatcher(address watcher, bool registered) external restricted {
        require(watcher != address(0), ZeroAddress());
        _isWatcher[watcher] = registered;
        emit WatcherChanged(watcher, registered);
    }

    /// @inheritdoc IMarketCourt
    function setOracle(address oracle, bool registered) external restricted {
        require(oracle != address(0), ZeroAddress());
        _isOracle[oracle] = registered;
        emit OracleChanged(oracle, registered);
    }

    /// @inheritdoc IMarketCourt
    function setMinBond(uint128 amount) external restricted {
        _minBond = amount;
        emit MinBondChanged(amount);
    }

    /// @inheritdoc IMarketCourt
    function withdrawFees(address to) external restricted {
        _withdrawFees(to);
    }

    /// @inheritdoc IMarketCourt
    function withdrawCredit(address token_, address to) external {
        _withdrawCredit(token_, to);
    }

    /// @inheritdoc IMarketCourt
    function credits(address account) external view returns (uint256) {
        return _credits[account];
    }

    /// @inheritdoc IMarketCourt
    function minBond() external view returns (uint128) {
        return _minBond;
    }

    /// @inheritdoc IMarketCourt
    function feeBps() external view returns (uint16) {
        return _settings.feeBps;
    }

    /// @inheritdoc IMarketCourt
    function paused() external view returns (bool) {
        return _settings.paused;
    }

    /// @inheritdoc IMarketCourt
    function fees() external view returns (uint256) {
        return _settings.fees;
    }

    /// @inheritdoc IMarketCourt
    function isWatcher(address account) external view returns (bool) {
        return _isWatcher[account];
    }

    /// @inheritdoc IMarketCourt
    function isOracle(address account) external view returns (bool) {
        return _isOracle[account];
    }
}
