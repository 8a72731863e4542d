// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Outcome, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";
import {BlockingToken} from "../doubles/BlockingToken.sol";

/// A payee that the token refuses holds up nobody: what it is owed becomes a credit.
contract PayeesTest is MarketTest {
    BlockingToken private blocking;

    function setUp() public override {
        super.setUp();
        blocking = new BlockingToken();
        deployMarket(address(blocking));
        blocking.mint(renter, PURSE);
        vm.prank(renter);
        blocking.approve(address(market), type(uint256).max);
        stake(STAKE);
    }

    function test_ABlockedProviderIsCreditedTheTail() external {
        Terms memory t = unstaked();
        create(t);
        start(t);
        skip(100);
        complete(t, Outcome.Succeeded);
        blocking.setBlocked(payout, true);
        skip(WINDOW + 1);
        finalize(t);
        assertStatus(t, Status.Final);
        assertEq(market.credits(owner), netOf(100 * SECOND));
    }

    function test_ABlockedRenterIsCreditedWhatAVerdictReturns() external {
        Terms memory t = disputed();
        blocking.setBlocked(renter, true);
        resolve(t, 0);
        assertStatus(t, Status.Final);
        // The pot and the bond.
        assertEq(market.credits(renter), 110 * SECOND);
        vm.prank(renter);
        market.withdrawCredit(address(blocking), stranger);
        assertEq(blocking.balanceOf(stranger), 110 * SECOND);
    }

    function test_ABlockedProviderIsCreditedAVerdictAndTheBond() external {
        Terms memory t = unstaked();
        create(t);
        start(t);
        skip(100);
        complete(t, Outcome.Succeeded);
        dispute(t, renter);
        blocking.setBlocked(payout, true);
        resolve(t, 10_000);
        assertEq(market.credits(owner), netOf(100 * SECOND) + 10 * SECOND);
        assertEq(market.fees(), feeOf(100 * SECOND));
    }

    function test_ABlockedRenterDoesNotKeepAJobFromBeingDisputed() external {
        Terms memory t = running();
        skip(100);
        blocking.mint(owner, 10 * SECOND);
        vm.prank(owner);
        blocking.approve(address(market), 10 * SECOND);
        blocking.setBlocked(renter, true);
        dispute(t, owner);
        assertEq(market.credits(renter), LOCKED - 100 * SECOND);
        assertBusy(false);
    }

    function test_ABlockedProviderIsCreditedTheCancelFee() external {
        vm.prank(owner);
        market.setCancelFee(resourceId, 1000);
        Terms memory t = terms();
        (t.controller, t.cancelFeeBps, t.notBefore) = (watcher, 1000, time() + 1 days);
        create(t);
        accept(t);
        blocking.setBlocked(payout, true);
        vm.prank(renter);
        market.cancelJob(t);
        assertEq(market.credits(owner), netOf(LOCKED / 10));
        assertEq(blocking.balanceOf(renter), PURSE - LOCKED / 10);
    }

    function test_ABlockedHarmedRenterIsCreditedASlash() external {
        blocking.setBlocked(renter, true);
        blocking.setBlocked(0x000000000000000000000000000000000000dEaD, true);
        vm.prank(admin);
        market.proposeSlash(resourceId, renter, 1000, 400, "");
        skip(48 hours + 1);
        market.executeSlash(1);
        assertEq(market.credits(renter), 400);
        assertEq(market.getResource(resourceId).stake, STAKE - 1000);
    }

    function test_ABlockedTargetOfStakeIsCreditedToTheOwner() external {
        vm.prank(owner);
        market.unstake(resourceId, 1000);
        skip(14 days);
        blocking.setBlocked(stranger, true);
        vm.prank(owner);
        market.withdrawStake(resourceId, stranger);
        assertEq(market.credits(owner), 1000);
        assertEq(market.getResource(resourceId).unbonding, 0);
    }
}
