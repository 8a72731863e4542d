// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract WithdrawStakeTest is MarketTest {
    function setUp() public override {
        super.setUp();
        vm.prank(owner);
        market.unstake(resourceId, 1000);
    }

    function test_RevertWhen_TheCallerIsNotTheOwner() external {
        // it reverts with NotAllowed
        skip(14 days);
        expectNotAllowed(agent);
        vm.prank(agent);
        market.withdrawStake(resourceId, agent);
    }

    function test_RevertWhen_FourteenDaysAreNotOver() external {
        // it reverts with TooEarly
        skip(14 days - 1);
        expectTooEarly(START + 14 days);
        withdraw(owner);
        skip(1);
        withdraw(owner);
        assertEq(token.balanceOf(owner), 1000);
    }

    function test_RevertWhen_NothingIsUnbonding() external {
        // it reverts with NothingDue, so nothing is withdrawn twice
        skip(14 days);
        withdraw(owner);
        expect(IMarketErrors.NothingDue.selector);
        withdraw(owner);
    }

    function test_RevertWhen_TheTargetCannotBePaid() external {
        // it reverts with ZeroAddress or BadPayout
        skip(14 days);
        expect(IMarketErrors.ZeroAddress.selector);
        withdraw(address(0));
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.BadPayout.selector, address(market)));
        withdraw(address(market));
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.BadPayout.selector, address(token)));
        withdraw(address(token));
    }

    function test_When_ItIsTime() external {
        // it sends everything that was unbonding to where the owner likes
        skip(14 days);
        vm.expectEmit(address(market));
        emit IMarketEvents.Unstaked(resourceId, stranger, 1000, STAKE - 1000);
        withdraw(stranger);
        assertEq(token.balanceOf(stranger), 1000);
        assertEq(market.getResource(resourceId).stake, STAKE - 1000);
        assertEq(market.getResource(resourceId).unbonding, 0);
    }

    function withdraw(address to) private {
        vm.prank(owner);
        market.withdrawStake(resourceId, to);
    }
}
