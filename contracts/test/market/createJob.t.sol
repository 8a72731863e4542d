// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, State, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract CreateJobTest is MarketTest {
    function test_RevertWhen_TheMarketIsPaused() external {
        // it reverts with MarketPaused
        vm.prank(admin);
        market.pause();
        expect(IMarketErrors.MarketPaused.selector);
        create(terms());
    }

    function test_RevertWhen_ThereIsNoRenter() external {
        // it reverts with BadTerms
        Terms memory t = terms();
        t.renter = address(0);
        expectBadTerms("renter");
        create(t);
    }

    function test_RevertWhen_ThereIsNoController() external {
        // it reverts with BadTerms
        Terms memory t = terms();
        t.controller = address(0);
        expectBadTerms("controller");
        create(t);
    }

    function test_RevertWhen_TheDurationIsZero() external {
        // it reverts with BadTerms
        Terms memory t = terms();
        t.maxDuration = 0;
        expectBadTerms("maxDuration");
        create(t);
    }

    function test_RevertWhen_TheDurationIsOverThirtyDays() external {
        // it reverts with BadTerms
        Terms memory t = terms();
        t.maxDuration = 30 days + 1;
        expectBadTerms("maxDuration");
        create(t);
        t.maxDuration = 30 days;
        create(t);
    }

    function test_RevertWhen_TheMinChargeIsOverTenMinutes() external {
        // it reverts with BadTerms
        Terms memory t = terms();
        t.minCharge = uint96(600 * SECOND + 1);
        expectBadTerms("minCharge");
        create(t);
        t.minCharge = uint96(600 * SECOND);
        create(t);
    }

    function test_RevertWhen_TheLockIsNothing() external {
        // it reverts with BadTerms: nobody binds a machine for free
        vm.prank(owner);
        market.updatePricing(resourceId, 3599);
        Terms memory t = terms();
        (t.pricePerHour, t.maxDuration, t.minCharge) = (3599, 1, 0);
        expectBadTerms("pricePerHour");
        create(t);
        t.pricePerHour = 3600;
        create(t);
    }

    function test_RevertWhen_TheCancelFeeIsOverTheListings() external {
        // it reverts with BadTerms
        Terms memory t = withCancelFee();
        t.cancelFeeBps = 101;
        expectBadTerms("cancelFeeBps");
        create(t);
        t.cancelFeeBps = 100;
        create(t);
    }

    function test_RevertWhen_ACancelFeeIsForNoReservation() external {
        // it reverts with BadTerms
        Terms memory t = withCancelFee();
        t.notBefore = time();
        expectBadTerms("cancelFeeBps");
        create(t);
    }

    function test_RevertWhen_ACancelFeeHasNoWatcher() external {
        // it reverts with BadTerms: neither side may hold up the start
        Terms memory t = withCancelFee();
        t.controller = controller;
        expectBadTerms("cancelFeeBps");
        create(t);
    }

    function test_RevertWhen_AFlagIsSet() external {
        // it reverts with BadTerms
        Terms memory t = terms();
        t.flags = 1;
        expectBadTerms("flags");
        create(t);
    }

    function test_RevertWhen_ExtraIsSet() external {
        // it reverts with BadTerms
        Terms memory t = terms();
        t.extra = bytes32(uint256(1));
        expectBadTerms("extra");
        create(t);
    }

    function test_RevertWhen_TheJobExists() external {
        // it reverts with JobExists, after its end too
        Terms memory t = completed();
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.JobExists.selector, market.jobIdOf(t)));
        create(t);
    }

    function test_RevertWhen_TheResourceIsUnknown() external {
        // it reverts with UnknownResource
        Terms memory t = terms();
        t.resourceId = KEY;
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.UnknownResource.selector, KEY));
        create(t);
    }

    function test_RevertWhen_TheResourceIsUnavailable() external {
        // it reverts with ResourceUnavailable
        vm.prank(agent);
        market.updateAvailability(resourceId, false);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.ResourceUnavailable.selector, resourceId));
        create(terms());
    }

    function test_RevertWhen_TheResourceIsBusyAndTheJobIsForNow() external {
        // it reverts with ResourceBusy
        Terms memory t = accepted();
        t.salt = 2;
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.ResourceBusy.selector, resourceId));
        create(t);
    }

    function test_When_TheResourceIsBusyAndTheJobIsForLater() external {
        // it takes the reservation
        Terms memory t = accepted();
        t.salt = 2;
        t.notBefore = time() + 1 days;
        create(t);
        assertStatus(t, Status.Created);
    }

    function test_RevertWhen_TheResourceIsBusyAndNotBeforeIsOver() external {
        // it reverts with ResourceBusy: only a time to come makes a reservation
        Terms memory t = accepted();
        t.salt = 2;
        t.notBefore = time();
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.ResourceBusy.selector, resourceId));
        create(t);
        t.notBefore = time() + 1;
        create(t);
    }

    function test_RevertWhen_TheListingIsDearerThanTheTerms() external {
        // it reverts with PriceTooLow
        Terms memory t = terms();
        t.pricePerHour = PRICE - 1;
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.PriceTooLow.selector, PRICE - 1, PRICE));
        create(t);
    }

    function test_RevertWhen_TheCallerHasAllowedTooLittle() external {
        // it reverts with the token's own error
        vm.prank(renter);
        token.approve(address(market), LOCKED - 1);
        vm.expectRevert();
        create(terms());
    }

    function test_When_TheTermsAreGood() external {
        // it locks the cost of the whole duration, remembers the fee and emits the terms
        Terms memory t = terms();
        bytes32 jobId = market.jobIdOf(t);
        vm.expectEmit(address(market));
        emit IMarketEvents.JobCreated(jobId, resourceId, renter, FEE_BPS, t);
        assertEq(create(t), jobId);
        State memory job = market.getJob(jobId);
        assertEq(uint8(job.status), uint8(Status.Created));
        assertEq(job.since, time());
        assertEq(job.feeBps, FEE_BPS);
        assertEq(held(), LOCKED);
        assertEq(token.balanceOf(renter), PURSE - LOCKED);
        assertBusy(false);
    }

    function test_When_TheCallerPaysForAnotherRenter() external {
        // it takes the caller's money and refunds the renter
        Terms memory t = terms();
        t.renter = stranger;
        create(t);
        vm.prank(stranger);
        market.cancelJob(t);
        assertEq(token.balanceOf(stranger), LOCKED);
        assertEq(token.balanceOf(renter), PURSE - LOCKED);
    }

    function withCancelFee() private returns (Terms memory t) {
        vm.prank(owner);
        market.setCancelFee(resourceId, 100);
        t = terms();
        t.controller = watcher;
        t.cancelFeeBps = 100;
        t.notBefore = time() + 1 days;
    }

    function testFuzz_When_TheTermsVary(uint72 price, uint32 duration, uint96 minCharge, uint64 salt) external {
        // it locks ⌊price · duration / 3600⌋
        Terms memory t = terms();
        t.pricePerHour = uint72(bound(price, PRICE, 1e12));
        t.maxDuration = uint32(bound(duration, 1, 30 days));
        t.minCharge = uint96(bound(minCharge, 0, uint256(t.pricePerHour) * 600 / 3600));
        t.salt = salt;
        create(t);
        assertEq(held(), uint256(t.pricePerHour) * t.maxDuration / 3600);
    }
}
