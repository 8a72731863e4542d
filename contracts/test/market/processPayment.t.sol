// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Outcome, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract ProcessPaymentTest is MarketTest {
    function test_RevertWhen_TheCallerIsNeitherOwnerNorAgent() external {
        // it reverts with NotAllowed
        Terms memory t = running();
        skip(100);
        expectNotAllowed(payout);
        vm.prank(payout);
        market.processPayment(t);
    }

    function test_RevertWhen_TheClockWasNeverStarted() external {
        // it reverts with WrongStatus
        Terms memory t = accepted();
        expectWrongStatus(t, Status.Accepted);
        pay(t);
    }

    function test_RevertWhen_TheJobIsOver() external {
        // it reverts with WrongStatus
        Terms memory t = completed();
        expectWrongStatus(t, Status.Ended);
        pay(t);
    }

    function test_RevertWhen_LessThanTheMinimumIsEarned() external {
        // it reverts with NothingDue, unless the cover is worth the minimum
        Terms memory t = unstaked();
        create(t);
        start(t);
        skip(WINDOW + 59);
        expect(IMarketErrors.NothingDue.selector);
        pay(t);
        skip(1);
        pay(t);
        assertEq(token.balanceOf(payout), netOf(MIN_CHARGE));
    }

    function test_When_TheCoverIsWorthTheMinimum() external {
        // it pays the minimum in the first second, and the end raises nothing twice
        Terms memory t = running();
        pay(t);
        assertEq(token.balanceOf(payout), netOf(MIN_CHARGE));
        skip(59);
        expect(IMarketErrors.NothingDue.selector);
        pay(t);
        complete(t, Outcome.AbortedByProvider);
        assertSettled(t, Outcome.AbortedByProvider, MIN_CHARGE, LOCKED);
    }

    function test_When_NothingIsTied() external {
        // it pays each second an hour late
        Terms memory t = unstaked();
        create(t);
        start(t);
        skip(WINDOW);
        expect(IMarketErrors.NothingDue.selector);
        pay(t);
        skip(100);
        pay(t);
        assertEq(jobOf(t).paidSeconds, 100);
        assertEq(token.balanceOf(payout), netOf(100 * SECOND));
    }

    function test_When_APartIsTied() external {
        // it pays that many seconds ahead of the hour
        Terms memory t = unstaked();
        stake(600 * SECOND);
        create(t);
        start(t);
        skip(1000);
        pay(t);
        assertEq(jobOf(t).paidSeconds, 600);
        skip(WINDOW - 1000 + 50);
        pay(t);
        assertEq(jobOf(t).paidSeconds, 650);
    }

    function test_When_APauseMadeSecondsYoung() external {
        // it takes nothing back and pays nothing twice
        Terms memory t = unstaked();
        create(t);
        start(t);
        skip(WINDOW + 100);
        vm.prank(agent);
        market.pauseJob(t);
        skip(200);
        pay(t);
        assertEq(jobOf(t).paidSeconds, 300);
        vm.prank(agent);
        market.resumeJob(t);
        expect(IMarketErrors.NothingDue.selector);
        pay(t);
        skip(201);
        pay(t);
        assertEq(jobOf(t).paidSeconds, 301);
    }

    function test_RevertWhen_NothingIsNew() external {
        // it reverts with NothingDue
        Terms memory t = running();
        skip(100);
        pay(t);
        expect(IMarketErrors.NothingDue.selector);
        pay(t);
    }

    function test_When_SomethingIsDue() external {
        // it pays the provider's part of the seconds so far and keeps the fee for the end
        Terms memory t = running();
        skip(100);
        vm.expectEmit(address(market));
        emit IMarketEvents.JobPaid(market.jobIdOf(t), 100, netOf(100 * SECOND));
        vm.prank(owner);
        market.processPayment(t);
        assertEq(jobOf(t).paidSeconds, 100);
        assertEq(jobOf(t).since, START);
        assertEq(token.balanceOf(payout), netOf(100 * SECOND));
        assertEq(market.fees(), 0);
    }

    function test_When_TheClockStands() external {
        // it pays up to there
        Terms memory t = pausedAfter(100);
        skip(1 hours);
        pay(t);
        assertEq(token.balanceOf(payout), netOf(100 * SECOND));
    }

    function test_When_TheClockIsOver() external {
        // it pays what was bought
        Terms memory t = running();
        skip(3 * uint256(DURATION));
        pay(t);
        assertEq(token.balanceOf(payout), netOf(LOCKED));
    }

    function test_When_ThereIsNoMinimum() external {
        // it pays the first second as soon as the clock starts, once
        Terms memory t = terms();
        t.minCharge = 0;
        create(t);
        start(t);
        pay(t);
        assertEq(token.balanceOf(payout), netOf(SECOND));
        report(t, time());
        assertEq(jobOf(t).endedAt, time());
        vm.prank(agent);
        market.resumeJob(t);
        skip(1);
        expect(IMarketErrors.NothingDue.selector);
        pay(t);
    }

    function test_When_ItIsCalledEverySecond() external {
        // it comes to the same total as one call at the end, with a price that leaves remainders
        Terms memory t = terms();
        t.pricePerHour = PRICE + 1111;
        t.minCharge = 0;
        create(t);
        start(t);
        for (uint256 i = 0; i < 400; ++i) {
            skip(1);
            pay(t);
            if (i == 0) skip(1); // the first call paid second 1; nothing new falls due in its own second
        }
        uint256 earned = uint256(t.pricePerHour) * 401 / 3600;
        assertEq(jobOf(t).paidSeconds, 401);
        assertEq(token.balanceOf(payout), netOf(earned));
        complete(t, Outcome.Succeeded);
        assertSettled(t, Outcome.Succeeded, earned, uint256(t.pricePerHour) * DURATION / 3600);
    }

    function testFuzz_When_ItIsCalledInAnyOrder(uint72 price, uint16[16] calldata gaps, uint96 minCharge) external {
        // it never changes what the job comes to
        Terms memory t = terms();
        t.pricePerHour = uint72(bound(price, PRICE, 1e11));
        t.minCharge = uint96(bound(minCharge, 0, uint256(t.pricePerHour) / 6));
        create(t);
        start(t);
        uint256 ran;
        for (uint256 i = 0; i < gaps.length; ++i) {
            uint256 gap = bound(gaps[i], 0, 600);
            ran += gap;
            skip(gap);
            if (market.payableNow(t) != 0) pay(t);
        }
        complete(t, Outcome.Succeeded);
        uint256 locked = uint256(t.pricePerHour) * DURATION / 3600;
        uint256 earned = uint256(t.pricePerHour) * (ran == 0 ? 1 : ran) / 3600;
        if (earned < t.minCharge) earned = t.minCharge;
        if (earned > locked) earned = locked;
        assertSettled(t, Outcome.Succeeded, earned, locked);
    }
}
