// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, Outcome, Resource, State, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

/// Ways to take money that is not one's own, each tried to its end and refused. What a single verb refuses stands in its
/// tree.
contract AttacksTest is MarketTest {
    function test_ADisputeAfterPayoutBeyondTheCoverTakesNoMoreThanTheTie() external {
        Terms memory t = unstaked();
        stake(100 * SECOND);
        create(t);
        start(t);
        skip(WINDOW + 300);
        vm.prank(agent);
        market.pauseJob(t);
        skip(200);
        pay(t);
        assertEq(jobOf(t).paidSeconds, 600);
        // The end of the pause makes paid seconds young again; the pot leaves out what was paid without cover.
        vm.prank(agent);
        market.resumeJob(t);
        dispute(t, renter);
        assertEq(market.getDispute(market.jobIdOf(t)).pot, (WINDOW + 300 - 500) * SECOND);
        resolve(t, 0);
        Resource memory resource = market.getResource(resourceId);
        uint256 fromCover = netOf(600 * SECOND) - netOf(500 * SECOND);
        assertEq(resource.stake, 100 * SECOND - fromCover);
        assertEq(token.balanceOf(renter), PURSE - 500 * SECOND);
        assertEq(token.balanceOf(payout), netOf(600 * SECOND));
    }

    function test_AMinimumIsTakenOnce() external {
        Terms memory t = running();
        pay(t);
        assertEq(token.balanceOf(payout), netOf(MIN_CHARGE));
        skip(30);
        vm.prank(agent);
        market.pauseJob(t);
        vm.prank(agent);
        market.resumeJob(t);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.NothingDue.selector));
        pay(t);
        skip(31);
        pay(t);
        assertEq(token.balanceOf(payout), netOf(61 * SECOND));
        complete(t, Outcome.Failed);
        assertSettled(t, Outcome.Failed, 61 * SECOND, LOCKED);
    }

    function test_AMinimumOverTheLockGainsNothingByAnExtension() external {
        Terms memory t = terms();
        t.maxDuration = 30;
        create(t);
        start(t);
        // Thirty seconds of cover are worth less than the minimum: nothing is paid on its account.
        skip(20);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.NothingDue.selector));
        pay(t);
        bytes memory signature = signExtend(agentKey, market.jobIdOf(t), 60, time());
        vm.prank(renter);
        market.extendJob(t, 60, time(), signature);
        skip(25);
        vm.prank(renter);
        market.stopJob(t);
        assertSettled(t, Outcome.StoppedByRenter, MIN_CHARGE, 90 * SECOND);
    }

    function test_AProviderThatLeavesUnpaidGetsNoMinimumByDisputing() external {
        Terms memory t = running();
        skip(5);
        complete(t, Outcome.AbortedByProvider);
        fund(owner, SECOND);
        dispute(t, owner);
        resolve(t, 10_000);
        assertEq(token.balanceOf(payout), netOf(5 * SECOND));
        assertEq(token.balanceOf(renter), PURSE - 5 * SECOND);
    }

    function test_AReportTakesBackNoPaidSecondNorBackdatesBeyondTenMinutes() external {
        Terms memory t = running();
        skip(1000);
        pay(t);
        skip(900);
        uint40 lastSeen = time() - 601;
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.BadLastSeen.selector, lastSeen));
        report(t, lastSeen);
        report(t, time() - 600);
        skip(601);
        market.closeJob(t);
        assertSettled(t, Outcome.Silent, 1300 * SECOND, LOCKED);
    }

    function test_ADefaultSplitSharesNoUnearnedMoney() external {
        // The renter never sends a byte and hopes for half of the lock; the provider starts and hopes for the same.
        Terms memory t = running();
        skip(10);
        fund(owner, 6 * SECOND);
        dispute(t, owner);
        assertEq(token.balanceOf(renter), PURSE - MIN_CHARGE, "unearned money is back before any verdict");
        skip(7 days + 1);
        market.settleDispute(t);
        assertEq(token.balanceOf(renter), PURSE - MIN_CHARGE / 2);
        assertEq(token.balanceOf(payout), netOf(MIN_CHARGE / 2));
        assertEq(token.balanceOf(owner), 6 * SECOND);
    }

    function test_ACancelFeeIsNotFarmedByStalling() external {
        vm.prank(owner);
        market.setCancelFee(resourceId, 2500);
        Terms memory t = terms();
        (t.controller, t.cancelFeeBps, t.notBefore) = (watcher, 2500, time() + 1 minutes);
        create(t);
        accept(t);
        skip(11 minutes);
        uint256 before = vm.snapshotState();
        vm.prank(renter);
        market.cancelJob(t);
        assertRefunded(t);
        // Nor does a stalling provider gain by the close that follows.
        vm.revertToState(before);
        skip(1 hours);
        market.closeJob(t);
        assertRefunded(t);
    }

    function test_ACancelFeeIsNoMoreThanWasAgreed() external {
        vm.prank(owner);
        market.setCancelFee(resourceId, 100);
        Terms memory t = terms();
        (t.controller, t.cancelFeeBps, t.notBefore) = (watcher, 100, time() + 1 days);
        create(t);
        accept(t);
        vm.prank(owner);
        market.setCancelFee(resourceId, 2500);
        vm.prank(renter);
        market.cancelJob(t);
        assertEq(token.balanceOf(renter), PURSE - LOCKED / 100);
    }

    function test_AResourceIsNotAcceptedTwiceNorItsStakeTiedTwice() external {
        Terms memory t = created();
        Terms memory other = terms();
        other.salt = 2;
        create(other);
        accept(t);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.ResourceBusy.selector, resourceId));
        accept(other);
        start(t);
        vm.prank(renter);
        market.stopJob(t);
        accept(other);
        assertEq(jobOf(other).coverSeconds, 0, "the first job's stake is tied until it is final");
        assertEq(market.getResource(resourceId).tied, STAKE);
    }

    function test_StakeIsNotWithdrawnWhileItIsTied() external {
        Terms memory t = disputed();
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.NotEnoughStake.selector, 1, 0));
        market.unstake(resourceId, 1);
        resolve(t, 0);
        assertEq(token.balanceOf(renter), PURSE);
    }

    function test_UnstakingBeforeAnAcceptLeavesTheJobUncovered() external {
        Terms memory t = created();
        vm.prank(owner);
        market.unstake(resourceId, uint72(STAKE));
        accept(t);
        assertEq(jobOf(t).coverSeconds, 0, "the renter waits with the pay instead");
        start(t);
        skip(100);
        assertEq(market.payableNow(t), 0);
    }

    function test_APriceRaisedBeforeTheCreateCostsNothing() external {
        vm.prank(owner);
        market.updatePricing(resourceId, PRICE + 1);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.PriceTooLow.selector, PRICE, PRICE + 1));
        create(terms());
        assertFalse(market.canCreate(terms()));
        assertEq(token.balanceOf(renter), PURSE);
    }

    function test_AFeeIsNotLostToRoundingBySecondlyPayouts() external {
        // At 49 units a second the fee of one second rounds to nothing.
        vm.prank(owner);
        market.updatePricing(resourceId, 49 * 3600);
        Terms memory t = terms();
        (t.pricePerHour, t.minCharge) = (49 * 3600, 0);
        create(t);
        start(t);
        for (uint256 i = 0; i < 200; ++i) {
            skip(1);
            if (market.payableNow(t) != 0) pay(t);
        }
        complete(t, Outcome.Succeeded);
        assertSettled(t, Outcome.Succeeded, 200 * 49, 49 * uint256(DURATION));
        assertEq(market.fees(), 196);
    }

    function test_ADonationChangesNobodysShare() external {
        vm.prank(renter);
        token.transfer(address(market), 777);
        Terms memory t = disputed();
        resolve(t, 5000);
        vm.prank(owner);
        market.unstake(resourceId, 1000);
        skip(14 days);
        vm.prank(owner);
        market.withdrawStake(resourceId, owner);
        vm.prank(admin);
        market.withdrawFees(admin);
        uint256 fromCover = netOf(100 * SECOND) - netOf(50 * SECOND);
        assertEq(token.balanceOf(address(market)), 777 + STAKE - fromCover - 1000);
    }

    function test_ALateCloseLeavesNothingToDisputeOrFinalize() external {
        Terms memory t = running();
        skip(100);
        pay(t);
        skip(DURATION + 2 hours);
        market.closeJob(t);
        assertEq(market.getResource(resourceId).tied, 0);
        expectWrongStatus(t, Status.Final);
        dispute(t, renter);
        expectWrongStatus(t, Status.Final);
        finalize(t);
        State memory job = jobOf(t);
        assertEq(job.paidSeconds, 100);
        assertEq(market.fees(), feeOf(100 * SECOND));
    }

    function fund(address account, uint256 amount) private {
        vm.prank(admin);
        token.mint(account, amount);
        vm.prank(account);
        token.approve(address(market), amount);
    }
}
