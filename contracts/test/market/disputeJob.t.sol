// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Dispute, IMarketErrors, IMarketEvents, Outcome, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract DisputeJobTest is MarketTest {
    function test_RevertWhen_TheCallerIsNoParty() external {
        // it reverts with NotAllowed, for the controller too
        Terms memory t = completed();
        expectNotAllowed(controller);
        dispute(t, controller);
    }

    function test_RevertWhen_TheClockWasNeverStarted() external {
        // it reverts with WrongStatus
        Terms memory t = accepted();
        expectWrongStatus(t, Status.Accepted);
        dispute(t, renter);
    }

    function test_RevertWhen_TheWindowIsOver() external {
        // it reverts with TooLate; before, each second is disputable for an hour
        Terms memory t = completed();
        skip(WINDOW + 1);
        expectTooLate(START + 100 + WINDOW);
        dispute(t, renter);
        rewind(2);
        dispute(t, renter);
        assertEq(disputeOf(t).pot, SECOND);
    }

    function test_RevertWhen_TheJobIsFinal() external {
        // it reverts with WrongStatus
        Terms memory t = settled();
        expectWrongStatus(t, Status.Final);
        dispute(t, renter);
    }

    function test_RevertWhen_ItIsDisputedAlready() external {
        // it reverts with WrongStatus
        Terms memory t = disputed();
        expectWrongStatus(t, Status.Disputed);
        dispute(t, agent);
    }

    function test_RevertWhen_EverySecondIsTooOld() external {
        // it reverts with NothingDue
        Terms memory t = running();
        skip(DURATION + WINDOW);
        expect(IMarketErrors.NothingDue.selector);
        dispute(t, renter);
        rewind(1);
        dispute(t, renter);
        assertEq(disputeOf(t).pot, SECOND);
    }

    function test_RevertWhen_TheBondIsNotAllowed() external {
        // it reverts with the token's own error, and nothing has changed
        Terms memory t = running();
        skip(100);
        vm.expectRevert();
        dispute(t, agent);
        assertStatus(t, Status.Running);
    }

    function test_When_TheRenterDisputesARunningJob() external {
        // it ends the job, frees the resource, refunds what is unearned and holds the pot
        Terms memory t = running();
        skip(100);
        bytes32 jobId = market.jobIdOf(t);
        vm.expectEmit(address(market));
        emit IMarketEvents.JobEnded(jobId, renter, Outcome.Disputed, 100, LOCKED - 100 * SECOND, bytes32(0));
        vm.expectEmit(address(market));
        emit IMarketEvents.JobDisputed(jobId, renter, 100 * SECOND, 10 * SECOND, "wrong result");
        dispute(t, renter);
        assertStatus(t, Status.Disputed);
        assertEq(uint8(jobOf(t).outcome), uint8(Outcome.Disputed));
        assertEq(jobOf(t).endedAt, time());
        assertBusy(false);
        assertEq(token.balanceOf(renter), PURSE - 110 * SECOND);
        assertEq(token.balanceOf(payout), 0);
        assertEq(market.getResource(resourceId).tied, STAKE);
    }

    function test_When_ThePotIsOlderThanTheWindow() external {
        // it is what was earned in the last hour, and no more than was not paid without cover
        Terms memory t = running();
        skip(5000);
        dispute(t, renter);
        assertEq(disputeOf(t).pot, 3600 * SECOND);
    }

    function test_When_SecondsWerePaidWithoutCover() external {
        // it leaves them out of the pot, even when a pause made them young again
        Terms memory t = unstaked();
        stake(10 * SECOND);
        create(t);
        start(t);
        skip(WINDOW + 100);
        vm.prank(agent);
        market.pauseJob(t);
        skip(80);
        pay(t);
        assertEq(jobOf(t).paidSeconds, 190);
        vm.prank(agent);
        market.resumeJob(t);
        dispute(t, renter);
        assertEq(disputeOf(t).pot, (WINDOW + 100 - 180) * SECOND);
    }

    function test_When_TheClockStands() external {
        // it keeps the clock where it is
        Terms memory t = silentAfter(100);
        skip(60);
        dispute(t, renter);
        assertEq(disputeOf(t).pot, 100 * SECOND);
        assertEq(jobOf(t).endedAt, START + 100);
    }

    function test_When_TheProviderDisputes() external {
        // it takes the same bond from the owner or the agent
        Terms memory t = completed();
        vm.prank(admin);
        token.mint(agent, 10 * SECOND);
        vm.prank(agent);
        token.approve(address(market), 10 * SECOND);
        dispute(t, agent);
        assertEq(disputeOf(t).opener, agent);
        assertEq(token.balanceOf(agent), 0);
        assertEq(uint8(jobOf(t).outcome), uint8(Outcome.Succeeded));
    }

    function test_When_TheLeastBondIsMore() external {
        // it takes the market's minimum
        vm.prank(admin);
        market.setMinBond(12_345_678);
        Terms memory t = disputed();
        assertEq(disputeOf(t).bond, 12_345_678);
        assertEq(token.balanceOf(renter), PURSE - 100 * SECOND - 12_345_678);
    }

    function test_When_TheProviderLeftBeforeAnyPayout() external {
        // it disputes the seconds alone: the minimum was never due
        Terms memory t = running();
        skip(5);
        complete(t, Outcome.AbortedByProvider);
        dispute(t, renter);
        assertEq(disputeOf(t).pot, 5 * SECOND);
    }

    function disputeOf(Terms memory t) private view returns (Dispute memory) {
        return market.getDispute(market.jobIdOf(t));
    }
}
