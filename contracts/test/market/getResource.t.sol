// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Resource} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract GetResourceTest is MarketTest {
    function test_When_TheResourceIsUnknown() external view {
        // it is all zero
        assertEq(market.getResource(KEY).providerId, 0);
    }

    function test_When_TheResourceIsListed() external {
        // it tells price, owner and whether it is busy
        accepted();
        Resource memory resource = market.getResource(resourceId);
        assertEq(resource.providerId, 1);
        assertEq(resource.pricePerHour, PRICE);
        assertTrue(resource.available);
        assertTrue(resource.busy);
    }
}
