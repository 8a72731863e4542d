// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarket} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract IsOracleTest is MarketTest {
    function test_When_AnOracleIsRegistered() external view {
        // it is true for that account alone
        assertTrue(market.isOracle(oracle));
        assertFalse(market.isOracle(watcher));
    }
}
