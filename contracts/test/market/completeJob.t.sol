// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Outcome, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract CompleteJobTest is MarketTest {
    function test_RevertWhen_TheCallerIsNeitherOwnerNorAgent() external {
        // it reverts with NotAllowed
        Terms memory t = running();
        expectNotAllowed(renter);
        vm.prank(renter);
        market.completeJob(t, Outcome.Succeeded, RESULT);
    }

    function test_RevertWhen_TheClockWasNeverStarted() external {
        // it reverts with WrongStatus
        Terms memory t = accepted();
        expectWrongStatus(t, Status.Accepted);
        complete(t, Outcome.Succeeded);
    }

    function test_RevertWhen_TheJobIsOver() external {
        // it reverts with WrongStatus
        Terms memory t = completed();
        expectWrongStatus(t, Status.Ended);
        complete(t, Outcome.Succeeded);
    }

    function test_RevertWhen_TheOutcomeIsNotTheProviders() external {
        // it reverts with BadOutcome
        Terms memory t = running();
        Outcome[4] memory others = [Outcome.None, Outcome.StoppedByRenter, Outcome.Silent, Outcome.Disputed];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IMarketErrors.BadOutcome.selector, others[i]));
            complete(t, others[i]);
        }
    }

    function test_RevertWhen_TheSilenceIsOverTenMinutes() external {
        // it reverts with TooLate: then only a close is left, which waives the minimum
        Terms memory t = silentAfter(10);
        uint40 deadline = time() + 10 minutes;
        skip(10 minutes + 1);
        expectTooLate(deadline);
        complete(t, Outcome.Succeeded);
    }

    function test_When_ItSucceeded() external {
        // it pays what is covered, refunds, frees the resource and emits the digest
        Terms memory t = running();
        skip(100);
        pay(t);
        skip(50);
        bytes32 jobId = market.jobIdOf(t);
        vm.expectEmit(address(market));
        emit IMarketEvents.JobPaid(jobId, 150, netOf(150 * SECOND) - netOf(100 * SECOND));
        vm.expectEmit(address(market));
        emit IMarketEvents.JobEnded(jobId, agent, Outcome.Succeeded, 150, LOCKED - 150 * SECOND, RESULT);
        complete(t, Outcome.Succeeded);
        assertStatus(t, Status.Ended);
        assertEq(jobOf(t).since, time());
        assertEq(jobOf(t).paidSeconds, 150);
        assertSettled(t, Outcome.Succeeded, 150 * SECOND, LOCKED);
    }

    function test_When_ItFailed() external {
        // it is paid to that second, the minimum at least
        Terms memory t = running();
        skip(5);
        vm.prank(owner);
        market.completeJob(t, Outcome.Failed, RESULT);
        assertSettled(t, Outcome.Failed, MIN_CHARGE, LOCKED);
    }

    function test_When_TheProviderGivesUp() external {
        // it is paid its seconds without the minimum
        Terms memory t = running();
        skip(5);
        complete(t, Outcome.AbortedByProvider);
        assertSettled(t, Outcome.AbortedByProvider, 5 * SECOND, LOCKED);
    }

    function test_When_TheProviderGivesUpAfterAPayout() external {
        // it keeps what it was paid and the seconds since
        Terms memory t = running();
        skip(61);
        pay(t);
        skip(4);
        complete(t, Outcome.AbortedByProvider);
        assertSettled(t, Outcome.AbortedByProvider, 65 * SECOND, LOCKED);
    }

    function test_When_ItIsPausedOrSilent() external {
        // it bills up to where the clock stands
        Terms memory t = pausedAfter(100);
        skip(1 hours);
        complete(t, Outcome.Succeeded);
        assertSettled(t, Outcome.Succeeded, 100 * SECOND, LOCKED);
    }

    function test_When_TheMinimumIsMoreThanTheLock() external {
        // it earns the lock
        Terms memory t = terms();
        t.maxDuration = 30;
        create(t);
        start(t);
        skip(3);
        complete(t, Outcome.Succeeded);
        assertSettled(t, Outcome.Succeeded, 30 * SECOND, 30 * SECOND);
    }

    function test_When_ItIsLateButNotClosed() external {
        // it is paid in full
        Terms memory t = running();
        skip(DURATION + 3 hours);
        complete(t, Outcome.Succeeded);
        assertSettled(t, Outcome.Succeeded, LOCKED, LOCKED);
    }

    function testFuzz_When_TheFeeVaries(uint16 feeBps, uint32 ran) external {
        // it splits the lock without a remainder
        feeBps = uint16(bound(feeBps, 0, 500));
        vm.prank(admin);
        market.setFee(feeBps);
        Terms memory t = terms();
        t.pricePerHour = PRICE + 777;
        create(t);
        start(t);
        skip(bound(ran, 0, 3 hours));
        complete(t, Outcome.Succeeded);
        uint256 locked = uint256(t.pricePerHour) * DURATION / 3600;
        uint256 refunded = token.balanceOf(renter) + locked - PURSE;
        uint256 earned = locked - refunded;
        skip(WINDOW + 1);
        finalize(t);
        assertEq(market.fees(), earned * feeBps / 10_000);
        assertEq(token.balanceOf(payout) + market.fees() + refunded, locked);
    }
}
