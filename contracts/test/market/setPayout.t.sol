// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Outcome, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract SetPayoutTest is MarketTest {
    function test_RevertWhen_TheCallerIsNoProvider() external {
        // it reverts with UnknownProvider: the hot key cannot redirect the money
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.UnknownProvider.selector, agent));
        vm.prank(agent);
        market.setPayout(agent);
    }

    function test_RevertWhen_TheAddressIsTheMarketOrItsToken() external {
        // it reverts with BadPayout: the money would be nobody's
        address[2] memory nobody = [address(market), address(token)];
        for (uint256 i = 0; i < nobody.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IMarketErrors.BadPayout.selector, nobody[i]));
            vm.prank(owner);
            market.setPayout(nobody[i]);
        }
    }

    function test_When_TheOwnerNamesAnAddress() external {
        // it pays there from then on
        Terms memory t = running();
        vm.expectEmit(address(market));
        emit IMarketEvents.PayoutChanged(1, stranger);
        vm.prank(owner);
        market.setPayout(stranger);
        skip(100);
        complete(t, Outcome.Succeeded);
        assertEq(token.balanceOf(stranger), netOf(100 * SECOND));
        assertEq(token.balanceOf(payout), 0);
    }

    function test_When_TheAddressIsZero() external {
        // it pays to the owner
        vm.prank(owner);
        market.setPayout(address(0));
        (,, address payout_) = market.getProvider(1);
        assertEq(payout_, owner);
    }
}
