// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {MarketTest} from "../MarketTest.sol";

contract OrderSpentTest is MarketTest {
    function test_When_NothingWasOrdered() external view {
        // it is zero
        assertEq(market.orderSpent(renter, 1), 0);
    }
}
