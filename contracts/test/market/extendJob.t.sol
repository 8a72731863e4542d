// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Outcome, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract ExtendJobTest is MarketTest {
    uint24 private constant EXTRA = 1 hours;

    function test_RevertWhen_TheCallerIsNotTheRenter() external {
        // it reverts with NotAllowed
        Terms memory t = running();
        bytes memory signature = signExtend(agentKey, market.jobIdOf(t), EXTRA, time());
        expectNotAllowed(controller);
        vm.prank(controller);
        market.extendJob(t, EXTRA, time(), signature);
    }

    function test_RevertWhen_TheJobIsNotRunning() external {
        // it reverts with WrongStatus
        Terms memory t = pausedAfter(100);
        bytes memory signature = signExtend(agentKey, market.jobIdOf(t), EXTRA, time());
        expectWrongStatus(t, Status.Paused);
        vm.prank(renter);
        market.extendJob(t, EXTRA, time(), signature);
    }

    function test_RevertWhen_TheClockIsOver() external {
        // it reverts with TooLate
        Terms memory t = running();
        skip(DURATION);
        bytes memory signature = signExtend(agentKey, market.jobIdOf(t), EXTRA, time());
        expectTooLate(time() - 1);
        vm.prank(renter);
        market.extendJob(t, EXTRA, time(), signature);
    }

    function test_RevertWhen_TheOfferHasExpired() external {
        // it reverts with TooLate
        Terms memory t = running();
        uint40 expiry = time();
        bytes memory signature = signExtend(agentKey, market.jobIdOf(t), EXTRA, expiry);
        skip(1);
        expectTooLate(expiry);
        vm.prank(renter);
        market.extendJob(t, EXTRA, expiry, signature);
    }

    function test_RevertWhen_TheTotalDoesNotRise() external {
        // it reverts with BadTerms: one signature extends once
        Terms memory t = running();
        extend(t, EXTRA);
        bytes memory signature = signExtend(agentKey, market.jobIdOf(t), EXTRA, time());
        expectBadTerms("extraSeconds");
        vm.prank(renter);
        market.extendJob(t, EXTRA, time(), signature);
        assertEq(held(), LOCKED + EXTRA * SECOND);
    }

    function test_RevertWhen_ItIsExtendedByOverThirtyDays() external {
        // it reverts with BadTerms, for each extension by itself
        Terms memory t = running();
        bytes memory signature = signExtend(agentKey, market.jobIdOf(t), 30 days + 1, time());
        expectBadTerms("extraSeconds");
        vm.prank(renter);
        market.extendJob(t, 30 days + 1, time(), signature);
        extend(t, 30 days);
        extend(t, 60 days);
        assertEq(held(), LOCKED + 60 days * SECOND);
    }

    function test_RevertWhen_TheAgentDidNotSign() external {
        // it reverts with BadSignature
        Terms memory t = running();
        bytes memory signature = signExtend(renterKey, market.jobIdOf(t), EXTRA, time());
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.BadSignature.selector, renter));
        vm.prank(renter);
        market.extendJob(t, EXTRA, time(), signature);
    }

    function test_RevertWhen_TheAgentSignedLess() external {
        // it reverts with BadSignature
        Terms memory t = running();
        bytes memory signature = signExtend(agentKey, market.jobIdOf(t), EXTRA - 1, time());
        vm.expectPartialRevert(IMarketErrors.BadSignature.selector);
        vm.prank(renter);
        market.extendJob(t, EXTRA, time(), signature);
    }

    function test_When_TheAgentSigned() external {
        // it pulls cost(new) − cost(old) and moves the clock's end
        Terms memory t = running();
        skip(DURATION - 1);
        vm.expectEmit(address(market));
        emit IMarketEvents.JobExtended(market.jobIdOf(t), EXTRA, LOCKED + EXTRA * SECOND);
        extend(t, EXTRA);
        assertEq(held(), LOCKED + EXTRA * SECOND);
        skip(1 + EXTRA);
        complete(t, Outcome.Succeeded);
        assertSettled(t, Outcome.Succeeded, LOCKED + EXTRA * SECOND, LOCKED + EXTRA * SECOND);
    }

    function test_When_ItIsExtendedAgain() external {
        // it pulls the difference of the totals
        Terms memory t = running();
        extend(t, EXTRA);
        extend(t, EXTRA + 60);
        assertEq(held(), LOCKED + (EXTRA + 60) * SECOND);
    }

    function test_When_SomethingWasPaidBefore() external {
        // it changes no second that is already paid
        Terms memory t = running();
        skip(DURATION - 1);
        pay(t);
        extend(t, EXTRA);
        complete(t, Outcome.Succeeded);
        assertSettled(t, Outcome.Succeeded, LOCKED - SECOND, LOCKED + EXTRA * SECOND);
    }

    function extend(Terms memory t, uint24 extra) private {
        bytes memory signature = signExtend(agentKey, market.jobIdOf(t), extra, time());
        vm.prank(renter);
        market.extendJob(t, extra, time(), signature);
    }
}
