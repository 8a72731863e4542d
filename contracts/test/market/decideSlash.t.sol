// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {
    IMarketErrors,
    IMarketEvents,
    SLASH_DISMISSED,
    SLASH_EXECUTED,
    SLASH_PROPOSED
} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract DecideSlashTest is MarketTest {
    function setUp() public override {
        super.setUp();
        vm.prank(admin);
        market.proposeSlash(resourceId, renter, 1000, 400, "");
    }

    function test_RevertWhen_TheCallerHasNoRole() external {
        // it reverts with AccessManagedUnauthorized
        contest();
        vm.expectRevert(abi.encodeWithSignature("AccessManagedUnauthorized(address)", owner));
        vm.prank(owner);
        market.decideSlash(1, false);
    }

    function test_RevertWhen_NobodyContested() external {
        // it reverts with WrongSlashStatus
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.WrongSlashStatus.selector, 1, SLASH_PROPOSED));
        decide(true);
    }

    function test_RevertWhen_ItIsDecidedAlready() external {
        // it reverts with WrongSlashStatus: stake is taken once
        contest();
        decide(true);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.WrongSlashStatus.selector, 1, SLASH_EXECUTED));
        decide(true);
        skip(30 days);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.WrongSlashStatus.selector, 1, SLASH_EXECUTED));
        market.executeSlash(1);
    }

    function test_When_TheJudgeSlashes() external {
        // it pays the harmed up to the loss and burns the rest
        contest();
        vm.expectEmit(address(market));
        emit IMarketEvents.SlashSettled(1, true, 400, 600);
        decide(true);
        assertEq(token.balanceOf(renter), PURSE + 400);
        assertEq(token.balanceOf(0x000000000000000000000000000000000000dEaD), 600);
        assertEq(market.getResource(resourceId).stake, STAKE - 1000);
        assertEq(market.getResource(resourceId).contested, 0);
        assertEq(token.balanceOf(address(market)), STAKE - 1000);
    }

    function test_When_TheJudgeDismisses() external {
        // it gives the stake back
        contest();
        vm.expectEmit(address(market));
        emit IMarketEvents.SlashSettled(1, false, 0, 0);
        decide(false);
        assertEq(market.getSlash(1).status, SLASH_DISMISSED);
        assertEq(market.getResource(resourceId).stake, STAKE);
        assertEq(market.getResource(resourceId).contested, 0);
        accepted();
        assertEq(market.getResource(resourceId).tied, STAKE);
    }

    function test_When_ItWasUnbonding() external {
        // it goes on unbonding from where it was
        vm.prank(owner);
        market.unstake(resourceId, uint72(STAKE - 1000));
        vm.prank(admin);
        market.proposeSlash(resourceId, renter, 500, 0, "");
        skip(1 days);
        vm.prank(owner);
        market.contestSlash(2, "");
        vm.prank(admin);
        market.decideSlash(2, false);
        assertEq(market.getResource(resourceId).unbonding, STAKE - 1000);
        skip(13 days);
        vm.prank(owner);
        market.withdrawStake(resourceId, owner);
        assertEq(token.balanceOf(owner), STAKE - 1000);
    }

    function contest() private {
        vm.prank(owner);
        market.contestSlash(1, "");
    }

    function decide(bool slash) private {
        vm.prank(admin);
        market.decideSlash(1, slash);
    }
}
