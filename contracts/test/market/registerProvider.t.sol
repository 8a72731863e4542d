// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract RegisterProviderTest is MarketTest {
    function test_RevertWhen_TheMarketIsPaused() external {
        // it reverts with MarketPaused
        vm.prank(admin);
        market.pause();
        expect(IMarketErrors.MarketPaused.selector);
        vm.prank(stranger);
        market.registerProvider(agent, payout);
    }

    function test_RevertWhen_TheCallerIsAProviderAlready() external {
        // it reverts with AlreadyRegistered
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.AlreadyRegistered.selector, 1));
        vm.prank(owner);
        market.registerProvider(agent, payout);
    }

    function test_RevertWhen_TheAgentIsZero() external {
        // it reverts with ZeroAddress
        expect(IMarketErrors.ZeroAddress.selector);
        vm.prank(stranger);
        market.registerProvider(address(0), payout);
    }

    function test_RevertWhen_ThePayoutIsTheMarketOrItsToken() external {
        // it reverts with BadPayout
        address[2] memory nobody = [address(market), address(token)];
        for (uint256 i = 0; i < nobody.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IMarketErrors.BadPayout.selector, nobody[i]));
            vm.prank(stranger);
            market.registerProvider(agent, nobody[i]);
        }
    }

    function test_When_APayoutAddressIsGiven() external {
        // it takes the next id, remembers the three addresses and emits ProviderRegistered
        vm.expectEmit(address(market));
        emit IMarketEvents.ProviderRegistered(2, stranger, agent, payout);
        vm.prank(stranger);
        uint32 providerId = market.registerProvider(agent, payout);
        assertEq(providerId, 2);
        assertEq(market.providerIdOf(stranger), 2);
        (address owner_, address agent_, address payout_) = market.getProvider(2);
        assertEq(owner_, stranger);
        assertEq(agent_, agent);
        assertEq(payout_, payout);
    }

    function test_When_NoPayoutAddressIsGiven() external {
        // it pays to the owner
        vm.prank(stranger);
        uint32 providerId = market.registerProvider(agent, address(0));
        (,, address payout_) = market.getProvider(providerId);
        assertEq(payout_, stranger);
    }
}
