// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IProviderTill, ITills} from "../../../src/x402/ITills.sol";
import {TillsTest} from "./TillsTest.sol";

/// What a till offers to its factory alone.
interface IInitialized {
    function initialize(uint32 providerId, uint16 feeBps) external;
}

contract OpenTest is TillsTest {
    function test_RevertWhen_NobodyIsThatProvider() external {
        // it reverts with UnknownProvider
        vm.expectRevert(abi.encodeWithSelector(ITills.UnknownProvider.selector, 2));
        tills.open(2);
    }

    function test_When_AProviderIsNew() external {
        // it stands where it was foretold, with the market's present fee, whoever opens it
        vm.prank(stranger);
        market.registerProvider(agent, stranger);
        address place = tills.tillOf(2);
        vm.prank(admin);
        token.mint(place, 1000);
        vm.expectEmit(address(tills));
        emit ITills.TillOpened(2, place, FEE_BPS);
        assertEq(tills.open(2), place);
        assertEq(IProviderTill(place).providerId(), 2);
        assertEq(IProviderTill(place).feeBps(), FEE_BPS);
        assertEq(IProviderTill(place).received(address(token)), 1000, "paid before it was opened");
        assertEq(tills.market(), address(market));
    }

    function test_When_TheTillIsOpen() external {
        // it changes nothing, not even the fee
        vm.prank(admin);
        market.setFee(0);
        assertEq(tills.open(PROVIDER), address(till));
        assertEq(till.feeBps(), FEE_BPS);
    }

    function test_RevertWhen_SomebodyElseInitializesATill() external {
        // it reverts with OnlyFactory, also for who opened it
        vm.expectRevert(abi.encodeWithSelector(IProviderTill.OnlyFactory.selector, owner));
        vm.prank(owner);
        IInitialized(address(till)).initialize(PROVIDER, 0);
    }
}
