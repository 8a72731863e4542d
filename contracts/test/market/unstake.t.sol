// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Resource, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract UnstakeTest is MarketTest {
    function test_RevertWhen_TheCallerIsNotTheOwner() external {
        // it reverts with NotAllowed, for the agent too
        expectNotAllowed(agent);
        vm.prank(agent);
        market.unstake(resourceId, 1);
    }

    function test_RevertWhen_TheAmountIsNothing() external {
        // it reverts with NothingDue
        expect(IMarketErrors.NothingDue.selector);
        unstake(0);
    }

    function test_RevertWhen_StakeIsTied() external {
        // it reverts with NotEnoughStake until the job is final
        stake(10);
        Terms memory t = completed();
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.NotEnoughStake.selector, 11, 10));
        unstake(11);
        skip(WINDOW + 1);
        finalize(t);
        unstake(11);
    }

    function test_When_StakeIsFree() external {
        // it may not be tied any more and waits fourteen days
        vm.expectEmit(address(market));
        emit IMarketEvents.UnstakeRequested(resourceId, 1000, 1000, time() + 14 days);
        unstake(1000);
        Resource memory resource = market.getResource(resourceId);
        assertEq(resource.stake, STAKE);
        assertEq(resource.unbonding, 1000);
        accepted();
        assertEq(market.getResource(resourceId).tied, (STAKE - 1000) / SECOND * SECOND);
    }

    function test_When_SomeIsUnbondingAlready() external {
        // it adds up and the fourteen days begin anew
        unstake(1000);
        skip(10 days);
        vm.expectEmit(address(market));
        emit IMarketEvents.UnstakeRequested(resourceId, 500, 1500, time() + 14 days);
        unstake(500);
    }

    function unstake(uint72 amount) private {
        vm.prank(owner);
        market.unstake(resourceId, amount);
    }
}
