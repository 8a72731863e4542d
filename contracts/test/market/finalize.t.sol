// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Outcome, State, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract FinalizeTest is MarketTest {
    function test_RevertWhen_TheJobHasNotEnded() external {
        // it reverts with WrongStatus
        Terms memory t = running();
        expectWrongStatus(t, Status.Running);
        finalize(t);
    }

    function test_RevertWhen_TheDisputeWindowIsOpen() external {
        // it reverts with TooEarly up to its last second
        Terms memory t = completed();
        skip(WINDOW);
        expectTooEarly(time());
        finalize(t);
        skip(1);
        finalize(t);
        assertStatus(t, Status.Final);
    }

    function test_RevertWhen_TheJobIsFinal() external {
        // it reverts with WrongStatus: a fee is booked once
        Terms memory t = settled();
        expectWrongStatus(t, Status.Final);
        finalize(t);
    }

    function test_RevertWhen_TheJobIsDisputed() external {
        // it reverts with WrongStatus
        Terms memory t = disputed();
        skip(30 days);
        expectWrongStatus(t, Status.Disputed);
        finalize(t);
    }

    function test_RevertWhen_OneOfThemIsTooEarly() external {
        // it reverts: all or nothing
        Terms[] memory batch = new Terms[](2);
        batch[0] = completed();
        skip(1);
        batch[1] = terms();
        batch[1].salt = 2;
        create(batch[1]);
        start(batch[1]);
        complete(batch[1], Outcome.Succeeded);
        skip(WINDOW);
        expectTooEarly(time());
        market.finalize(batch);
        assertStatus(batch[0], Status.Ended);
        skip(1);
        market.finalize(batch);
        assertStatus(batch[0], Status.Final);
        assertStatus(batch[1], Status.Final);
    }

    function test_When_EverythingWasCovered() external {
        // it books the fee and frees the stake, and moves nothing
        Terms memory t = completed();
        assertEq(market.getResource(resourceId).tied, STAKE);
        skip(WINDOW + 1);
        vm.expectEmit(address(market));
        emit IMarketEvents.JobFinalized(market.jobIdOf(t), netOf(100 * SECOND), feeOf(100 * SECOND));
        uint256 before = held();
        finalize(t);
        assertEq(held(), before);
        assertEq(market.fees(), feeOf(100 * SECOND));
        assertEq(market.getResource(resourceId).tied, 0);
        assertEq(jobOf(t).since, time());
    }

    function test_When_NothingWasCovered() external {
        // it pays everything to the last second
        Terms memory t = unstaked();
        create(t);
        start(t);
        skip(100);
        complete(t, Outcome.Succeeded);
        assertEq(token.balanceOf(payout), 0);
        assertEq(jobOf(t).paidSeconds, 0);
        skip(WINDOW + 1);
        vm.expectEmit(address(market));
        emit IMarketEvents.JobPaid(market.jobIdOf(t), 100, netOf(100 * SECOND));
        finalize(t);
        assertEq(token.balanceOf(payout), netOf(100 * SECOND));
        State memory job = jobOf(t);
        assertEq(job.paidSeconds, 100);
        assertEq(uint8(job.outcome), uint8(Outcome.Succeeded));
    }

    function test_When_TheMinimumWasNotPaidYet() external {
        // it pays it in the tail
        Terms memory t = unstaked();
        create(t);
        start(t);
        skip(5);
        vm.prank(renter);
        market.stopJob(t);
        assertSettled(t, Outcome.StoppedByRenter, MIN_CHARGE, LOCKED);
    }

    function test_When_TheProviderGaveUpBeforeAnyPayout() external {
        // it pays the seconds alone, covered or not
        for (uint64 i = 0; i < 2; ++i) {
            Terms memory t = i == 0 ? terms() : unstaked();
            create(t);
            start(t);
            skip(5);
            complete(t, Outcome.AbortedByProvider);
            assertEq(jobOf(t).paidSeconds, 0);
            skip(WINDOW + 1);
            uint256 before = token.balanceOf(payout);
            finalize(t);
            assertEq(token.balanceOf(payout) - before, netOf(5 * SECOND));
        }
    }

    function testFuzz_When_StakeAndPayoutsVary(uint72 stakeOf, uint72 price, uint96 minCharge, uint16[8] calldata gaps)
        external
    {
        // it comes to the same total, whatever was covered and collected before
        Terms memory t = unstaked();
        t.pricePerHour = uint72(bound(price, PRICE, 1e11));
        t.minCharge = uint96(bound(minCharge, 0, uint256(t.pricePerHour) / 6));
        stake(bound(stakeOf, 1, 2e11));
        create(t);
        start(t);
        uint256 ran;
        for (uint256 i = 0; i < gaps.length; ++i) {
            uint256 gap = bound(gaps[i], 0, 1200);
            ran += gap;
            skip(gap);
            if (market.payableNow(t) != 0) pay(t);
        }
        complete(t, Outcome.Failed);
        uint256 locked = uint256(t.pricePerHour) * DURATION / 3600;
        ran = ran == 0 ? 1 : ran > DURATION ? DURATION : ran;
        uint256 earned = uint256(t.pricePerHour) * ran / 3600;
        if (earned < t.minCharge) earned = t.minCharge;
        skip(WINDOW + 1);
        finalize(t);
        assertEq(token.balanceOf(payout), netOf(earned));
        assertEq(market.fees(), feeOf(earned));
        assertEq(token.balanceOf(renter), PURSE - earned);
        assertLe(earned, locked);
    }
}
