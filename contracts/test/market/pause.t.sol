// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Outcome, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract PauseTest is MarketTest {
    function test_RevertWhen_TheCallerHasNoRole() external {
        // it reverts with AccessManagedUnauthorized
        expectUnauthorized(stranger);
        vm.prank(stranger);
        market.pause();
    }

    function test_When_ARoleHolderPauses() external {
        // it blocks creating and staking
        vm.expectEmit(address(market));
        emit IMarketEvents.PauseChanged(true);
        vm.prank(admin);
        market.pause();
        assertTrue(market.paused());
        expect(IMarketErrors.MarketPaused.selector);
        create(terms());
        expect(IMarketErrors.MarketPaused.selector);
        vm.prank(owner);
        market.stake(resourceId, 1);
    }

    function test_When_JobsAreOpen() external {
        // it lets them be accepted, started, paid, paused, resumed, extended, completed and withdrawn
        Terms memory t = created();
        vm.prank(admin);
        market.pause();
        accept(t);
        start(t);
        skip(100);
        pay(t);
        vm.startPrank(agent);
        market.pauseJob(t);
        market.resumeJob(t);
        vm.stopPrank();
        bytes memory signature = signExtend(agentKey, market.jobIdOf(t), 60, time());
        vm.prank(renter);
        market.extendJob(t, 60, time(), signature);
        complete(t, Outcome.Succeeded);
        assertSettled(t, Outcome.Succeeded, 100 * SECOND, LOCKED + 60 * SECOND);
        vm.prank(admin);
        market.withdrawFees(stranger);
        assertEq(held(), 0);
    }

    function test_When_JobsWaitForTheirEnd() external {
        // it lets them be cancelled, declined, stopped, reported, closed and finalized
        Terms[] memory t = new Terms[](5);
        for (uint256 i = 0; i < t.length; ++i) {
            t[i] = terms();
            t[i].salt = uint64(10 + i);
            create(t[i]);
        }
        vm.prank(admin);
        market.pause();
        vm.prank(renter);
        market.cancelJob(t[0]);
        vm.prank(agent);
        market.declineJob(t[1], "");
        start(t[2]);
        vm.prank(controller);
        market.stopJob(t[2]);
        start(t[3]);
        report(t[3], time());
        skip(10 minutes + 1);
        market.closeJob(t[3]);
        market.closeJob(t[4]);
        skip(WINDOW + 1);
        finalize(t[2]);
        finalize(t[3]);
        assertEq(token.balanceOf(renter) + token.balanceOf(payout) + market.fees(), PURSE);
    }

    function expectUnauthorized(address caller) private {
        vm.expectRevert(abi.encodeWithSignature("AccessManagedUnauthorized(address)", caller));
    }
}
