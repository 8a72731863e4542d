// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {MarketTest} from "../MarketTest.sol";

contract MinBondTest is MarketTest {
    function test_When_ItWasNeverSet() external view {
        // it is zero
        assertEq(market.minBond(), 0);
    }
}
