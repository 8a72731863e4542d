// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Outcome, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract UpdatePricingTest is MarketTest {
    function test_RevertWhen_TheResourceIsUnknown() external {
        // it reverts with UnknownResource
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.UnknownResource.selector, KEY));
        vm.prank(owner);
        market.updatePricing(KEY, 1);
    }

    function test_RevertWhen_TheCallerIsNotTheOwner() external {
        // it reverts with NotAllowed: prices are the cold key's
        expectNotAllowed(agent);
        vm.prank(agent);
        market.updatePricing(resourceId, 1);
    }

    function test_RevertWhen_ThePriceIsZero() external {
        // it reverts with ZeroPrice
        expect(IMarketErrors.ZeroPrice.selector);
        vm.prank(owner);
        market.updatePricing(resourceId, 0);
    }

    function test_When_ThePriceRises() external {
        // it refuses terms at the old price and jobs that exist keep theirs
        Terms memory t = running();
        vm.expectEmit(address(market));
        emit IMarketEvents.PriceChanged(resourceId, PRICE + 1);
        vm.prank(owner);
        market.updatePricing(resourceId, PRICE + 1);
        skip(100);
        complete(t, Outcome.Succeeded);
        assertSettled(t, Outcome.Succeeded, 100 * SECOND, LOCKED);
        t.salt = 2;
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.PriceTooLow.selector, PRICE, PRICE + 1));
        create(t);
    }
}
