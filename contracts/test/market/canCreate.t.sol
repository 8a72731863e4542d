// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract CanCreateTest is MarketTest {
    function test_When_TheTermsAreGood() external {
        // it is true, whoever has the money
        assertTrue(market.canCreate(terms()));
        vm.prank(renter);
        token.approve(address(market), 0);
        assertTrue(market.canCreate(terms()));
    }

    function test_When_TheMarketIsPaused() external {
        // it is false
        vm.prank(admin);
        market.pause();
        assertFalse(market.canCreate(terms()));
    }

    function test_When_TheJobExists() external {
        // it is false
        assertFalse(market.canCreate(completed()));
    }

    function test_When_TheListingRefuses() external {
        // it is false, as long as the listing does
        Terms memory t = terms();
        t.resourceId = KEY;
        assertFalse(market.canCreate(t));
        t = accepted();
        t.salt = 2;
        assertFalse(market.canCreate(t));
        t.notBefore = time() + 1;
        assertTrue(market.canCreate(t));
        vm.prank(owner);
        market.updatePricing(resourceId, PRICE + 1);
        assertFalse(market.canCreate(t));
        vm.prank(owner);
        market.updatePricing(resourceId, PRICE);
        vm.prank(agent);
        market.updateAvailability(resourceId, false);
        assertFalse(market.canCreate(t));
    }

    function testFuzz_When_AnythingVaries(
        uint256 which,
        uint96 price,
        uint96 minCharge,
        uint32 duration,
        uint40 notBefore,
        uint16 cancelFeeBps,
        uint8 twists
    ) external {
        // it is true exactly when createJob does not revert
        Terms memory t = terms();
        t.pricePerHour = uint96(bound(price, PRICE - 2, PRICE + 2));
        t.minCharge = uint96(bound(minCharge, 0, 620 * SECOND));
        t.maxDuration = uint32(bound(duration, 0, 31 days));
        t.notBefore = uint40(bound(notBefore, START - 2, START + 2));
        t.cancelFeeBps = uint16(bound(cancelFeeBps, 0, 60) / 30 * bound(cancelFeeBps, 0, 60));
        if (which % 13 == 0) t.renter = address(0);
        if (which % 13 == 1) t.controller = address(0);
        if (which % 13 == 2) t.flags = 1;
        if (which % 13 == 3) t.extra = KEY;
        if (which % 13 == 4) t.resourceId = KEY;
        if (twists & 1 != 0) t.controller = watcher;
        vm.startPrank(owner);
        if (twists & 2 != 0) market.setCancelFee(resourceId, 50);
        if (twists & 4 != 0 && twists & 8 != 0) market.updateAvailability(resourceId, false);
        vm.stopPrank();
        if (twists & 16 != 0) accepted_();
        bool can = market.canCreate(t);
        vm.prank(renter);
        (bool created_,) = address(market).call(abi.encodeCall(market.createJob, (t)));
        assertEq(can, created_);
    }

    /// Makes the resource busy, if it is available.
    function accepted_() private {
        Terms memory t = terms();
        t.salt = 99;
        if (!market.canCreate(t)) return;
        create(t);
        accept(t);
    }
}
