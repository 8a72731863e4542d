// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarket} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract IsWatcherTest is MarketTest {
    function test_When_AWatcherIsRegistered() external view {
        // it is true for that account alone
        assertTrue(market.isWatcher(watcher));
        assertFalse(market.isWatcher(controller));
    }
}
